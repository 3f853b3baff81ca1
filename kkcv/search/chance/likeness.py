"""How often chance makes a score of a query, and in a word how surely a hit is like the query.

Some queries score high with everything. So a score is normalized twice, by the scores of all pairs
(model.py) and by those that the query itself has with a sample of the gallery. The two rates are
multiplied, each to the power of its weight; speaker verification takes a mean of two normalized
scores likewise: Shum et al.: Unsupervised Speaker Adaptation Based on the Cosine Similarity,
Odyssey 2010. For a text only its own scores count: those of pictures with each other are higher.

    score ─two normalizations▶ chance ─times the pictures▶ expected by chance ─a hit found▶ share

The share of hits up to a rank that chance would make is their false discovery rate: Benjamini and
Hochberg: Controlling the False Discovery Rate, JRSS B 1995. A word stands for a share. So of one
query the hit with the higher score never has the higher chance or the weaker word.

Where kinds look alike, chance makes high scores too, and the nearest hit may have no word though it
is right. If no other picture of the gallery is nearer to that hit than the query, the two are each
other's nearest, and the hit is weak.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kkcv.hit import NO_LIKENESS

from .model import Bulks, Calibration, many, upper_tail

WORDS = {0.001: "almost certain", 0.05: "likely", 0.6: "weak"}  # the largest share of each
SHARES = np.array(list(WORDS))
NAMES = np.array([*WORDS.values(), NO_LIKENESS], object)
SAME = 0.999  # the score of the same picture, also in float16: it is sure, however few there are,
RARE = 0.001  # where so few unrelated pairs score so high: some networks find all pictures alike
MUTUAL = 3.0  # the largest share of mutual neighbors: beyond, 19 of 20 searches have one by chance
OWN, OWN_OF_TEXT = 0.1, 1.0  # weight of the query's own scores: python -m benchmarks.likeness
FARTHEST = 37.0  # deviations: the normal distribution is 0 beyond in float64
LEAST = 1e-300

# Rows of queries and columns of their nearest hits, (N,) each → bool (N,): whether no other picture
# of the gallery is nearer to the hit than the query is.
Mutual = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Chances(NamedTuple):
    """How often chance makes the scores of some queries, in one gallery."""

    calibration: Calibration
    own: Bulks  # of each query, (Q,)
    weight: float

    @classmethod
    def of(cls, calibration: Calibration, own: np.ndarray, by_text: bool = False) -> "Chances":
        """``own``: the scores of the queries with a sample of the gallery, float32 (Q, S)."""
        return cls(calibration, many(own), OWN_OF_TEXT if by_text else OWN)

    def rates(self, scores: np.ndarray) -> np.ndarray:
        """(Q, N), a row a query → float64 (Q, N), smaller for higher scores, with no limit."""
        means, deviations, cube_roots = (each[:, None] for each in self.own)
        values = np.where(cube_roots, np.cbrt(scores), scores)
        by_query = upper_tail(np.minimum((values - means) / deviations, FARTHEST))
        by_pairs = np.maximum(self.calibration.rate(scores), LEAST)
        return by_query**self.weight * by_pairs ** (1 - self.weight)


def words(rates: np.ndarray, pictures: int, mutual: Mutual | None = None) -> np.ndarray:
    """The word of each hit, by the rate at which chance makes it in a gallery of this size.

    ``rates`` are (Q, M), a row a query, infinite where there is no hit; so are the words, as str.
    ``mutual`` decides about the nearest hit of a query where chance leaves it open.
    """
    order = np.argsort(rates, axis=1, kind="stable")
    ranked = np.take_along_axis(rates, order, 1)
    shares = pictures * ranked / np.arange(1, rates.shape[1] + 1)
    least = np.minimum.accumulate(shares[:, ::-1], axis=1)[:, ::-1]  # of this hit or a later one
    if mutual is not None and rates.shape[1]:
        doubtful = np.flatnonzero((least[:, 0] > SHARES[-1]) & (least[:, 0] <= MUTUAL))
        if len(doubtful):
            least[doubtful[mutual(doubtful, order[doubtful, 0])], 0] = SHARES[-1]
    found = np.empty(rates.shape, object)
    np.put_along_axis(found, order, NAMES[np.searchsorted(SHARES, least)], 1)
    return found
