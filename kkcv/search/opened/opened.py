"""A gallery that is open: its engine, its network, its folders, and what closes it."""

import threading
from collections.abc import Collection
from functools import partial
from os import PathLike, fspath
from types import TracebackType
from typing import Any, Self

from kkcv.embedding.embedder import Embedder
from kkcv.embedding.gathering import Sharing
from kkcv.embedding.space import EmbeddingSpace
from kkcv.errors import RequestError
from kkcv.machine import ForkGuard
from kkcv.search.engine import WAIT_SECONDS, Catalog
from kkcv.search.engines import engine_at
from kkcv.search.library.absence import Standing, standings
from kkcv.search.library.forgetting import forget
from kkcv.search.library.library import Library
from kkcv.search.library.moving import moved_by_hand
from kkcv.worker.worker import Worker

from .generation import Generation, settings_for
from .undoing import Undone, undo

VECTOR_TYPES = ("float16", "float32")


class Opened:
    """A gallery that is open, in its current generation. Safe to use from several threads."""

    def __init__(
        self,
        address: str | PathLike[str],
        embedder: Embedder | None = None,
        *,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        """Open an existing gallery; ``create`` makes one.

        Args:
            address: a folder, or ``milvus://host:19530/name``.
            embedder: must be of the gallery's space; None loads the gallery's own when needed.
            wait_seconds: how long a change waits for another process that is writing.

        Raises:
            NotAGallery: there is none.
            GalleryFormatError: it is damaged, or of a newer kkcv.
            EmbedderMismatch: the embedder is of another space.
        """
        engine = engine_at(address).open(address, wait_seconds)
        self._start(Generation(engine, embedder))

    def _start(self, generation: Generation) -> None:
        self.address = generation.catalog.address
        self.folder = generation.folder
        self._generation = generation
        self._turning = threading.Lock()  # one thread opens the next generation
        self._fork_guard = ForkGuard()
        self.worker = Worker()

    @classmethod
    def create(
        cls,
        address: str | PathLike[str],
        embedder: Embedder | None = None,
        *,
        vectors: str = "float16",
    ) -> Self:
        """Create a gallery for an embedder's vectors, or open the existing one.

        Args:
            address: a folder, or ``milvus://host:19530/name``.
            embedder: the default network if None.
            vectors: how they are stored, float16 or float32; float16 takes half the space and
                changes a score by less than 0.001.

        Raises:
            NotAGallery: the folder holds other things.
            EmbedderMismatch: an existing gallery has another embedding space.
            RequestError: ``vectors`` is something else.
        """
        if vectors not in VECTOR_TYPES:
            raise RequestError(f"vectors are {' or '.join(VECTOR_TYPES)}, not {vectors!r}")
        engine = engine_at(address)
        engine.must_be_free(address)
        embedder = embedder or Embedder()
        made = engine.create(address, settings_for(embedder, vectors))
        return cls.of(Generation(made, embedder))

    @classmethod
    def of(cls, generation: Generation) -> Self:
        """The gallery of a generation, which it goes on from."""
        gallery = cls.__new__(cls)
        gallery._start(generation)
        return gallery

    @classmethod
    def open(
        cls,
        address: str | PathLike[str],
        embedder: Embedder | None = None,
        *,
        wait_seconds: float = WAIT_SECONDS,
    ) -> Self:
        """Open an existing gallery, as ``Gallery(address)`` does."""
        return cls(address, embedder, wait_seconds=wait_seconds)

    def close(self) -> None:
        """Close the files. Acknowledged changes are on the disk already."""
        self._generation.catalog.close()
        self.worker.close()

    def __enter__(self) -> Self:
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
        return partial(type(self), wait_seconds=wait_seconds), (self.address,)

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
    def library(self) -> Library:
        """The folders that were indexed, and where they are now."""
        return self.generation.library

    @property
    def space(self) -> EmbeddingSpace:
        return self.generation.space

    @property
    def embedder(self) -> Embedder:
        """The embedder of the vectors, loaded at first use (WeightsError, EmbedderMismatch)."""
        return self.generation.embedder

    def share(self, sharing: Sharing) -> None:
        """Set how requests share the embedder, also that of later generations."""
        self.generation.share(sharing)

    # The folders that were indexed (docs/library.md)

    def roots(self) -> list[Standing]:
        """Each folder that was indexed, as it is now, and which of its pictures are missing."""
        with self.catalog.reading() as rows:
            return standings(self.library, rows.pictures())

    def move_root(
        self, old: str | PathLike[str], new: str | PathLike[str], *, insist: bool = False
    ) -> int:
        """Call the folder ``old`` ``new`` from now on; how many pictures are below it.

        Raises RequestError where there is nothing to move or nowhere to go; without ``insist`` also
        if none of the pictures is in ``new``.
        """
        return moved_by_hand(self.library, fspath(old), fspath(new), insist)

    def forget_root(self, folder: str | PathLike[str]) -> int:
        """Take a folder and its pictures out of the gallery; how many (RequestError)."""
        return forget(self.library, self.library.named(folder))

    def undo(self, only: Collection[int] | None = None, by: float | None = None) -> Undone:
        """Take back the last removal or description of several pictures.

        Their ids, vectors and metadata return. Raises RequestError if there is nothing to undo, the
        network was changed since, or it was another change than the one that is meant.

        Args:
            only: the ids of the pictures of the change that is meant; None: of any.
            by: the latest time at which it may have been done, in seconds since 1970; None: any.
        """
        return undo(self.library, only, by)
