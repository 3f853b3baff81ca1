"""The rankings by name."""

from collections.abc import Callable

import numpy as np

from .augmentation import augmented
from .best import best
from .expansion import expanded
from .reciprocal import reciprocal
from .smoothing import smoothed

Ranking = Callable[[np.ndarray, np.ndarray], np.ndarray]

RANKING = "ranking"  # the setting of the catalog: the gallery's own ranking
PLAIN = "plain"
BEST = "best"
DEPTH = 500  # candidates that are reordered; those behind them stay in place


def plain(query: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """The cosine similarity itself."""
    return candidates @ query


RANKINGS: dict[str, Ranking] = {
    PLAIN: plain,
    BEST: best,  # by measurement over all sets: docs/quality.md
    "expanded": expanded,
    "augmented": augmented,
    "reciprocal": reciprocal,
    "smoothed": smoothed,
}


def reranked(name: str, query: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """The order of the candidates, best first: (D,), (M, D) nearest first → int64 (M,)."""
    if name == PLAIN:
        return np.arange(len(candidates))
    return np.argsort(-RANKINGS[name](query, candidates), kind="stable")
