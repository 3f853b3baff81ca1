"""The calibration of a gallery: from a score to the rate at which chance makes it.

It is seen from above, by the tail of the scores, and from below, by their bulk.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np

from kkcv.hit import HIGHEST, LOWEST

FEWEST = 30  # pictures; fewer say too little
BEYOND = 10  # the smallest rate is this many times rarer than one pair of the sample

POINTS = 64  # of the counted curve of a tail
ABOVE = 0.01  # of the sample is above the threshold,
FEWEST_ABOVE, MOST_ABOVE = 40, 1000  # but within these numbers
EDGE = 1e-6  # a shape below this counts as exponential

SHARES = np.linspace(0.02, 0.6, 30)  # the fitted quantiles of a bulk: low ones, due to chance alone
NORMAL = np.array([NormalDist().inv_cdf(share) for share in SHARES])
SLOPE = (NORMAL - NORMAL.mean()) / ((NORMAL - NORMAL.mean()) ** 2).sum()  # of least squares
erfc = np.vectorize(math.erfc, otypes=[np.float64])


@dataclass(frozen=True)
class Tail:
    """Ascending ``scores`` are exceeded at descending ``rates``; the last is the threshold.

    Above it the exceedances have this ``scale`` and ``shape``: 0 is exponential, more is heavier.

    Above a high threshold, exceedances of any distribution follow a generalized Pareto
    distribution: Pickands: Statistical Inference Using Extreme Order Statistics, Annals of
    Statistics 1975.
    """

    scores: tuple[float, ...]
    rates: tuple[float, ...]
    scale: float
    shape: float

    @classmethod
    def of(cls, scores: np.ndarray) -> "Tail":
        """From a sample, float32 (N,), of at least 2 * FEWEST_ABOVE scores."""
        ordered = np.sort(scores.astype(np.float64))
        above = int(np.clip(ABOVE * len(ordered), FEWEST_ABOVE, MOST_ABOVE))
        rates = np.geomspace(1, above / len(ordered), POINTS)
        counted = ordered[len(ordered) - np.maximum(np.rint(rates * len(ordered)), 1).astype(int)]
        scale, shape = pareto(ordered[-above:] - counted[-1])
        return cls(tuple(counted.tolist()), tuple(rates.tolist()), scale, shape)

    def rate(self, scores: np.ndarray | float) -> np.ndarray:
        """For each score, the share of pairs that score at least this."""
        counted = np.exp(np.interp(scores, *self._curve))
        beyond = np.maximum(np.subtract(scores, self.scores[-1]), 0) / self.scale
        if self.shape < EDGE:
            return counted * np.exp(-beyond)
        return counted * (1 + self.shape * beyond) ** (-1 / self.shape)

    @cached_property
    def _curve(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.scores), np.log(self.rates)


def pareto(excesses: np.ndarray) -> tuple[float, float]:
    """Scale and shape of a generalized Pareto distribution: float64 (N,), ascending.

    By probability-weighted moments: Hosking and Wallis: Parameter and Quantile Estimation for the
    Generalized Pareto Distribution, Technometrics 1987.

    The shape is never below zero: a tail that ends would call unseen scores impossible.
    """
    # plotting positions of Hosking and Wallis
    rank = (np.arange(1, len(excesses) + 1) - 0.35) / len(excesses)
    mean = float(excesses.mean())
    weighted = float(((1 - rank) * excesses).mean())
    spread = mean - 2 * weighted
    shape = 2 - mean / spread if weighted > EDGE and spread > EDGE else 0.0  # ties have no shape
    if shape <= 0:
        return max(mean, EDGE), 0.0
    return 2 * mean * weighted / spread, shape


@dataclass(frozen=True)
class Bulk:
    """Chance scores, or their ``cube_roots``, are normal with this mean and deviation.

    The rate is read from low scores, where no labels say which pictures belong together: some
    random pairs do, in a gallery of ten classes every tenth. Their high scores are not due to
    chance, but low scores are. Efron: Large-Scale Simultaneous Hypothesis Testing, JASA 2004, fits
    the distribution of chance to the middle of all scores and reads off its tail. Scores of
    networks with positive embeddings follow nearly a gamma distribution, whose cube roots are
    nearly normal (Wilson and Hilferty: The Distribution of Chi-Square, PNAS 1931).
    """

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


@dataclass(frozen=True)
class Calibration:
    """``chance(scores)`` are the rates at which two unrelated pictures score at least that.

    With labels, pictures of different labels are unrelated, and the ``tail`` of their pairs is the
    answer. Without labels the tail of all pairs is an upper bound, because it includes pairs that
    belong together; the ``bulk`` excludes them, and the lower of the two is the answer.
    """

    space: str  # fingerprint of the embedding space
    pictures: int  # in the gallery when this was measured
    pairs: int
    tail: Tail
    bulk: Bulk | None  # None: the pairs were known to be unrelated, by their labels

    def chance(self, scores: np.ndarray | float) -> np.ndarray:
        """From ``least`` to 1, smaller for higher scores."""
        return np.clip(self.rate(scores), self.least, 1)

    def rate(self, scores: np.ndarray | float) -> np.ndarray:
        """As ``chance``, also where so few pairs do not tell any more."""
        rate = self.tail.rate(scores)
        return rate if self.bulk is None else np.minimum(rate, self.bulk.rate(scores))

    @cached_property  # asked for with every search
    def least(self) -> float:
        """The smallest rate: that of the score 1, or the limit set by the number of pairs."""
        return max(1 / (BEYOND * self.pairs), float(self.rate(1.0)))

    def least_said(self) -> str:
        """``least`` in two digits, rounded up, so that what is said can be asked for."""
        unit = 10.0 ** (math.floor(math.log10(self.least)) - 1)
        return f"{math.ceil(self.least / unit) * unit:.2g}"

    def cut(self, chance: float) -> float:
        """The lowest score whose chance is at most that, which is ``least`` or more."""
        low, high = LOWEST, HIGHEST
        for _ in range(40):  # bisection to far below the rounding of a score
            middle = (low + high) / 2
            low, high = (low, middle) if self.chance(middle) <= chance else (middle, high)
        return high

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> "Calibration":
        """Raises KeyError, TypeError if it is not a calibration."""
        tail, bulk = Tail(**document["tail"]), document["bulk"]
        tail = replace(tail, scores=tuple(tail.scores), rates=tuple(tail.rates))
        return cls(**{**document, "tail": tail, "bulk": None if bulk is None else Bulk(**bulk)})


def calibrated(
    space: str, pictures: int, vectors: np.ndarray, labels: Sequence[str] | None = None
) -> Calibration | None:
    """Calibrate with a random sample of unit vectors, float32 (N, D), and their labels if known.

    None if the sample is too small.
    """
    if len(vectors) < FEWEST:
        return None
    first, second = np.triu_indices(len(vectors), 1)
    scores = (vectors @ vectors.T)[first, second]
    if labels is not None:
        _, classes = np.unique(np.asarray(labels), return_inverse=True)
        unrelated = scores[classes[first] != classes[second]]
        if len(unrelated) >= FEWEST * (FEWEST - 1) // 2:
            return Calibration(space, pictures, len(unrelated), Tail.of(unrelated), None)
    return Calibration(space, pictures, len(scores), Tail.of(scores), Bulk.of(scores))
