"""How a ranking and verification order all others for each picture of a labelled set."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from kkcv.search.ranking.names import DEPTH, reranked
from kkcv.search.verification.features import Features
from kkcv.search.verification.geometry import match
from kkcv.search.verification.verify import FIRST

Reorder = Callable[[int, np.ndarray], np.ndarray]
"""The row of a query, and the rows of all others, nearest first → those rows reordered."""


def by_ranking(name: str, vectors: np.ndarray) -> Reorder:
    """The order of a gallery of all others: unit vectors float32 (N, D)."""

    def reorder(query: int, near: np.ndarray) -> np.ndarray:
        first = reranked(name, vectors[query], vectors[near[:DEPTH]])
        return np.concatenate([near[first], near[DEPTH:]])

    return reorder


def by_verification(features: Sequence[Features], before: Reorder) -> Reorder:
    """The first of another order, sorted by the number of points shared with the query."""

    def reorder(query: int, near: np.ndarray) -> np.ndarray:
        near = before(query, near)
        matches = [match(features[query], features[row]) for row in near[:FIRST]]
        shared = np.array([0 if found is None else len(found) for found in matches])
        return np.concatenate([near[np.argsort(-shared, kind="stable")], near[FIRST:]])

    return reorder


class Timed:
    """A reordering that sums up its seconds of processor time."""

    def __init__(self, reorder: Reorder) -> None:
        self._reorder = reorder
        self.seconds = 0.0

    def __call__(self, query: int, near: np.ndarray) -> np.ndarray:
        began = time.thread_time()  # of this thread: other work does not count
        order = self._reorder(query, near)
        self.seconds += time.thread_time() - began
        return order
