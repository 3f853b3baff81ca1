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
        normal = [NormalDist().inv_cdf(share) for share in SHARES]
        deviation, mean = np.polyfit(normal, np.cbrt(quantiles) if cube_roots else quantiles, 1)
        return cls(float(mean), max(float(deviation), 1e-9), cube_roots)

    def rate(self, scores: np.ndarray | float) -> np.ndarray:
        """For each score, the share of unrelated pairs that score at least this."""
        values = np.cbrt(scores) if self.cube_roots else np.asarray(scores)
        return 0.5 * erfc((values - self.mean) / self.deviation / math.sqrt(2))
