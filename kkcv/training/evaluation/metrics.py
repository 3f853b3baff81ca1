"""How good a classifier is, with 95% intervals from the bootstrap.

Every figure is a function of weighted pictures: weights of one give the figure itself, weights that
count how often each picture was drawn give it for a resample, many at once.
"""

from typing import Any

import numpy as np

RESAMPLES = 1000
BINS = 15  # of the calibration error
LEAST_PROBABILITY = 1e-15  # as scikit-learn clips
CHUNK = 4_000_000  # weights at a time
MOST_AUC = 20  # classes, up to which the AUC has intervals: each resample sorts out each class


def softmax(scores: np.ndarray) -> np.ndarray:
    """Scores (N, K) → probabilities (N, K), float64."""
    shifted = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def measure(
    probabilities: np.ndarray,
    labels: np.ndarray,
    classes: tuple[str, ...],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """All figures of probabilities (N, K) against labels (N,), with intervals.

    ``precision``, ``recall``, ``f1`` and ``auc`` are means over the classes that occur; ``auc`` is
    of each class against the rest, and None where but one class occurs. ``ece`` is the expected
    calibration error of the most probable class. ``intervals`` has the 2.5% and 97.5% percentiles
    of each figure over resampled pictures.
    """
    values = figures(probabilities, labels, np.ones((1, len(labels))))
    drawn = resampled(probabilities, labels, resamples, seed)
    result: dict[str, Any] = {"pictures": len(labels)}
    result |= {name: number(value[0]) for name, value in values.items() if value.ndim == 1}
    result["intervals"] = {
        name: interval(drawn[name]) for name, value in values.items() if value.ndim == 1
    }
    result["per_class"] = {
        label: {
            "pictures": int((labels == k).sum()),
            **{name[:-3]: number(v[0, k]) for name, v in values.items() if v.ndim == 2},
            "intervals": {
                name[:-3]: interval(drawn[name][:, k]) for name, v in values.items() if v.ndim == 2
            },
        }
        for k, label in enumerate(classes)
    }
    result["confusion"] = confusion(probabilities, labels).tolist()
    return result


def confusion(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many of each class (row) were taken for each class (column): int64 (K, K)."""
    k = probabilities.shape[1]
    return np.bincount(labels * k + probabilities.argmax(axis=1), minlength=k * k).reshape(k, k)


def number(value: np.floating) -> float | None:
    """JSON has no NaN."""
    return None if np.isnan(value) else float(value)


def interval(values: np.ndarray) -> list[float] | None:
    known = values[~np.isnan(values)]
    return [float(q) for q in np.percentile(known, [2.5, 97.5])] if len(known) else None


def resampled(
    probabilities: np.ndarray, labels: np.ndarray, resamples: int, seed: int
) -> dict[str, np.ndarray]:
    """The figures of ``resamples`` draws with replacement, in chunks that fit in memory."""
    generator, count = np.random.default_rng(seed), len(labels)
    step = max(1, CHUNK // count)
    chunks = []
    for start in range(0, resamples, step):
        drawn = min(step, resamples - start)
        weights = generator.multinomial(count, np.full(count, 1 / count), size=drawn)
        chunks.append(figures(probabilities, labels, weights.astype(np.float64)))
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def figures(
    probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Each figure for each row of weights (R, N): (R,), or (R, K) for those of single classes."""
    k, predicted_class = probabilities.shape[1], probabilities.argmax(axis=1)
    right = predicted_class == labels
    hits = by_class(weights * right, labels, k)
    actual, predicted = by_class(weights, labels, k), by_class(weights, predicted_class, k)
    total, occurs = weights.sum(axis=1), actual > 0
    recall = ratio(hits, actual)
    precision = np.where(occurs, ratio(hits, predicted, empty=0.0), np.nan)
    f1 = np.where(occurs, ratio(2 * hits, actual + predicted), np.nan)
    auc = areas(probabilities, labels, weights)
    own = probabilities[np.arange(len(labels)), labels]
    return {
        "accuracy": hits.sum(axis=1) / total,
        "precision": mean(precision),
        "recall": mean(recall),
        "f1": mean(f1),
        "auc": mean(auc),
        "log_loss": weights @ -np.log(np.maximum(own, LEAST_PROBABILITY)) / total,
        "ece": calibration_error(probabilities, right, weights),
        "precision_of": precision,
        "recall_of": recall,
        "f1_of": f1,
        "auc_of": auc,
    }


def by_class(weights: np.ndarray, which: np.ndarray, k: int) -> np.ndarray:
    """The sum of weights (R, N) in each of k classes: (R, k)."""
    order = np.argsort(which, kind="stable")
    present, starts = np.unique(which[order], return_index=True)
    sums = np.zeros((len(weights), k))
    sums[:, present] = np.add.reduceat(weights[:, order], starts, axis=1)
    return sums


def ratio(above: np.ndarray, below: np.ndarray, empty: float = np.nan) -> np.ndarray:
    return np.divide(above, below, out=np.full(above.shape, empty), where=below > 0)


def mean(values: np.ndarray) -> np.ndarray:
    """Over the classes that are known: (R, K) → (R,)."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0).sum(axis=1), known.sum(axis=1).astype(float))


def areas(probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The AUC of each class against the rest: (R, K). With two classes, both are the same."""
    k = probabilities.shape[1]
    if k > MOST_AUC and len(weights) > 1:
        return np.full((len(weights), k), np.nan)
    if k == 2:
        return np.repeat(area(probabilities[:, 1], labels == 1, weights)[:, None], 2, axis=1)
    return np.stack([area(probabilities[:, c], labels == c, weights) for c in range(k)], axis=1)


def area(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve, which counts ties as a half: (R,)."""
    values, place = np.unique(scores, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(values)))
    up = np.add.reduceat((weights * positive)[:, order], starts, axis=1)
    down = np.add.reduceat((weights * ~positive)[:, order], starts, axis=1)
    below = np.cumsum(down, axis=1) - down / 2
    return ratio((up * below).sum(axis=1), up.sum(axis=1) * down.sum(axis=1))


def calibration_bins(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of the most probable class, and its bin of equal width: (N,), (N,)."""
    confidence = probabilities.max(axis=1)
    return confidence, np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)


def calibration_error(
    probabilities: np.ndarray, right: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """How far confidence and accuracy are apart (Guo et al., arXiv:1706.04599): (R,)."""
    confidence, which = calibration_bins(probabilities)
    off = by_class(weights * (right - confidence), which, BINS)
    return np.abs(off).sum(axis=1) / weights.sum(axis=1)
