"""The calibration of a gallery: a score to the rate at which chance makes it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from .bulk import Bulk
from .tail import Tail

FEWEST = 30  # pictures; of fewer nothing honest can be said
BEYOND = 10  # how many times rarer than one pair of the sample a rate is told at most


@dataclass(frozen=True)
class Calibration:
    """``chance(scores)`` are the rates at which two unrelated pictures score at least that.

    With labels, unrelated are pairs of two labels, and their ``tail`` is the answer. Without, the
    tail of all pairs is an upper bound, for it holds those that belong together; the ``bulk``
    leaves them out, and the lower of the two is the answer.
    """

    space: str  # fingerprint of the embedding space
    pictures: int  # in the gallery when this was measured
    pairs: int
    tail: Tail
    bulk: Bulk | None  # None: the pairs were known to be unrelated, by their labels

    def chance(self, scores: np.ndarray | float) -> np.ndarray:
        """From ``least`` to 1; smaller for higher scores."""
        return np.clip(self._rate(scores), self.least, 1)

    def _rate(self, scores: np.ndarray | float) -> np.ndarray:
        rate = self.tail.rate(scores)
        return rate if self.bulk is None else np.minimum(rate, self.bulk.rate(scores))

    @cached_property  # asked for with every search
    def least(self) -> float:
        """The smallest rate that there is: that of the score 1, or what so few pairs can tell."""
        return max(1 / (BEYOND * self.pairs), float(self._rate(1.0)))

    def cut(self, chance: float) -> float:
        """The lowest score whose chance is that, from ``least`` up, or less."""
        low, high = -1.0, 1.0
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if self.chance(middle) <= chance else (middle, high)
        return high

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> "Calibration":
        """Raises KeyError, TypeError for what is no calibration."""
        tail, bulk = Tail(**document["tail"]), document["bulk"]
        tail = replace(tail, scores=tuple(tail.scores), rates=tuple(tail.rates))
        return cls(**{**document, "tail": tail, "bulk": None if bulk is None else Bulk(**bulk)})


def calibrated(
    space: str, pictures: int, vectors: np.ndarray, labels: Sequence[str] | None = None
) -> Calibration | None:
    """From a random sample of the gallery's unit vectors, float32 (N, D), and perhaps its labels.

    None where there are too few to say anything.
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
