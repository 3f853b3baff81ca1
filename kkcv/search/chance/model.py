"""The calibration of a gallery: from a score to the rate at which chance makes it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from kkcv.hit import HIGHEST, LOWEST

from .bulk import Bulk
from .tail import Tail

FEWEST = 30  # pictures; fewer say too little
BEYOND = 10  # the smallest rate is this many times rarer than one pair of the sample


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

    def cut(self, chance: float) -> float:
        """The lowest score whose chance is at most that, which is ``least`` or more."""
        low, high = LOWEST, HIGHEST
        for _ in range(40):
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
