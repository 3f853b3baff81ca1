"""95% intervals of figures, which keep their width where there is no error.

Resampled pictures of a part without an error have no error either, so the bootstrap would call 120
of 120 certain. Rates have Wilson's interval, and what is made of rates follows from it.
"""

from collections.abc import Callable

import numpy as np

Z = 1.959963984540054  # of the normal distribution, at 97.5%
CHUNK = 4_000_000  # weights of the bootstrap at a time


def wilson(hits: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Intervals of rates hits / counts, (K,): lower and upper ends (2, K), NaN without counts.

    Wilson, Probable Inference, JASA 22 (1927); Brown, Cai & DasGupta, Interval Estimation for a
    Binomial Proportion, Statistical Science 16 (2001), section 3.1.1.
    """
    hits, n = np.asarray(hits, float), np.asarray(counts, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        center = (hits + Z**2 / 2) / (n + Z**2)
        half = Z / (n + Z**2) * np.sqrt(hits * (n - hits) / n + Z**2 / 4)
    return np.clip([center - half, center + half], 0, 1)


def f1_interval(hits: np.ndarray, union: np.ndarray) -> np.ndarray:
    """Intervals of the F1 of classes: (2, K). ``union`` counts pictures that are, or are taken for,
    the class.

    hits / union is a rate, and F1 rises with it: 2 r / (1 + r).
    """
    rate = wilson(hits, union)
    return 2 * rate / (1 + rate)


def auc_interval(auc: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Intervals of areas under ROC curves, (K,): (2, K).

    The ends are where the variance of Hanley & McNeil, Radiology 143 (1982), at the end itself puts
    the area that was found: method 5 of Newcombe, Statistics in Medicine 25 (2006), 559-573.
    """
    more = (np.asarray(positive, float) + negative) / 2 - 1
    product = np.asarray(positive, float) * negative

    def beyond(area: np.ndarray) -> np.ndarray:
        spread = 1 + more * ((1 - area) / (2 - area) + area / (1 + area))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.abs(auc - area) - Z * np.sqrt(area * (1 - area) * spread / product)

    ends = []
    for outer in (0.0, 1.0):
        inside, outside = np.array(auc, float), np.full(np.shape(auc), outer)
        for _ in range(50):  # bisection
            middle = (inside + outside) / 2
            within = beyond(middle) <= 0
            inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
        ends.append(inside)
    return np.where(np.isnan(auc), np.nan, ends)


def mean_interval(values: np.ndarray, ends: np.ndarray, shared: float) -> list[float] | None:
    """Interval of the mean of K figures with intervals (2, K); None where none is known.

    Deviations are added in squares: Zou & Donner, Statistics in Medicine 27 (2008), equation 4, of
    figures with the correlation ``shared`` among each other.
    """
    known = ~np.isnan(values)
    if not known.any():
        return None
    mean, count = float(values[known].mean()), int(known.sum())
    below, above = np.abs(ends[:, known] - values[known])
    low, high = (
        np.sqrt((1 - shared) * (half**2).sum() + shared * half.sum() ** 2) / count
        for half in (below, above)
    )
    return [max(0.0, mean - float(low)), min(1.0, mean + float(high))]


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray], count: int, resamples: int, seed: int
) -> list[float]:
    """The 2.5% and 97.5% percentiles of a statistic over resampled pictures.

    ``statistic`` takes weights (R, N) that say how often each of ``count`` pictures was drawn, and
    gives (R,).
    """
    generator, values = np.random.default_rng(seed), []
    step = max(1, CHUNK // count)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = generator.multinomial(count, np.full(count, 1 / count), size=size)
        values.append(statistic(drawn.astype(np.float64)))
    return [float(q) for q in np.percentile(np.concatenate(values), [2.5, 97.5])]  # the middle 95%
