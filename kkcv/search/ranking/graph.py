"""The neighborhood of a query: the similarities of its candidates with each other."""

import numpy as np

from kkcv.embedding.space import unit

FEWEST = 30  # vectors whose mean is meaningful


def nearest(gram: np.ndarray, neighbors: int) -> np.ndarray:
    """The most similar others of each: similarities (N, N) → int64 (N, neighbors)."""
    neighbors = min(neighbors, len(gram) - 1)
    others = gram.copy()
    np.fill_diagonal(others, -np.inf)
    found = np.argpartition(-others, max(neighbors - 1, 0), axis=1)[:, :neighbors]
    order = np.argsort(-np.take_along_axis(others, found, 1), axis=1, kind="stable")
    return np.take_along_axis(found, order, 1)


def centered(vectors: np.ndarray, share: float) -> np.ndarray:
    """Vectors minus a share of their mean, which all have in common: (N, D) → (N, D)."""
    return vectors if len(vectors) < FEWEST else unit(vectors - share * vectors.mean(0))
