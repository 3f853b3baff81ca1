"""How good a ranking is: leave-one-out retrieval over labelled pictures.

Each picture in turn is the query, all others are the gallery, and those of its class are relevant.
A picture that is alone in its class is not a query, but stays in the gallery of the others.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .reordering import Reorder

CUTS = (1, 5, 10)  # the k of P@k and R@k
BLOCK = 256  # queries ranked at once, which bounds the rows of similarities in memory


class Retrieval(NamedTuple):
    """Means over the queries, each from 0 to 1.

    ``mean_average_precision`` ranks the whole gallery. ``precision[k]`` is the share of the first k
    hits that are of the query's class, ``recall[k]`` (as in metric learning: Recall@K, Jégou et
    al. 2011) the share of queries with at least one of their class among the first k.
    """

    mean_average_precision: float
    precision: dict[int, float]
    recall: dict[int, float]
    queries: int


def leave_one_out(
    vectors: np.ndarray, labels: Sequence[str], reorder: Reorder | None = None
) -> Retrieval:
    """Rank all pictures for each: unit vectors float32 (N, D) and their N classes.

    Nearest first, or as ``reorder`` orders them. Raises ValueError if no class has two pictures.
    """
    _, classes = np.unique(np.asarray(labels), return_inverse=True)
    relevant = np.bincount(classes)[classes] - 1  # for each picture, the others of its class
    queries = np.flatnonzero(relevant)
    if not len(queries):
        raise ValueError("no class has two pictures, so there is nothing to find")
    average, hits = [], []
    for start in range(0, len(queries), BLOCK):
        block = queries[start : start + BLOCK]
        found = ranked(vectors, classes, block, reorder)
        average.append(average_precision(found))
        hits.append(found[:, : max(CUTS)])
    first = np.concatenate(hits)
    return Retrieval(
        float(np.concatenate(average).mean()),
        {k: float(first[:, :k].sum(1).mean() / k) for k in CUTS},
        {k: float(first[:, :k].any(1).mean()) for k in CUTS},
        len(queries),
    )


def ranked(
    vectors: np.ndarray, classes: np.ndarray, queries: np.ndarray, reorder: Reorder | None = None
) -> np.ndarray:
    """Whether each hit is relevant, best first, without the query: bool (Q, N - 1)."""
    scores = vectors[queries] @ vectors.T
    scores[np.arange(len(queries)), queries] = -np.inf
    order = np.argsort(-scores, axis=1, kind="stable")[:, :-1]
    if reorder is not None:
        order = np.stack([reorder(int(q), near) for q, near in zip(queries, order, strict=True)])
    return classes[order] == classes[queries][:, None]


def average_precision(found: np.ndarray) -> np.ndarray:
    """The mean, over the relevant hits, of the precision at their rank: bool (Q, N) → (Q,)."""
    precision = np.cumsum(found, axis=1) / np.arange(1, found.shape[1] + 1)
    return (precision * found).sum(1) / found.sum(1)
