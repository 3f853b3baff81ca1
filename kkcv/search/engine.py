"""What a gallery asks of the engine below it. There are two (engines.py).

catalog        rows: a picture each, with its vector; the source of truth
index          the nearest of those vectors
next vectors   those of another network, beside them, until they are swapped in

A picture that was removed is in no answer to a question that is asked after that, by whatever
process; what was acknowledged is on a disk. All are safe to use from several threads.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from kkcv.embedding.space import EmbeddingSpace

from .index.neighbors import Neighbors
from .picture import Picture, PictureFile, Totals
from .tuning import Goal
from .where import Condition

WAIT_SECONDS = 30.0  # for another process that is writing


class Reader(Protocol):
    """What can be asked inside ``Catalog.reading``."""

    def superseded(self) -> bool:
        """Whether the vectors are of another network than when the catalog was opened."""

    def setting(self, name: str, default: str = "") -> str: ...

    def count(self) -> int: ...

    def totals(self) -> Totals: ...

    def picture(self, id: int) -> Picture | None: ...

    def pictures(self, ids: Iterable[int] | None = None) -> Iterator[Picture]:
        """The pictures with these ids that there are, or all of them, in the order of their ids."""

    def shown(self, ids: np.ndarray) -> dict[int, tuple[str, dict[str, Any]]]:
        """What a hit shows of the pictures with these ids, int64 (N,): path (as in PictureFile)
        and metadata."""

    def page(self, limit: int, after: int | None, newest: bool) -> list[Picture]:
        """Up to ``limit`` pictures behind an id, in the order of ids or against it."""

    def by_path(self, path: str) -> Picture | None: ...

    def by_sha256(self, sha256: bytes) -> list[Picture]: ...

    def ids(self, where: Condition | None = None) -> np.ndarray:
        """All ids, or those that a filter leaves, ascending: int64 (N,)."""

    def vector(self, id: int) -> np.ndarray | None:
        """The stored vector as float32 (D,), or None where there is none."""

    def vectors_of(self, ids: np.ndarray) -> np.ndarray:
        """The vectors of these ids, float32 (N, D), in their order; zeros where there is none."""

    def vectors(self, chunk: int = 4096) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All ids and vectors, ascending: int64 (n,) with float32 (n, D), n at most ``chunk``."""


class Writer(Reader, Protocol):
    """What can be changed inside ``Catalog.writing``, beside all that can be asked."""

    def expect(self, files: Iterable[PictureFile]) -> None:
        """These are asked for next, by path and by hash: an engine that is far away asks once."""

    def add(
        self,
        file: PictureFile,
        vector: np.ndarray,
        metadata: Mapping[str, Any],
        added: float | None = None,
    ) -> int:
        """A new row; its id. ``added`` is in seconds since 1970, UTC; None: now."""

    def replace(self, id: int, file: PictureFile, vector: np.ndarray) -> None:
        """Other bytes under the same id; the metadata stays."""

    def relocate(self, id: int, file: PictureFile) -> None:
        """The same bytes at another path, or with another time of change."""

    def describe(self, id: int, metadata: Mapping[str, Any]) -> None:
        """Other metadata."""

    def remove(self, id: int) -> bool:
        """False when there is no such picture."""

    def set(self, name: str, value: str | None) -> None:
        """A setting, or with None its end."""


class Catalog(Protocol):
    """The rows. ``address`` is what Gallery.open takes; ``folder`` has what lies beside them;
    ``batch`` pictures are a good transaction."""

    address: str
    folder: Path
    settings: dict[str, str]
    wait_seconds: float
    batch: int

    def reading(
        self,
        *,
        frozen: bool = False,
        hasty: bool = False,
        raw: bool = False,
        hits: bool = False,
    ) -> AbstractContextManager[Reader]:
        """``frozen``: all questions see one instant, where the engine can. ``hasty``: answers may
        be a moment old; for look-ups that a transaction makes again. ``raw``: vectors are those of
        the network, where others read them through a projection (adapt.py). ``hits``: for the
        rows of what a search finds, as quickly as the engine can."""

    def writing(self) -> AbstractContextManager[Writer]:
        """A transaction: at its end all of it is on the disk, after an exception none of it.

        Raises GalleryLocked, Superseded, and GalleryError when the engine refuses.
        """

    def size_on_disk(self) -> int:
        """In bytes, on this machine."""

    def close(self) -> None: ...


class Index(Protocol):
    """What finds the nearest."""

    def search(
        self, rows: Reader, vectors: np.ndarray, k: int, where: Condition | None = None
    ) -> Neighbors:
        """The nearest of all, or of what a filter leaves: float32 (Q, D) → (Q, k or less)."""

    def shown(self, rows: Reader, ids: np.ndarray) -> dict[int, tuple[str, dict[str, Any]]]:
        """As ``rows.shown``, from what lies nearer where there is such."""

    def describe(self) -> dict[str, Any]:
        """What answers, with its recall where it was measured, as plain values."""

    @property
    def wants_rebuild(self) -> bool:
        """True when answers would come more quickly after ``rebuild``."""

    def rebuild(self) -> object: ...

    def tune(self, goal: Goal) -> object:
        """``rebuild`` for a goal, which holds from now on (RequestError)."""

    def rebuild_in_background(self) -> None:
        """Start ``rebuild`` when it is wanted and not under way."""

    def renew(self) -> None:
        """After a change of network: nothing of the one before is left, and what is wanted is
        built."""


class NextVectors(Protocol):
    """The vectors of another network, while they are made."""

    def begin(self, settings: dict[str, str]) -> None:
        """Make room for them, or go on with those of the same network."""

    def begin_undo(self) -> dict[str, str] | None:
        """Go on with those of the network before; its settings, or None when there are none."""

    def todo(self) -> list[int]:
        """The ids of the pictures that have none yet."""

    def keep(self, embedded: Sequence[tuple[Picture, np.ndarray]]) -> None:
        """Acknowledged when it returns."""

    def sample(self, size: int) -> tuple[np.ndarray, np.ndarray, list[Any]]:
        """Old vectors, new vectors and labels (None: no label) of up to so many pictures."""

    def swap(self, without: set[int]) -> int | None:
        """Use them from now on, all in one step; how many pictures there are.

        None and nothing is changed when a picture that is not among those ``without`` has none. The
        old ones are kept for ``begin_undo``.
        """


class Engine(NamedTuple):
    """A gallery's catalog and what belongs to it."""

    catalog: Catalog
    index_for: Callable[[EmbeddingSpace], Index]
    next_vectors: NextVectors
