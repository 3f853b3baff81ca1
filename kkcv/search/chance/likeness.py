"""How surely a hit is like the query, in a word: more than chance makes in a gallery of this size.

A score means little between pictures that score high with everything. So it is normalized twice,
by the scores of all pairs (model.py) and by those that the hit itself has with a sample of the
gallery, and a mean of the two is taken, as the s-norm of speaker verification does: Shum et al.:
Unsupervised Speaker Adaptation Based on the Cosine Similarity, Odyssey 2010. For a text only its
own scores count: those of pictures with each other are higher.

    score ─two normalizations▶ rate ─times the pictures▶ expected by chance ─a hit found▶ share

The share of hits up to a rank that chance would make is their false discovery rate: Benjamini and
Hochberg: Controlling the False Discovery Rate, JRSS B 1995. A word stands for a share.
"""

from statistics import NormalDist

import numpy as np

from kkcv.hit import NO_LIKENESS

from .bulk import Bulk, Bulks, erfc

WORDS = {0.001: "almost certain", 0.05: "likely", 0.5: "weak"}  # the largest share of each
SHARES = np.array(list(WORDS))
NAMES = np.array([*WORDS.values(), NO_LIKENESS], object)
OWN = 0.3  # weight of the hit's own scores: python -m benchmarks.likeness
TOGETHER = 128  # hits that are looked at; more only while some of them are alike
FARTHEST = 38.0  # deviations: the normal distribution is 0 beyond in float64
CERTAIN = 1 - 1e-12  # the largest rate that has a deviation


inverse = np.vectorize(NormalDist().inv_cdf, otypes=[np.float64])


def rates_of_pictures(scores: np.ndarray, chances: np.ndarray, own: Bulks) -> np.ndarray:
    """How often chance makes these scores between queries and hits.

    ``scores`` are float32 (M,), ``chances`` those of all pairs (M,), ``own`` the bulk of the
    scores that each hit has with a sample of the gallery.
    """
    means, deviations, cube_roots = own
    values = np.where(cube_roots, np.cbrt(scores), scores)
    by_hit = np.minimum((values - means) / deviations, FARTHEST)
    by_pairs = -inverse(np.minimum(chances, CERTAIN))
    return upper(OWN * by_hit + (1 - OWN) * by_pairs)


def rates_of_text(scores: np.ndarray, own: np.ndarray) -> np.ndarray:
    """How often chance makes these scores of a text, which has ``own`` with a sample: (S,)."""
    return Bulk.of(own).rate(scores)


def upper(deviations: np.ndarray) -> np.ndarray:
    """The share of a normal distribution that is above."""
    return 0.5 * erfc(deviations / np.sqrt(2))


def words(rates: np.ndarray, pictures: int) -> np.ndarray:
    """The word of each hit, by the rate at which chance makes it in a gallery of this size.

    ``rates`` are (Q, M), a row a query, infinite where there is no hit; so are the words, as str.
    """
    order = np.argsort(rates, axis=1, kind="stable")
    ranked = np.take_along_axis(rates, order, 1)
    shares = pictures * ranked / np.arange(1, rates.shape[1] + 1)
    least = np.minimum.accumulate(shares[:, ::-1], axis=1)[:, ::-1]  # of this hit or a later one
    found = np.empty(rates.shape, object)
    np.put_along_axis(found, order, NAMES[np.searchsorted(SHARES, least)], 1)
    return found
