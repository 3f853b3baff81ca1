"""A gallery holds pictures' embeddings and finds the most alike.

It is in a folder, or on a Milvus server (docs/milvus.md); a folder has

gallery/
├── catalog.sqlite   a row a picture with its vector: the source of truth (catalog.py)
├── index/           a Faiss index made from it, when the gallery is large (index/snapshot.py)
├── pictures/        files that were added as bytes
└── rejects.csv      what the last import skipped, with reasons
"""

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from kkcv.disk import absolute
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.gathering import Sharing
from kkcv.embedding.space import EmbeddingSpace
from kkcv.errors import (
    AlreadyThere,
    FileMissing,
    PictureError,
    RequestError,
    UnknownPicture,
)
from kkcv.forks import ForkGuard
from kkcv.hit import Hit
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.images.source import Source, read_bytes
from kkcv.query import Like, Text, whole
from kkcv.worker.worker import Worker

from .answer import RANKING, answers
from .engine import WAIT_SECONDS, Catalog, Index
from .engines import engine_at
from .generation import Generation, settings_for
from .options import DEFAULTS, OPTIONS, SearchOptions, merged
from .picture import LARGEST_ID, Picture
from .query import checked_k, checked_vectors, combined
from .ranking.names import PLAIN
from .stored import delete_stored, store
from .verification.verifier import Verifier
from .verification.verify import FIRST
from .where import parse as parse_where

VECTOR_TYPES = ("float16", "float32")


class Gallery:
    """Pictures that can be searched by a picture. Safe to use from several threads.

    ``Gallery.create(address, embedder)`` makes one, ``Gallery.open(address)`` opens one; the
    embedder of an opened gallery is loaded when it is first needed. An address is that of a folder,
    or such as ``milvus://host:19530/name`` (engines.py).
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
        """A new gallery for an embedder's vectors, or the one that is there already.

        ``vectors`` is the type they are stored in: float16 takes half the room and moves a score by
        less than 0.001.

        Raises EmbedderMismatch when the gallery that is there has another space, RequestError.
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
        """An existing gallery (NotAGallery, GalleryFormatError, EmbedderMismatch).

        ``wait_seconds`` is how long a change waits for another process that is writing.
        """
        return cls(Generation(engine_at(address).open(address, wait_seconds), embedder))

    def close(self) -> None:
        """Let go of the files. Everything that was acknowledged is on the disk already."""
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
        """To another process its address is sent, and it is opened there."""
        wait_seconds = self._generation.catalog.wait_seconds
        return partial(Gallery.open, wait_seconds=wait_seconds), (self.address,)

    def __len__(self) -> int:
        with self.catalog.reading() as rows:
            return rows.count()

    @property
    def generation(self) -> Generation:
        """What the gallery is now; the next one when its space was changed, by whomever."""
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
    def live(self) -> Index:
        return self.generation.live

    @property
    def embedder(self) -> Embedder:
        """What made the vectors, loaded at first use (WeightsError, EmbedderMismatch)."""
        return self.generation.embedder

    def share(self, sharing: Sharing) -> None:
        """Set how requests share the embedder, this one and those of later generations."""
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
        """The k pictures most like this one (path, bytes, file, Pillow image), nearest first.

        ``options`` say what may be found and in which order; ``words`` are options by their names:
        ``where=…``, ``min_score=…`` and the other fields of SearchOptions.

        Raises PictureError, RequestError for a k that is not 1 to 1000 or a filter that is none.
        """
        return self.search_like([Like(picture)], k, options, limits=limits, **words)

    def search_id(
        self, id: int, k: int = 10, options: SearchOptions = DEFAULTS, **words: Any
    ) -> list[Hit]:
        """The k pictures most like one of the gallery, without itself (UnknownPicture)."""
        return self.search_like([Like(id)], k, options, **words)

    def search_text(
        self, text: str, k: int = 10, options: SearchOptions = DEFAULTS, **words: Any
    ) -> list[Hit]:
        """The k pictures that look most like what a text says, where the network reads.

        ``gallery.space.text`` tells whether it does. Scores of texts are lower than those of
        pictures.

        Raises RequestError.
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
        """The k pictures most like some and unlike others, without those of them that have ids.

        Raises PictureError, UnknownPicture, RequestError.
        """
        k = checked_k(k)
        options = merged(options, words)
        generation = self.generation
        vectors = np.stack([self._vector_of(generation, like, limits) for like in pictures])
        query = combined(vectors, [like.weight for like in pictures])
        own = {like.picture for like in pictures if isinstance(like.picture, int)}
        if not options.verify:
            return answers(generation, query[None], k, options, own)[0]
        hits = answers(generation, query[None], max(k, FIRST), options, own)[0]
        verifier = Verifier(self, generation.sharing.turn, limits)
        return verifier.verified(pictures, hits, options.verify)[:k]

    def search_vector(
        self,
        vector: ArrayLike,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        **words: Any,
    ) -> list[Hit]:
        """The k pictures nearest to a unit vector of the gallery's space, float32 (D,).

        Raises RequestError.
        """
        return self.search_vectors(cast(ArrayLike, [vector]), k, options, **words)[0]

    def search_vectors(
        self,
        vectors: ArrayLike,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        **words: Any,
    ) -> list[list[Hit]]:
        """The answers to many queries, unit vectors float32 (Q, D), in one go.

        Raises RequestError; also where pictures are to be verified, for there are only vectors.
        """
        k = checked_k(k)
        options = merged(options, words)
        if options.verify:
            raise RequestError(
                "to verify hits takes the picture itself; here are only vectors", field="verify"
            )
        generation = self.generation
        return answers(generation, checked_vectors(vectors, generation.space.dim), k, options)

    @property
    def ranking(self) -> str:
        """The order of answers where a search names none."""
        with self.catalog.reading() as rows:
            return rows.setting(RANKING, PLAIN)

    def rank_by(self, name: str) -> None:
        """From now on this order, in all processes, where a search names none (RequestError)."""
        OPTIONS["ranking"].check(name)
        with self.catalog.writing() as writer:
            writer.set(RANKING, name)

    def count(self, where: str | None = None) -> int:
        """How many pictures there are, or match a filter."""
        with self.catalog.reading() as rows:
            return rows.count() if where is None else len(rows.ids(parse_where(where)))

    def get(self, id: int) -> Picture:
        """What the catalog knows of a picture (UnknownPicture)."""
        id = self._known(id)
        with self.catalog.reading() as rows:
            picture = rows.picture(id)
        if picture is None:
            raise self._unknown(id)
        return picture

    def find(self, id_or_path: str) -> Picture:
        """A picture by its id, as ``17`` or ``id:17``, or by its file's path (UnknownPicture)."""
        id = id_or_path.removeprefix("id:")
        if id.isascii() and id.isdecimal():
            return self.get(int(id[:20]))  # one digit more than the largest id
        with self.catalog.reading() as rows:
            picture = rows.by_path(str(absolute(id_or_path)))
        if picture is None:
            raise UnknownPicture(f"no picture of {id_or_path} in {self.address}")
        return picture

    def pictures(self) -> Iterator[Picture]:
        """All pictures, in the order of their ids."""
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
        """Up to ``limit`` pictures after an id, in the order of ids; ``newest``: against it.

        ``where`` is a filter (RequestError).
        """
        with self.catalog.reading() as rows:
            if where is None:
                return rows.page(limit, after, newest)
            ids = rows.ids(parse_where(where))
            if after is not None:
                ids = ids[ids < after] if newest else ids[ids > after]
            wanted = (ids[::-1] if newest else ids)[:limit].tolist()
            found = {picture.id: picture for picture in rows.pictures(wanted)}
        return [found[id] for id in wanted if id in found]

    def path(self, picture: Picture) -> Path:
        """The absolute path of a picture's file."""
        return self.folder / picture.file.path  # an absolute path stays what it is

    def read(self, picture: Picture) -> bytes:
        """The bytes of a picture's file, as they were indexed, and never those of another file.

        The file may have become a link to something private since then; so the bytes are given
        only when their hash is the catalog's (FileMissing).
        """
        try:
            data = read_bytes(self.path(picture))
        except PictureError:
            data = b""
        if hashlib.sha256(data).digest() != picture.file.sha256:
            raise FileMissing(
                f"the file of picture {picture.id} has gone or changed since it was indexed; "
                "index its folder again, or remove the picture"
            )
        return data

    def stats(self) -> dict[str, Any]:
        """Figures of the gallery as plain values."""
        with self.catalog.reading() as rows:
            totals = rows.totals()
        return {
            "gallery": self.address,
            "pictures": totals.pictures,
            "stored": totals.stored,
            "picture_bytes": totals.bytes,
            "catalog_bytes": self.catalog.size_on_disk(),
            "network": self.space.network,
            "dim": self.space.dim,
            "vectors": self.catalog.settings["vectors"],
            "fingerprint": self.space.fingerprint,
            "preprocess": self.space.preprocess.to_dict(),
            "ranking": self.ranking,
            "index": self.live.describe(),
        }

    # Changing

    def add(
        self,
        picture: Source,
        metadata: Mapping[str, Any] | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Picture:
        """Embed a picture and keep its bytes in the gallery; found by the next search.

        The same bytes twice are one picture: the first is returned, its metadata as it was.

        Raises PictureError, GalleryLocked, Superseded.
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
            id = writer.add(store(self.folder, data, sha256), vector, metadata or {})
        return self.get(id), True

    def replace(
        self,
        id: int,
        picture: Source,
        metadata: Mapping[str, Any] | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Picture:
        """Another picture under the same id; without ``metadata`` it keeps what it had.

        Raises PictureError, UnknownPicture, AlreadyThere, GalleryLocked, Superseded.
        """
        id = self._known(id)
        data = read_bytes(picture, limits)
        sha256 = hashlib.sha256(data).digest()
        generation = self.generation
        same = self.get(id).file.sha256 == sha256
        vector = None if same else generation.embedder.embed_picture(data, limits)
        with generation.catalog.writing() as writer:
            old = writer.picture(id)
            if old is None:
                raise self._unknown(id)
            if vector is not None:
                for other in writer.by_sha256(sha256):
                    if other.id != id:
                        raise AlreadyThere(f"the gallery has this picture, with id {other.id}")
                writer.update(id, file=store(self.folder, data, sha256), vector=vector)
            if metadata is not None:
                writer.update(id, metadata=metadata)
        if old.file.sha256 != sha256:
            delete_stored(self.catalog, [old])
        return self.get(id)

    def describe(self, id: int, metadata: Mapping[str, Any]) -> Picture:
        """Other metadata for a picture, in place of what it had (UnknownPicture)."""
        id = self._known(id)
        with self.catalog.writing() as writer:
            if writer.picture(id) is None:
                raise self._unknown(id)
            writer.update(id, metadata=metadata)
        return self.get(id)

    def remove(self, ids: Iterable[int]) -> list[int]:
        """Forget pictures; files that the gallery stored are deleted, others never touched.

        Returns the ids that were there (RequestError for what are no ids).
        """
        if isinstance(ids, str | bytes) or not isinstance(ids, Iterable):
            raise RequestError(f"ids are a list of whole numbers, such as [17], got {ids!r:.60}")
        wanted = [id for id in map(whole, ids) if 0 < id <= LARGEST_ID]
        with self.catalog.writing() as writer:
            gone = list(writer.pictures(wanted))
            removed = [id for id in wanted if writer.remove(id)]
        delete_stored(self.catalog, gone)
        return removed

    # Within

    def _vector_of(self, generation: Generation, like: Like, limits: Limits) -> np.ndarray:
        """The unit vector of a picture, or of a region of it, float32 (D,)."""
        picture = like.picture
        if isinstance(picture, int):
            self._known(picture)
        if isinstance(picture, Text):
            return self._vector_of_text(generation, picture.text)
        if isinstance(picture, int) and like.region is not None:
            picture = self.read(self.get(picture))
        if isinstance(picture, int):
            with generation.catalog.reading() as rows:
                vector = None if rows.superseded() else rows.vector(picture)
            if vector is None:
                raise self._unknown(picture)
            return vector
        part = None if like.region is None else like.region.of
        return generation.projected(generation.embedder.embed_picture(picture, limits, part))

    def _vector_of_text(self, generation: Generation, text: str) -> np.ndarray:
        """The unit vector of a text in the space of the pictures, float32 (D,)."""
        if not generation.space.text:
            raise RequestError(
                f"{self.address} was made by {generation.space.network}, which reads no text; "
                "a network of open_clip: or transformers: may (kkcv reindex --model)"
            )
        if not text.strip():
            raise RequestError("the text to search for is empty")
        settings = generation.catalog.settings
        model = settings["model"], settings["weights"]
        return generation.projected(self.worker.embed_texts(model, [text])[0])

    def _known(self, id: int) -> int:
        """An id that a picture could have (UnknownPicture, RequestError)."""
        if not 0 < whole(id) <= LARGEST_ID:
            raise self._unknown(id)
        return int(id)

    def _unknown(self, id: int) -> UnknownPicture:
        return UnknownPicture(f"no picture with id {id} in {self.address}")
