"""Query vectors: several pictures combined into one, and what is refused."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from kkcv.embedding.space import unit
from kkcv.errors import RequestError
from kkcv.query import Like as Like
from kkcv.query import Region as Region
from kkcv.query import Text as Text

MAX_K = 1000
LENGTH_TOLERANCE = 0.01  # of vectors that were kept in 16 bits


def combined(vectors: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """One query of several: float32 (N, D) → unit vector (D,).

    Raises RequestError when no weight is positive, or the vectors cancel out.
    """
    if not any(weight > 0 for weight in weights) or not np.isfinite(weights).all():
        raise RequestError("at least one picture must count with a positive weight")
    total = np.asarray(weights, np.float32) @ vectors
    if np.linalg.norm(total) < 1e-6:
        raise RequestError("the pictures cancel each other out; use other weights")
    return unit(total[None])[0]


def checked_k(k: int) -> int:
    """Raises RequestError for what is no sensible number of hits."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= MAX_K:
        raise RequestError(f"k must be a whole number from 1 to {MAX_K}, got {k!r}")
    return int(k)


def checked_vectors(vectors: ArrayLike, dim: int) -> np.ndarray:
    """Queries as float32 (Q, D) (RequestError for those that are no unit vectors)."""
    try:
        queries = np.asarray(vectors, np.float32)
    except (TypeError, ValueError):
        raise RequestError(f"a query is {dim} numbers, got {vectors!r:.60}") from None
    if queries.ndim != 2 or queries.shape[1] != dim:
        raise RequestError(f"a query here has {dim} numbers, got {queries.shape}")
    lengths = np.linalg.norm(queries, axis=1)
    if not (np.abs(lengths - 1) < LENGTH_TOLERANCE).all():  # NaN is not either
        off = lengths[~(np.abs(lengths - 1) < LENGTH_TOLERANCE)][0]
        raise RequestError(f"a query has length 1, got {off:g}: divide it by its length")
    return queries
