"""The result of a search in an index."""

from typing import NamedTuple

import numpy as np

from kkcv.hit import clipped


class Neighbors(NamedTuple):
    """Nearest first: ``ids`` int64 (Q, k) beside ``scores`` float32 (Q, k), cosine similarities.

    Where a query has fewer than k, the rest has id -1.
    """

    ids: np.ndarray
    scores: np.ndarray


def no_neighbors(queries: int) -> Neighbors:
    return Neighbors(np.empty((queries, 0), np.int64), np.empty((queries, 0), np.float32))


def nearest_of(parts: list[Neighbors], k: int) -> Neighbors:
    """The best k of several results of the same queries, which have no id in common."""
    parts = [part for part in parts if part.ids.shape[1]] or parts[:1]
    if len(parts) == 1:  # most galleries, most of the time
        return Neighbors(parts[0].ids[:, :k], clipped(parts[0].scores[:, :k]))
    ids = np.concatenate([part.ids for part in parts], axis=1)
    scores = np.concatenate([part.scores for part in parts], axis=1)
    scores = np.where(ids < 0, -np.inf, scores)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    ids, scores = np.take_along_axis(ids, best, 1), np.take_along_axis(scores, best, 1)
    return Neighbors(ids, clipped(scores))
