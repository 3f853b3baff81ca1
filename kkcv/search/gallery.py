"""A gallery holds embeddings of pictures and finds the most similar pictures.

It is kept by an engine (engines.py). In a folder it looks like this:

gallery/
├── catalog.sqlite   a row for each picture with its vector: the source of truth (folder/catalog.py)
├── index/           a Faiss index of a large gallery, derived from the catalog (index/snapshot.py)
├── pictures/        files that were added as bytes (files.py)
├── local/           local features of verified pictures, derived (verification/store.py)
├── chance.json      how often chance makes a score, derived (chance/store.py)
└── rejects.csv      the files that the last import skipped, with reasons (importing.py)
"""

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from numpy.typing import ArrayLike

from kkcv.disk import absolute
from kkcv.embedding import terms
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.gathering import Sharing
from kkcv.embedding.space import EmbeddingSpace
from kkcv.errors import (
    AlreadyThere,
    RequestError,
    UnknownPicture,
)
from kkcv.forks import ForkGuard
from kkcv.hit import Hit
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.images.source import Source, read_bytes
from kkcv.query import Like, Text, whole
from kkcv.worker.worker import Worker

from . import files
from .answer import RANKING, answers
from .engine import WAIT_SECONDS, Catalog, Index
from .engines import engine_at
from .expression import parse as parse_where
from .files import delete_stored, store
from .generation import Generation, settings_for
from .keys import known_keys, must_name_known_keys
from .metadata import storable
from .options import DEFAULTS, OPTIONS, SearchOptions, merged
from .picture import LARGEST_ID, Picture, check_id, unknown
from .query import Vectorizer, checked_k, checked_vectors
from .ranking.names import PLAIN
from .verification.verify import FIRST, Verifier
from .where import Condition

VECTOR_TYPES = ("float16", "float32")


class Gallery:
    """Pictures that can be searched by a picture. Safe to use from several threads.

    ``Gallery.create(address, embedder)`` makes one, ``Gallery.open(address)`` opens one; the
    embedder of an opened gallery is loaded when it is first needed. An address is a folder, or
    ``milvus://host:19530/name``.
    """

    def __init__(self, generation: Generation) -> None:
        self.address = generation.catalog.address
        self.folder = generation.folder
        self._generation = generation
        self._turning = threading.Lock()
        self._fork_guard = ForkGuard()
        self.worker = Worker()

    @classmethod
    def create(
        cls,
        address: str | PathLike[str],
        embedder: Embedder | None = None,
        *,
        vectors: str = "float16",
    ) -> "Gallery":
        """Create a gallery for an embedder's vectors, or open the existing one.

        Args:
            address: a folder, or ``milvus://host:19530/name``.
            embedder: the default network if None.
            vectors: how they are stored, float16 or float32; float16 takes half the space and
                changes a score by less than 0.001.

        Raises:
            EmbedderMismatch: an existing gallery has another embedding space.
            RequestError: ``vectors`` is something else.
        """
        if vectors not in VECTOR_TYPES:
            raise RequestError(f"vectors are {' or '.join(VECTOR_TYPES)}, not {vectors!r}")
        embedder = embedder or Embedder.load()
        engine = engine_at(address).create(address, settings_for(embedder, vectors))
        return cls(Generation(engine, embedder))

    @classmethod
    def open(
        cls,
        address: str | PathLike[str],
        embedder: Embedder | None = None,
        *,
        wait_seconds: float = WAIT_SECONDS,
    ) -> "Gallery":
        """Open an existing gallery.

        Args:
            address: a folder, or ``milvus://host:19530/name``.
            embedder: must be of the gallery's space; None loads the gallery's own when needed.
            wait_seconds: how long a change waits for another process that is writing.

        Raises:
            NotAGallery: there is none.
            GalleryFormatError: it is damaged, or of a newer kkcv.
            EmbedderMismatch: the embedder is of another space.
        """
        return cls(Generation(engine_at(address).open(address, wait_seconds), embedder))

    def close(self) -> None:
        """Close the files. Acknowledged changes are on the disk already."""
        self._generation.catalog.close()
        self.worker.close()

    def __enter__(self) -> "Gallery":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled as its address: another process opens it there."""
        wait_seconds = self._generation.catalog.wait_seconds
        return partial(Gallery.open, wait_seconds=wait_seconds), (self.address,)

    def __len__(self) -> int:
        with self.catalog.reading() as rows:
            return rows.count()

    @property
    def generation(self) -> Generation:
        """The current generation: a new one after any process has changed the network."""
        self._fork_guard.require_own_process("a gallery that is open")
        generation = self._generation
        with generation.catalog.reading() as rows:
            if not rows.superseded():
                return generation
        with self._turning:
            if self._generation is generation:
                wait_seconds = generation.catalog.wait_seconds
                engine = engine_at(self.address).open(self.address, wait_seconds)
                self._generation = generation.next(engine)
            return self._generation

    @property
    def catalog(self) -> Catalog:
        return self.generation.catalog

    @property
    def space(self) -> EmbeddingSpace:
        return self.generation.space

    @property
    def index(self) -> Index:
        return self.generation.index

    @property
    def embedder(self) -> Embedder:
        """The embedder of the vectors, loaded at first use (WeightsError, EmbedderMismatch)."""
        return self.generation.embedder

    def share(self, sharing: Sharing) -> None:
        """Set how requests share the embedder, also that of later generations."""
        self.generation.share(sharing)

    # Asking

    def search(
        self,
        picture: Source,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        *,
        limits: Limits = DEFAULT_LIMITS,
        **words: Any,
    ) -> list[Hit]:
        """The k most similar pictures, most similar first.

        Args:
            picture: a path, bytes, a file object or a Pillow image.
            k: from 1 to 1000.
            options: what may be found, and in which order.
            limits: on bytes and pixels of the picture.
            words: single options by name, such as ``where="year > 2020"`` or ``min_score=0.5``.

        Raises:
            PictureError: the picture cannot be read.
            RequestError: an invalid k, filter or option.
        """
        return self.search_like([Like(picture)], k, options, limits=limits, **words)

    def search_id(
        self, id: int, k: int = 10, options: SearchOptions = DEFAULTS, **words: Any
    ) -> list[Hit]:
        """The k pictures most similar to one of the gallery, without itself (UnknownPicture)."""
        return self.search_like([Like(id)], k, options, **words)

    def search_text(
        self, text: str, k: int = 10, options: SearchOptions = DEFAULTS, **words: Any
    ) -> list[Hit]:
        """The k pictures that best match a text, if ``gallery.space.text`` (RequestError).

        Scores of texts are lower than scores of pictures.
        """
        return self.search_like([Like(Text(text))], k, options, **words)

    def search_like(
        self,
        pictures: Sequence[Like],
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        *,
        limits: Limits = DEFAULT_LIMITS,
        **words: Any,
    ) -> list[Hit]:
        """The k pictures most similar to some pictures, and least to those of negative weight.

        Pictures given by their id are not found again. Raises PictureError, UnknownPicture,
        RequestError.
        """
        k = checked_k(k)
        options = merged(options, words)
        generation = self.generation
        query = Vectorizer(generation, self, self.worker, limits).query(pictures)
        own = {like.picture for like in pictures if isinstance(like.picture, int)}
        first = max(k, FIRST) if options.verify else k
        hits = answers(generation, query[None], first, options, own)[0]
        if not hits and options.condition:
            self._must_name_known_keys(options.condition)
        if not options.verify:
            return hits
        verifier = Verifier(self, generation.sharing.turn, limits)
        return verifier.verified(pictures, hits, options.verify)[:k]

    def search_vector(
        self,
        vector: ArrayLike,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        **words: Any,
    ) -> list[Hit]:
        """The k pictures nearest to a unit vector of the gallery's space, float32 (D,)."""
        return self.search_vectors(cast(ArrayLike, [vector]), k, options, **words)[0]

    def search_vectors(
        self,
        vectors: ArrayLike,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        **words: Any,
    ) -> list[list[Hit]]:
        """The hits of many queries at once: unit vectors float32 (Q, D).

        Raises RequestError, also for ``verify``, which needs the query's picture.
        """
        k = checked_k(k)
        options = merged(options, words)
        if options.verify:
            raise RequestError(
                "to verify hits takes the picture itself; here are only vectors", field="verify"
            )
        generation = self.generation
        queries = checked_vectors(vectors, generation.space.dim)
        found = answers(generation, queries, k, options)
        if options.condition and not any(found):
            self._must_name_known_keys(options.condition)
        return found

    @property
    def ranking(self) -> str:
        """The ranking of searches that name none."""
        with self.catalog.reading() as rows:
            return rows.setting(RANKING, PLAIN)

    def rank_by(self, name: str) -> None:
        """Set the ranking of searches that name none, in all processes (RequestError)."""
        OPTIONS["ranking"].check(name)
        with self.catalog.writing() as writer:
            writer.set(RANKING, name)

    def count(self, where: str | None = None) -> int:
        """The number of pictures, or of those that match a filter (RequestError)."""
        condition = parse_where(where) if where else None
        with self.catalog.reading() as rows:
            count = rows.count(condition)
        if condition and not count:
            self._must_name_known_keys(condition)
        return count

    def get(self, id: int) -> Picture:
        """A picture by its id (UnknownPicture)."""
        id = check_id(id, self.address)
        with self.catalog.reading() as rows:
            picture = rows.picture(id)
        if picture is None:
            raise unknown(id, self.address)
        return picture

    def get_many(self, ids: Iterable[int]) -> list[Picture]:
        """Those of these pictures that there are, in this order."""
        wanted = list(ids)
        with self.catalog.reading() as rows:
            found = {picture.id: picture for picture in rows.pictures(wanted)}
        return [found[id] for id in wanted if id in found]

    def find(self, id_or_path: str) -> Picture:
        """A picture by its id, ``"17"`` or ``"id:17"``, or by its path (UnknownPicture)."""
        id = id_or_path.removeprefix("id:")
        if id.isascii() and id.isdecimal():
            return self.get(int(id[:20]))  # one digit more than the largest id
        with self.catalog.reading() as rows:
            picture = rows.by_path(str(absolute(id_or_path)))
        if picture is None:
            raise UnknownPicture(f"no picture of {id_or_path} in {self.address}")
        return picture

    def pictures(self) -> Iterator[Picture]:
        """All pictures, in the order of ids."""
        with self.catalog.reading() as rows:
            yield from rows.pictures()

    def page(
        self,
        limit: int,
        after: int | None = None,
        *,
        newest: bool = False,
        where: str | None = None,
    ) -> list[Picture]:
        """One page of pictures.

        Args:
            limit: at most so many pictures.
            after: the last id of the previous page.
            newest: largest ids first.
            where: a filter (RequestError).
        """
        condition = parse_where(where) if where else None
        with self.catalog.reading() as rows:
            found = rows.page(limit, after, newest, condition)
        if condition and not found and after is None:
            self._must_name_known_keys(condition)
        return found

    def keys(self) -> list[str]:
        """The keys of the metadata, as filters name them, of at most 2000 pictures."""
        with self.catalog.reading() as rows:
            return known_keys(rows)

    def _must_name_known_keys(self, condition: Condition) -> None:
        """Raises RequestError for a filter without matches that misspells a key."""
        with self.catalog.reading() as rows:
            if not rows.count(condition):
                must_name_known_keys(rows, condition)

    def path(self, picture: Picture) -> Path:
        """The absolute path of a picture's file."""
        return self.folder / picture.file.path  # an absolute path stays what it is

    def read(self, picture: Picture) -> bytes:
        """The bytes of a picture as they were indexed.

        Raises FileMissing if the file has gone, changed, or become another one.
        """
        return files.read(self.folder, picture)

    def stats(self) -> dict[str, Any]:
        """Sizes, network and index of the gallery, as plain values for JSON."""
        with self.catalog.reading() as rows:
            totals = rows.totals()
        return {
            "gallery": self.address,
            "pictures": totals.pictures,
            "stored": totals.stored,
            "picture_bytes": totals.bytes,
            "catalog_bytes": self.catalog.size_on_disk(),
            "network": self.space.network,
            **terms.facts(self.catalog.settings["model"]),
            "dim": self.space.dim,
            "vectors": self.catalog.settings["vectors"],
            "fingerprint": self.space.fingerprint,
            "preprocess": self.space.preprocess.to_dict(),
            "ranking": self.ranking,
            "index": self.index.describe(),
        }

    # Changing

    def add(
        self,
        picture: Source,
        metadata: Mapping[str, Any] | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Picture:
        """Embed a picture and keep its bytes in the gallery; the next search finds it.

        If the gallery has the same bytes already, that picture is returned unchanged.

        Args:
            picture: a path, bytes, a file object or a Pillow image.
            metadata: anything that JSON can hold, up to 16,384 characters of it.
            limits: on bytes and pixels of the picture.

        Raises:
            PictureError: the picture cannot be read.
            RequestError: the metadata cannot be kept.
            GalleryLocked: another process is writing for too long.
            Superseded: the network was changed meanwhile; try again.
        """
        return self.find_or_add(picture, metadata, limits=limits)[0]

    def find_or_add(
        self,
        picture: Source,
        metadata: Mapping[str, Any] | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
    ) -> tuple[Picture, bool]:
        """As ``add``, and whether the picture is new."""
        described = storable(metadata)
        data = read_bytes(picture, limits)
        sha256 = hashlib.sha256(data).digest()
        generation = self.generation
        with generation.catalog.reading() as rows:
            for known in rows.by_sha256(sha256):
                return known, False
        vector = generation.embedder.embed_picture(data, limits)
        with generation.catalog.writing() as writer:
            for known in writer.by_sha256(sha256):  # another thread was faster
                return known, False
            id = writer.add(store(self.folder, data, sha256), vector, described)
        return self.get(id), True

    def replace(
        self,
        id: int,
        picture: Source,
        metadata: Mapping[str, Any] | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Picture:
        """Put another picture under the same id; ``metadata=None`` keeps the metadata.

        Raises UnknownPicture, AlreadyThere if the gallery has these bytes under another id, and as
        ``add`` does.
        """
        id = check_id(id, self.address)
        described = None if metadata is None else storable(metadata)
        data = read_bytes(picture, limits)
        sha256 = hashlib.sha256(data).digest()
        generation = self.generation
        same = self.get(id).file.sha256 == sha256
        vector = None if same else generation.embedder.embed_picture(data, limits)
        with generation.catalog.writing() as writer:
            old = writer.picture(id)
            if old is None:
                raise unknown(id, self.address)
            if vector is not None:
                for other in writer.by_sha256(sha256):
                    if other.id != id:
                        raise AlreadyThere(f"the gallery has this picture, with id {other.id}")
                writer.update(id, file=store(self.folder, data, sha256), vector=vector)
            if described is not None:
                writer.update(id, metadata=described)
        if old.file.sha256 != sha256:
            delete_stored(self.catalog, [old])
        return self.get(id)

    def describe(self, id: int, metadata: Mapping[str, Any]) -> Picture:
        """Replace the metadata of a picture (UnknownPicture, RequestError)."""
        id = check_id(id, self.address)
        described = storable(metadata)
        with self.catalog.writing() as writer:
            if writer.picture(id) is None:
                raise unknown(id, self.address)
            writer.update(id, metadata=described)
        return self.get(id)

    def remove(self, ids: Iterable[int]) -> list[int]:
        """Remove pictures; the ids that existed (RequestError).

        Of their files only those in the gallery's own folder are deleted.
        """
        if isinstance(ids, str | bytes) or not isinstance(ids, Iterable):
            raise RequestError(f"ids are a list of whole numbers, such as [17], got {ids!r:.60}")
        wanted = [id for id in map(whole, ids) if 0 < id <= LARGEST_ID]
        with self.catalog.writing() as writer:
            gone = list(writer.pictures(wanted))
            removed = [id for id in wanted if writer.remove(id)]
        delete_stored(self.catalog, gone)
        return removed
