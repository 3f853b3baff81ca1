"""How often a score is exceeded: counted within a sample, fitted beyond it.

Above a high threshold, whatever the distribution, exceedances follow a generalized Pareto
distribution: Pickands: Statistical Inference Using Extreme Order Statistics, Annals of Statistics
1975. It is fitted by probability-weighted moments: Hosking and Wallis: Parameter and Quantile
Estimation for the Generalized Pareto Distribution, Technometrics 1987.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

POINTS = 64  # of the counted part
SHARE = 0.01  # of the sample lies above the threshold,
LEAST, MOST = 40, 1000  # but not fewer, nor more
EDGE = 1e-6  # how flat a tail is an exponential one


@dataclass(frozen=True)
class Tail:
    """``scores`` are exceeded at ``rates``, ascending and descending; the last is the threshold.

    Above it exceedances have this ``scale`` and ``shape``, from 0 (exponential) to heavier tails.
    """

    scores: tuple[float, ...]
    rates: tuple[float, ...]
    scale: float
    shape: float

    @classmethod
    def of(cls, scores: np.ndarray) -> "Tail":
        """From a sample, float32 (N,), of 2 * LEAST at least."""
        ordered = np.sort(scores.astype(np.float64))
        above = int(np.clip(SHARE * len(ordered), LEAST, MOST))
        rates = np.geomspace(1, above / len(ordered), POINTS)
        counted = ordered[len(ordered) - np.maximum(np.rint(rates * len(ordered)), 1).astype(int)]
        scale, shape = pareto(ordered[-above:] - counted[-1])
        return cls(tuple(counted.tolist()), tuple(rates.tolist()), scale, shape)

    def rate(self, scores: np.ndarray | float) -> np.ndarray:
        """The share of the pairs that score at least this, for each of the scores."""
        counted = np.exp(np.interp(scores, *self._curve))
        return counted * self._beyond(np.maximum(np.subtract(scores, self.scores[-1]), 0))

    @cached_property
    def _curve(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.scores), np.log(self.rates)

    def _beyond(self, excess: np.ndarray) -> np.ndarray:
        """Of what is above the threshold, the share that is so far above it."""
        if abs(self.shape) < EDGE:
            return np.exp(-excess / self.scale)
        return (1 + self.shape * excess / self.scale) ** (-1 / self.shape)


def pareto(excesses: np.ndarray) -> tuple[float, float]:
    """Scale and shape of a generalized Pareto distribution: float64 (N,), ascending.

    No shape below zero: a tail that ends would call scores impossible that have not been seen yet.
    """
    rank = (np.arange(1, len(excesses) + 1) - 0.35) / len(excesses)
    mean = float(excesses.mean())
    weighted = float(((1 - rank) * excesses).mean())
    spread = mean - 2 * weighted
    shape = 2 - mean / spread if weighted > EDGE and spread > EDGE else 0.0  # ties have no shape
    if shape <= 0:
        return max(mean, EDGE), 0.0
    return 2 * mean * weighted / spread, shape
