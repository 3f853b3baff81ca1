"""How often a score is exceeded: counted within a sample, extrapolated beyond it.

Above a high threshold, exceedances of any distribution follow a generalized Pareto distribution:
Pickands: Statistical Inference Using Extreme Order Statistics, Annals of Statistics 1975. It is
fitted by probability-weighted moments: Hosking and Wallis: Parameter and Quantile Estimation for
the Generalized Pareto Distribution, Technometrics 1987.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

POINTS = 64  # of the counted curve
SHARE = 0.01  # of the sample is above the threshold,
LEAST, MOST = 40, 1000  # but within these numbers
EDGE = 1e-6  # a shape below this counts as exponential


@dataclass(frozen=True)
class Tail:
    """Ascending ``scores`` are exceeded at descending ``rates``; the last is the threshold.

    Above it the exceedances have this ``scale`` and ``shape``: 0 is exponential, more is heavier.
    """

    scores: tuple[float, ...]
    rates: tuple[float, ...]
    scale: float
    shape: float

    @classmethod
    def of(cls, scores: np.ndarray) -> "Tail":
        """From a sample, float32 (N,), of at least 2 * LEAST scores."""
        ordered = np.sort(scores.astype(np.float64))
        above = int(np.clip(SHARE * len(ordered), LEAST, MOST))
        rates = np.geomspace(1, above / len(ordered), POINTS)
        counted = ordered[len(ordered) - np.maximum(np.rint(rates * len(ordered)), 1).astype(int)]
        scale, shape = pareto(ordered[-above:] - counted[-1])
        return cls(tuple(counted.tolist()), tuple(rates.tolist()), scale, shape)

    def rate(self, scores: np.ndarray | float) -> np.ndarray:
        """For each score, the share of pairs that score at least this."""
        counted = np.exp(np.interp(scores, *self._curve))
        return counted * self._beyond(np.maximum(np.subtract(scores, self.scores[-1]), 0))

    @cached_property
    def _curve(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.scores), np.log(self.rates)

    def _beyond(self, excess: np.ndarray) -> np.ndarray:
        """The share of exceedances that are this far above the threshold."""
        if abs(self.shape) < EDGE:
            return np.exp(-excess / self.scale)
        return (1 + self.shape * excess / self.scale) ** (-1 / self.shape)


def pareto(excesses: np.ndarray) -> tuple[float, float]:
    """Scale and shape of a generalized Pareto distribution: float64 (N,), ascending.

    The shape is never below zero: a tail that ends would call unseen scores impossible.
    """
    rank = (np.arange(1, len(excesses) + 1) - 0.35) / len(excesses)
    mean = float(excesses.mean())
    weighted = float(((1 - rank) * excesses).mean())
    spread = mean - 2 * weighted
    shape = 2 - mean / spread if weighted > EDGE and spread > EDGE else 0.0  # ties have no shape
    if shape <= 0:
        return max(mean, EDGE), 0.0
    return 2 * mean * weighted / spread, shape
