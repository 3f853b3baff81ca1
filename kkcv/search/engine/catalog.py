"""The rows of a gallery, in transactions: what an engine must keep, and what it may do better."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from itertools import islice
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from kkcv.embedding import windows
from kkcv.errors import GalleryLocked, NotAGallery
from kkcv.search.filters.conditions import Condition, matches
from kkcv.search.picture import UNKEPT, Picture, PictureFile, Stamp, Totals

from .entries import Shape
from .kept import Kept
from .projection import Projection

WAIT_SECONDS = 30.0  # for another process that is writing
CHUNK = 4096  # vectors in memory at once
Vectors = Iterator[tuple[np.ndarray, np.ndarray]]  # ids int64 (n,) and their float32 (n, D)


def by_id(vectors: Vectors) -> dict[int, np.ndarray]:
    """Each vector, float32 (D,), by its id."""
    return {id: row for ids, rows in vectors for id, row in zip(ids.tolist(), rows, strict=True)}


class Reader(ABC):
    """Questions inside ``Catalog.reading``."""

    def __init__(self, shape: Shape, projection: Projection | None = None) -> None:
        """Vectors are read through the ``projection``, which changes their dimension."""
        self.shape = shape
        self.dim = projection.dim if projection else shape.whole
        self.projection = projection

    def superseded(self) -> bool:
        """Whether the vectors are another network's than when the catalog was opened."""
        return False

    @abstractmethod
    def setting(self, name: str, default: str = "") -> str: ...

    @abstractmethod
    def pictures(self, ids: Iterable[int] | None = None) -> Iterator[Picture]:
        """The existing pictures with these ids, or all pictures, in the order of ids."""

    @abstractmethod
    def stored_vectors(self, chunk: int = CHUNK, ids: np.ndarray | None = None) -> Vectors:
        """The rows as the network made them, all or those of ``ids``, in the order of ids.

        A row is the vector of the picture, and behind it those of its parts, if there are any.
        At most ``chunk`` at a time. Pictures without an intact row are left out.
        """

    def count(self, where: Condition | None = None) -> int:
        return len(self.ids(where))

    def totals(self) -> Totals:
        files = [picture.file for picture in self.pictures()]
        return Totals(len(files), sum(f.stored for f in files), sum(f.bytes for f in files))

    def picture(self, id: int) -> Picture | None:
        return next(self.pictures([id]), None)

    def shown(self, ids: np.ndarray) -> dict[int, tuple[str, dict[str, Any]]]:
        """Path, as in PictureFile, and metadata by id."""
        return {p.id: (p.file.path, p.metadata) for p in self.pictures(ids.tolist())}

    def page(
        self, limit: int, after: int | None, newest: bool, where: Condition | None = None
    ) -> list[Picture]:
        """Up to ``limit`` pictures after an id, in the order of ids or, ``newest``, against it."""
        ids = self.ids(where)
        if after is not None:
            ids = ids[ids < after] if newest else ids[ids > after]
        found = self.pictures((ids[::-1] if newest else ids)[:limit].tolist())
        return sorted(found, key=lambda picture: picture.id, reverse=newest)

    def by_path(self, path: str) -> Picture | None:
        return next((p for p in self.pictures() if p.file.path == path), None)

    def by_sha256(self, sha256: bytes, limit: int | None = None) -> list[Picture]:
        """The pictures with these bytes, in the order of ids; the first ``limit``."""
        return list(islice((p for p in self.pictures() if p.file.sha256 == sha256), limit))

    def stamp(self, id: int) -> Stamp | None:
        """The stamp of a picture's file; None if it is to be marked, ``UNKEPT`` if it cannot be."""
        return UNKEPT

    def ids(self, where: Condition | None = None) -> np.ndarray:
        """All ids, or those that match a filter, ascending: int64 (N,)."""
        found = (p.id for p in self.pictures() if where is None or matches(where, p))
        return np.fromiter(found, np.int64)

    def kept(self) -> Iterator[Picture]:
        """The pictures as they were before what can be undone."""
        return iter(())

    def vectors(self, chunk: int = CHUNK, ids: np.ndarray | None = None) -> Vectors:
        """The vectors of whole pictures, in the gallery's space: through the projection."""
        for some, rows in self.stored_vectors(chunk, ids):
            yield some, self.whole(rows)

    def whole(self, rows: np.ndarray) -> np.ndarray:
        """The vectors of whole pictures in stored rows: (N, row) → float32 (N, D)."""
        vectors = rows[:, : self.shape.whole]
        return self.projection(vectors) if self.projection else vectors

    def parts(self, rows: np.ndarray) -> np.ndarray:
        """The vectors of the parts in stored rows: (N, row) → float32 (N, 5, 256)."""
        return windows.parts_of(rows, self.shape.whole)

    def row(self, id: int) -> np.ndarray | None:
        """One row as the network made it, float32 (row,), or None."""
        for _, (row,) in self.stored_vectors(ids=np.array([id])):
            return row
        return None

    def vectors_of(self, ids: np.ndarray) -> np.ndarray:
        """The vectors of ids, float32 (N, D), in the order of ``ids``; zeros for a missing one."""
        found = np.zeros((len(ids), self.dim), np.float32)
        order = np.argsort(ids)
        for some, vectors in self.vectors(ids=ids):
            found[order[np.searchsorted(ids, some, sorter=order)]] = vectors
        return found

    def vector(self, id: int) -> np.ndarray | None:
        """One vector, float32 (D,), or None."""
        row = self.row(id)
        return None if row is None else self.whole(row[np.newaxis])[0]


class Writer(Reader):
    """Questions and changes inside ``Catalog.writing``. It reads its own changes."""

    @abstractmethod
    def add(
        self,
        file: PictureFile,
        vector: np.ndarray,
        metadata: Mapping[str, Any],
        added: float | None = None,
    ) -> int:
        """Add a row; its id, which was never used before.

        ``added`` is in seconds since 1970, UTC; None means now.
        """

    @abstractmethod
    def update(
        self,
        id: int,
        *,
        file: PictureFile | None = None,
        vector: np.ndarray | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Replace the given parts of a row."""

    def mark(self, id: int, stamp: Stamp) -> None:
        """Keep the stamp of a row's file, if the engine can."""

    @abstractmethod
    def remove(self, id: int) -> bool:
        """Remove a row; False if there is none."""

    @abstractmethod
    def set(self, name: str, value: str | None) -> None:
        """Change a setting, or delete it with None."""

    def keep(self, kept: Kept, ids: Iterable[int]) -> bool:
        """Keep rows as they are now, so that what is about to be done to them can be undone.

        They replace those that were kept before. False if the engine cannot. Its setting
        ``kept.SETTING`` has the record from then on.
        """
        return False

    @property
    def epoch(self) -> str:
        """Another text after each change of network, for an engine that can ``keep``."""
        return ""

    def put_back(self, id: int) -> None:
        """Add a row that is kept, as it was, where there is none with its id or path."""
        raise NotImplementedError

    def forget(self) -> None:
        """Keep no rows for an undo any more, where the engine can."""

    def expect(self, files: Iterable[PictureFile]) -> None:
        """Announce files that ``by_path`` and ``by_sha256`` will be asked for, to fetch at once."""


class Catalog(ABC):
    """The rows of a gallery.

    ``address`` is what Gallery takes, ``folder`` holds the files beside the rows, and
    ``settings`` are those that the catalog had when it was opened.
    """

    address: str
    folder: Path
    settings: dict[str, str]
    wait_seconds: float = WAIT_SECONDS
    batch: int = 64  # pictures in a transaction of an import

    @abstractmethod
    def reading(self, *, frozen: bool = False) -> AbstractContextManager[Reader]:
        """``frozen``: all answers are of one instant, if the engine can do so."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[Writer]:
        """A transaction: all of it is on the disk at the end, none of it after an exception.

        Raises GalleryLocked, Superseded, and GalleryError when the engine refuses.
        """

    def searching(self) -> AbstractContextManager[Reader]:
        """As ``reading``, for the few scattered rows that a search shows."""
        return self.reading()

    def stale_reading(self) -> AbstractContextManager[Reader]:
        """As ``reading``, but answers may be moments old: a transaction asks again."""
        return self.reading()

    def size_on_disk(self) -> int:
        """Bytes on this machine."""
        return 0

    def close(self) -> None:  # noqa: B027
        """Release what the catalog holds open."""


def no_gallery(address: str | Path) -> NotAGallery:
    if os.path.isfile(address):
        return NotAGallery(
            f"{address} is not a gallery but a file; a gallery is a folder, and is named first: "
            "kkcv search photos.kkcv cat.jpg"
        )
    entries: list[str] = []
    with suppress(OSError):
        entries = os.listdir(address)
    if entries:
        return NotAGallery(
            f"{address} is a folder but not a gallery; to make one of its pictures: "
            f"kkcv index photos.kkcv {quote(str(address))}"
        )
    return NotAGallery(
        f"{address} is not a gallery; to make one: "
        f"kkcv index {quote(str(address))} FOLDER_OF_PICTURES"
    )


def locked(address: str | Path, wait_seconds: float) -> GalleryLocked:
    return GalleryLocked(
        f"another process has been writing to {address} for more than {wait_seconds:g} s; "
        "try again when it is done"
    )
