"""An index, built, and measured before the last of its rows go in."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from .effort import DEPTHS, Plan, planned
from .exact import inner_products
from .kind import FaissIndex, Kind
from .kinds import opened
from .neighbors import Neighbors, nearest_of, no_neighbors
from .outside import between, perturbed, unlike

Chunks = Callable[[], Iterator[np.ndarray]]  # all vectors, float32 (n, D) at a time, every time


class Built(NamedTuple):
    """An index and how it is to be searched; its row i is row ``order[i]`` of what it was given."""

    index: FaissIndex
    plans: tuple[Plan, ...]
    order: np.ndarray


def built(
    kind: Kind, sample: np.ndarray, chunks: Chunks, held_out: np.ndarray, recall: float
) -> Built:
    """An index of unit vectors, measured with those that are held out; then it gets them too.

    Args:
        sample: Vectors to train with, float32 (S, D), none of those held out.
        held_out: bool (N,), of all rows.
        recall: The share of the exact nearest that answers hold.
    """
    index = empty(kind, len(held_out), sample)
    kept_back = []
    for vectors, out in with_mask(chunks, held_out):
        index.add(vectors[~out])
        kept_back.append(vectors[out])
    new = np.concatenate(kept_back)
    queries = [new, perturbed(sample), between(sample), unlike(sample)]
    deepest = min(DEPTHS[-1], index.ntotal)
    truth = exact_scores(np.concatenate(queries), with_mask(chunks, held_out), deepest)
    search = opened(kind, index)
    plans = planned(search, kind.efforts, queries, truth, index.ntotal, recall, kind.same)
    index.add(new)
    return Built(index, plans, np.argsort(held_out, kind="stable"))


def empty(kind: Kind, rows: int, sample: np.ndarray) -> FaissIndex:
    """The index for so many rows, trained."""
    import faiss

    description = kind.factory(rows)
    index = faiss.index_factory(sample.shape[1], description, faiss.METRIC_INNER_PRODUCT)
    if isinstance(index, faiss.IndexRefine):  # Faiss prints a warning of small galleries
        faiss.downcast_index(index.base_index).cp.min_points_per_centroid = 1
    if kind.construction:
        faiss.ParameterSpace().set_index_parameters(index, kind.construction)
    index.train(sample)
    return index


def with_mask(chunks: Chunks, mask: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All vectors, a chunk at a time, and the mask of each chunk."""
    start = 0
    for vectors in chunks():
        yield vectors, mask[start : start + len(vectors)]
        start += len(vectors)


def exact_scores(
    queries: np.ndarray, chunks: Iterator[tuple[np.ndarray, np.ndarray]], k: int
) -> np.ndarray:
    """Scores of the k nearest of all vectors that are not masked: (Q, D) → float32 (Q, k)."""
    best = no_neighbors(len(queries))
    for vectors, out in chunks:
        rows, scores = inner_products(queries, vectors[~out], min(k, int((~out).sum())))
        best = nearest_of([best, Neighbors(rows, scores)], k)
    return best.scores
