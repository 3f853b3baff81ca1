"""A gallery holds embeddings of pictures and finds the most similar pictures.

It is kept by an engine (engines.py). In a folder it looks like this:

gallery/
├── catalog.sqlite   a row for each picture with its vector: the source of truth (folder/catalog.py)
├── index/           a Faiss index of a large gallery, derived from the catalog (index/snapshot.py)
├── pictures/        files that were added as bytes (files.py)
├── local/           local features of verified pictures, derived (verification/store.py)
├── chance.json      how often chance makes a score, derived (chance/store.py)
└── rejects.csv      the files that the last import skipped, with reasons (importing/)

opened/ opens it, and looks up and changes its pictures; here it is searched.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Unpack, cast, overload

import numpy as np
from numpy.typing import ArrayLike

from kkcv.disk import typed
from kkcv.errors import PictureError, RequestError
from kkcv.hits import Hits
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.query import Like, Text, checked_likes
from kkcv.where import Where

from .answer.answer import answers
from .answer.sorting import sorted_hits
from .duplicates import DuplicateGroup, duplicates, keep_both
from .engine import CHUNK
from .opened.generation import Generation
from .opened.rows import Rows
from .options import DEFAULTS, SearchOptions, SearchWords, merged, with_words
from .query import Query, Vectorizer, checked_k, checked_vectors, several, single

if TYPE_CHECKING:  # imported where they work: a search from the command line waits for imports
    from .importing import ImportReport, Progress


class Vectors(NamedTuple):
    """The embeddings of a gallery: ids, int64 (N,), and unit vectors, float32 (N, D)."""

    ids: np.ndarray
    vectors: np.ndarray


class Gallery(Rows):
    """Pictures that can be searched by a picture. Safe to use from several threads.

    ``Gallery(address)`` opens one, ``Gallery.create(address, embedder)`` makes one; the embedder of
    an opened gallery is loaded when it is first needed. An address is a folder, or
    ``milvus://host:19530/name``.

    It is a container of its pictures: ``len(gallery)``, ``gallery[17]`` by id, ``17 in gallery``,
    ``for picture in gallery``.
    """

    def index(
        self,
        *paths: str | PathLike[str],
        limits: Limits = DEFAULT_LIMITS,
        threads: int | None = None,
        labels: Literal["folder"] | None = None,
        progress: "Progress" = lambda report: None,
    ) -> "ImportReport":
        """Add files, and folders with everything below them; only new ones are embedded.

        With ``labels="folder"``, pictures without a label get the name of their folder. Otherwise
        the same as ``import_pictures(gallery, paths)``, which has the details.
        """
        from .describing.describing import label_by_folder
        from .importing import import_pictures

        there = [typed(path) for path in paths]
        report = import_pictures(self, there, limits=limits, threads=threads, progress=progress)
        if labels:
            label_by_folder(self, there)
        if self.generation.index.wants_rebuild:
            self.generation.index.rebuild()
        return report

    # Asking

    @overload
    def search(
        self,
        query: list[Any],
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        *,
        limits: Limits = DEFAULT_LIMITS,
        **words: Unpack[SearchWords],
    ) -> list[Hits]: ...

    @overload
    def search(
        self,
        query: Query,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        *,
        limits: Limits = DEFAULT_LIMITS,
        **words: Unpack[SearchWords],
    ) -> Hits: ...

    @with_words
    def search(
        self,
        query: Any,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        *,
        limits: Limits = DEFAULT_LIMITS,
        **words: Unpack[SearchWords],
    ) -> Hits | list[Hits]:
        """The k most similar pictures, most similar first; for a list of queries a list of answers.

        The pictures of a list are embedded in batches. One that cannot be read does not stop the
        others: its answer is empty, has the ``error``, and a warning is given.

        Args:
            query: a path, bytes, a file object, a Pillow image, an array (H, W, 3) of uint8 RGB, a
                tensor (3, H, W); an id, a picture or a hit of this gallery, which is not found
                again; a unit vector (D,); a Text; a Like; or a list of these. A str is a path.
            k: from 1 to 1000.
            options: what may be found, and in which order.
            limits: on bytes and pixels of a picture.
            words: single options by name, such as ``where={"label": "cat"}`` or ``min_score=0.5``.

        Raises:
            PictureError: the picture cannot be read.
            UnknownPicture: no picture has this id.
            RequestError: an invalid k, filter, option or vector.
        """
        options = merged(options, words)
        queries = several(query)
        if queries is None:
            return self._search_one(single(query), k, options, limits)
        return self._search_many([single(each) for each in queries], k, options, limits)

    def _search_one(
        self, query: Like | np.ndarray, k: int, options: SearchOptions, limits: Limits
    ) -> Hits:
        if isinstance(query, Like):
            return self.search_like([query], k, options, limits=limits)
        return self.search_vector(query, k, options)

    def _search_many(
        self, queries: Sequence[Like | np.ndarray], k: int, options: SearchOptions, limits: Limits
    ) -> list[Hits]:
        """Pictures are embedded in batches and asked for together; the others one by one."""
        checked_k(k)  # before any picture is embedded
        generation = self.generation
        found: dict[int, Hits] = {}
        vectors: dict[int, np.ndarray] = {}
        if not (options.verify or options.copies):
            vectorizer = Vectorizer(generation, self, self.worker, limits)
            for place, vector in vectorizer.batch(queries):
                if isinstance(vector, PictureError):
                    found[place] = Hits(error=vector)
                else:
                    vectors[place] = vector
        if vectors:
            together = self._found(generation, np.stack(list(vectors.values())), k, options)
            found |= dict(zip(vectors, together, strict=True))
        for place, query in enumerate(queries):
            if place not in found:
                try:
                    found[place] = self._search_one(query, k, options, limits)
                except PictureError as error:
                    found[place] = Hits(error=error)
        unread = [str(hits.error) for hits in found.values() if hits.error]
        if unread:
            warnings.warn(
                f"{len(unread)} of {len(queries)} pictures cannot be read and have no hits: "
                f"{unread[0]}",
                RuntimeWarning,
                stacklevel=3,
            )
        return [found[place] for place in range(len(queries))]

    @with_words
    def search_id(
        self, id: int, k: int = 10, options: SearchOptions = DEFAULTS, **words: Unpack[SearchWords]
    ) -> Hits:
        """The k pictures most similar to one of the gallery, without itself (UnknownPicture)."""
        return self.search_like([Like(id)], k, options, **words)

    @with_words
    def search_text(
        self,
        text: str,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        **words: Unpack[SearchWords],
    ) -> Hits:
        """The k pictures that best match a text, if ``gallery.space.text`` (RequestError).

        Scores of texts are lower than scores of pictures.
        """
        return self.search_like([Like(Text(text))], k, options, **words)

    @with_words
    def search_like(
        self,
        pictures: Sequence[Like],
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        *,
        limits: Limits = DEFAULT_LIMITS,
        **words: Unpack[SearchWords],
    ) -> Hits:
        """The k pictures most similar to some pictures, and least to those of negative weight.

        Pictures given by their id are not found again. Raises PictureError, UnknownPicture,
        RequestError.
        """
        k, pictures = checked_k(k), checked_likes(pictures)
        options = merged(options, words)
        generation = self.generation
        # these are not found again
        own = {like.picture for like in pictures if isinstance(like.picture, int)}
        if options.copies:
            from .copies import copies

            hits = copies(generation, self, pictures, k, options, own, limits)
        else:
            query = Vectorizer(generation, self, self.worker, limits).query(pictures)
            by_text = any(isinstance(like.picture, Text) for like in pictures)
            by_score, first = options, k
            if options.verify:  # sorted when they are verified
                from .verification.verify import FIRST, Verifier

                by_score, first = options.replace(sort=None), max(k, FIRST)
            hits = answers(generation, query[None], first, by_score, own, by_text)[0]
            if options.verify:
                verifier = Verifier(self, generation.sharing.turn, limits)
                hits = verifier.verified(pictures, hits, options.verify)[:k]
        if not hits and options.condition:
            self.must_name_known_keys(options.condition)
        if options.copies or options.verify:
            with generation.catalog.reading() as rows:
                hits = sorted_hits(rows, hits, options.sort)
        missing = generation.library.missing(hit.path for hit in hits)
        for hit in hits:
            hit.missing = hit.path in missing
        return Hits(hits, copies=options.copies)

    @with_words
    def search_vector(
        self,
        vector: ArrayLike,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        **words: Unpack[SearchWords],
    ) -> Hits:
        """The k pictures nearest to a unit vector of the gallery's space, float32 (D,)."""
        return self.search_vectors(cast(ArrayLike, [vector]), k, options, **words)[0]

    @with_words
    def search_vectors(
        self,
        vectors: ArrayLike,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        **words: Unpack[SearchWords],
    ) -> list[Hits]:
        """The hits of many queries at once: unit vectors float32 (Q, D).

        Raises RequestError, also for ``verify`` and ``copies``, which need the query's picture.
        """
        k = checked_k(k)
        options = merged(options, words)
        if options.verify:
            raise RequestError(
                "to verify hits takes the picture itself; here are only vectors", field="verify"
            )
        if options.copies:
            raise RequestError(
                "to find copies takes the picture itself; here are only vectors", field="copies"
            )
        generation = self.generation
        queries = checked_vectors(vectors, generation.space.dim)
        return self._found(generation, queries, k, options) if len(queries) else []

    def _found(
        self, generation: Generation, vectors: np.ndarray, k: int, options: SearchOptions
    ) -> list[Hits]:
        found = answers(generation, vectors, k, options)
        if options.condition and not any(found):
            self.must_name_known_keys(options.condition)
        return [Hits(hits) for hits in found]

    def duplicates(self, min_score: float = 0.95, *, copies: bool = False) -> list[DuplicateGroup]:
        """Groups of pictures with the same bytes, or that show the same, largest first.

        ``copies``: turned, mirrored, recolored and cropped ones too. Raises RequestError for an
        impossible score.
        """
        return duplicates(self, min_score, copies=copies)

    def keep_both(self, ids: Iterable[int]) -> list[int]:
        """Remember that these are no duplicates; their ids (UnknownPicture, RequestError)."""
        return keep_both(self, ids)

    # Vectors

    def vectors(self, where: Where | None = None) -> Vectors:
        """All embeddings, or those of the pictures that match a filter, in the order of ids.

        Pictures without an intact vector are left out (``kkcv doctor``). A gallery of millions
        needs gigabytes for this; ``vector_chunks`` does not. Raises RequestError.
        """
        chunks = list(self.vector_chunks(where=where))
        if not chunks:
            return Vectors(np.empty(0, np.int64), np.empty((0, self.space.dim), np.float32))
        return Vectors(*map(np.concatenate, zip(*chunks, strict=True)))

    def vector_chunks(self, size: int = CHUNK, where: Where | None = None) -> Iterator[Vectors]:
        """As ``vectors``, at most ``size`` of them at a time."""
        condition = self.condition(where)
        with self.generation.catalog.reading() as rows:
            ids = None if condition is None else rows.ids(condition)
            for some, vectors in rows.vectors(size, ids):
                yield Vectors(some, vectors)
