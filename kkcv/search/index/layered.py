"""The index that a gallery searches: a snapshot of most rows, and an exact index of the others.

Searches never wait: they work on a state that is replaced as a whole. Removed rows are filtered
before the best k are chosen, so an answer is never short because of them.
"""

import threading
from typing import NamedTuple

import numpy as np

from .exact import ExactIndex
from .neighbors import Neighbors, nearest_of
from .snapshot import Snapshot

NOTHING = np.empty(0, np.int64)
SELECTIVE = 20_000  # allowed rows up to which a filter compares with each of them


class State(NamedTuple):
    """The values that one search uses; they never change."""

    snapshot: Snapshot | None
    alive: np.ndarray | None  # bool, of the snapshot's rows; None: all
    valid: np.ndarray | None  # bool, of the snapshot's records; None: all
    recent: ExactIndex


class LayeredIndex:
    """Unit vectors by id. Safe to use from several threads."""

    def __init__(self, dim: int, snapshot: Snapshot | None = None) -> None:
        self._state = State(snapshot, None, None, ExactIndex(dim))
        self._writing = threading.Lock()

    @property
    def snapshot(self) -> Snapshot | None:
        return self._state.snapshot

    def __len__(self) -> int:
        snapshot, alive, _, recent = self._state
        old = 0 if snapshot is None else len(snapshot.ids) if alive is None else int(alive.sum())
        return old + len(recent)

    @property
    def unindexed(self) -> int:
        """How many rows a new snapshot would add or drop."""
        snapshot, alive, _, recent = self._state
        dead = 0 if snapshot is None or alive is None else int((~alive).sum())
        return len(recent) + dead

    def update(
        self,
        removed: np.ndarray,
        ids: np.ndarray,
        vectors: np.ndarray,
        edited: np.ndarray = NOTHING,
    ) -> None:
        """Remove ids, then add vectors: int64 (R,), int64 (N,), float32 (N, D).

        An id that is there already gets the new vector. The records of all these, and of the
        ``edited``, int64 (E,), are no longer valid. A search sees all of it or nothing.
        """
        with self._writing:
            snapshot, alive, valid, recent = self._state
            if snapshot is not None:
                gone = snapshot.rows_of(np.concatenate([removed, ids]))
                alive = without(alive, gone, len(snapshot.ids))
                outdated = np.concatenate([gone, snapshot.rows_of(edited)])
                valid = without(valid, outdated, len(snapshot.ids))
            self._state = State(snapshot, alive, valid, recent.updated(removed, ids, vectors))

    def records(self, ids: np.ndarray) -> tuple[dict[int, bytes], np.ndarray]:
        """The valid records by id, and the ids without one: int64 (N,) → (M,)."""
        snapshot, _, valid, _ = self._state
        if snapshot is None:
            return {}, ids
        rows, here = snapshot.places(ids)
        if valid is not None:
            here &= valid[rows]
        kept = snapshot.records.at(rows[here])
        return dict(zip(ids[here].tolist(), kept, strict=True)), ids[~here]

    def search(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None, *, least: bool = False
    ) -> Neighbors:
        """The nearest of all, or of the ``allowed`` ids: float32 (Q, D) → (Q, k or less).

        With the ``least`` effort, the snapshot may miss some.
        """
        snapshot, alive, _, recent = self._state
        newest = recent.search(queries, k, allowed)
        if snapshot is None:
            return newest
        if allowed is None:
            return nearest_of([snapshot.search(queries, k, alive, least=least), newest], k)
        rows = snapshot.rows_of(allowed)
        rows = rows if alive is None else rows[alive[rows]]
        if len(rows) <= SELECTIVE:
            return nearest_of([snapshot.compare(queries, k, rows), newest], k)
        among = np.zeros(len(snapshot.ids), bool)
        among[rows] = True
        return nearest_of([snapshot.search(queries, k, among, least=least), newest], k)


def without(rows: np.ndarray | None, gone: np.ndarray, count: int) -> np.ndarray | None:
    """A copy of bool (``count``,) with False for the rows that are gone; None means all True."""
    if not len(gone):
        return rows
    rows = np.ones(count, bool) if rows is None else rows.copy()
    rows[gone] = False
    return rows
