"""The index that a gallery searches: a snapshot of most rows, and exactly what came since.

Searches never wait: they work on a state that is replaced as a whole. Removed rows are filtered
before the best k are chosen, so an answer is never short because of them.
"""

import threading
from typing import NamedTuple

import numpy as np

from .exact import ExactIndex
from .neighbors import Neighbors, nearest_of
from .snapshot import Snapshot

SELECTIVE = 20_000  # allowed rows up to which a filter is answered by comparing with each of them


class State(NamedTuple):
    """What a search sees: values that never change."""

    snapshot: Snapshot | None
    alive: np.ndarray | None  # bool, of the snapshot's rows; None: all
    recent: ExactIndex


class LayeredIndex:
    """Unit vectors by id. Safe to use from several threads."""

    def __init__(self, dim: int, snapshot: Snapshot | None = None) -> None:
        self._state = State(snapshot, None, ExactIndex(dim))
        self._writing = threading.Lock()

    @property
    def snapshot(self) -> Snapshot | None:
        return self._state.snapshot

    def __len__(self) -> int:
        snapshot, alive, recent = self._state
        old = 0 if snapshot is None else len(snapshot.ids) if alive is None else int(alive.sum())
        return old + len(recent)

    @property
    def unindexed(self) -> int:
        """Rows that a new snapshot would take in or drop."""
        snapshot, alive, recent = self._state
        dead = 0 if snapshot is None or alive is None else int((~alive).sum())
        return len(recent) + dead

    def update(self, removed: np.ndarray, ids: np.ndarray, vectors: np.ndarray) -> None:
        """Take ids away, then put vectors in: int64 (R,), int64 (N,), float32 (N, D).

        An id that is there already gets the new vector. A search sees all of it or nothing.
        """
        with self._writing:
            snapshot, alive, recent = self._state
            if snapshot is not None:
                gone = snapshot.rows_of(np.concatenate([removed, ids]))
                if len(gone):
                    alive = np.ones(len(snapshot.ids), bool) if alive is None else alive.copy()
                    alive[gone] = False
            self._state = State(snapshot, alive, recent.updated(removed, ids, vectors))

    def search(self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None) -> Neighbors:
        """The nearest of all, or of the ``allowed`` ids: float32 (Q, D) → (Q, k or less)."""
        snapshot, alive, recent = self._state
        newest = recent.search(queries, k, allowed)
        if snapshot is None:
            return newest
        if allowed is None:
            return nearest_of([snapshot.search(queries, k, alive), newest], k)
        rows = snapshot.rows_of(allowed)
        rows = rows if alive is None else rows[alive[rows]]
        if len(rows) <= SELECTIVE:
            return nearest_of([snapshot.compare(queries, k, rows), newest], k)
        among = np.zeros(len(snapshot.ids), bool)
        among[rows] = True
        return nearest_of([snapshot.search(queries, k, among), newest], k)
