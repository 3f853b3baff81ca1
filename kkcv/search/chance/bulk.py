"""How often chance makes a score, when no labels say which pictures belong together.

Some random pairs of pictures belong together: in a gallery of ten classes, every tenth pair. Their
high scores are not due to chance, but low scores are. Efron: Large-Scale Simultaneous Hypothesis
Testing, JASA 2004, fits the distribution of chance to the middle of all scores and reads off its
tail. Scores of networks with positive embeddings follow nearly a gamma distribution, whose cube
roots are nearly normal (Wilson and Hilferty: The Distribution of Chi-Square, PNAS 1931).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

SHARES = np.linspace(0.02, 0.6, 30)  # the fitted quantiles: low ones, due to chance alone
NORMAL = np.array([NormalDist().inv_cdf(share) for share in SHARES])
SLOPE = (NORMAL - NORMAL.mean()) / ((NORMAL - NORMAL.mean()) ** 2).sum()
erfc = np.vectorize(math.erfc, otypes=[np.float64])


@dataclass(frozen=True)
class Bulk:
    """Chance scores, or their ``cube_roots``, are normal with this mean and deviation."""

    mean: float
    deviation: float
    cube_roots: bool

    @classmethod
    def of(cls, scores: np.ndarray) -> "Bulk":
        """From the low scores of random pairs, float32 (N,)."""
        quantiles = np.quantile(scores.astype(np.float64), SHARES)
        cube_roots = bool(quantiles[0] > 0)
        deviation, mean = np.polyfit(NORMAL, np.cbrt(quantiles) if cube_roots else quantiles, 1)
        return cls(float(mean), max(float(deviation), 1e-9), cube_roots)

    def rate(self, scores: np.ndarray | float) -> np.ndarray:
        """For each score, the share of unrelated pairs that score at least this."""
        values = np.cbrt(scores) if self.cube_roots else np.asarray(scores)
        return upper_tail((values - self.mean) / self.deviation)


def upper_tail(deviations: np.ndarray) -> np.ndarray:
    """The share of a normal distribution above so many standard deviations."""
    return 0.5 * erfc(deviations / math.sqrt(2))


Bulks = tuple[np.ndarray, np.ndarray, np.ndarray]  # means, deviations, cube roots, each (M,)


def many(scores: np.ndarray) -> Bulks:
    """``Bulk.of`` for each row of scores (M, N): means, deviations, cube roots, each (M,)."""
    places = np.rint(SHARES * (scores.shape[1] - 1)).astype(int)
    quantiles = np.sort(scores, axis=1)[:, places]  # of each row, much quicker than np.quantile
    cube_roots = quantiles[:, 0] > 0
    values = np.where(cube_roots[:, None], np.cbrt(quantiles), quantiles)
    deviations = values @ SLOPE  # the line of least squares
    means = values.mean(1) - deviations * NORMAL.mean()
    return means, np.maximum(deviations, 1e-9), cube_roots
