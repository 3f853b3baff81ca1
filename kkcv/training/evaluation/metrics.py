"""How good a classifier is, with 95% intervals."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .intervals import auc_interval, bootstrap, f1_interval, mean_interval, wilson

RESAMPLES = 1000  # of which 25 lie beyond each end of an interval of 95%
BINS = 15  # of the calibration error
LEAST_PROBABILITY = 1e-15  # as scikit-learn clips


def softmax(scores: np.ndarray) -> np.ndarray:
    """Scores (N, K) → probabilities (N, K), float64."""
    # less the largest: else exp overflows
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
    """All figures of probabilities (N, K) against labels (N,), with 95% intervals.

    ``precision``, ``recall``, ``f1`` and ``auc`` are means over the classes that occur; ``auc`` is
    that of each class against the rest, and None where only one class occurs. ``ece`` is the
    expected calibration error of the most probable class. Intervals of ``log_loss`` and ``ece`` are
    percentiles of the bootstrap, the others as in ``intervals``.

    Args:
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    table = confusion(probabilities, labels)
    hits, actual, predicted = table.diagonal(), table.sum(axis=1), table.sum(axis=0)
    occurs = actual > 0
    of_class = {
        "precision": np.where(occurs, ratio(hits, predicted, empty=0.0), np.nan),
        "recall": ratio(hits, actual),
        "f1": np.where(occurs, ratio(2 * hits, actual + predicted), np.nan),
        "auc": areas(probabilities, labels),
    }
    ends = {
        "precision": wilson(hits, predicted),
        "recall": wilson(hits, actual),
        "f1": f1_interval(hits, actual + predicted - hits),
        "auc": auc_interval(of_class["auc"], actual, len(labels) - actual),
    }
    # An error counts against two classes in F1 and in the AUC: with two classes their figures move
    # together, with many hardly. Recall and precision count it once; for few classes this is on
    # the safe side of them.
    shared = 1 / max(1, int(occurs.sum()) - 1)
    figures: dict[str, float | None] = {"accuracy": float(hits.sum() / len(labels))}
    intervals: dict[str, list[float] | None] = {
        "accuracy": interval(wilson(hits.sum(), np.array(len(labels))))
    }
    for name, values in of_class.items():
        known = values[~np.isnan(values)]
        figures[name] = float(known.mean()) if len(known) else None
        intervals[name] = mean_interval(values, ends[name], shared)
    own = probabilities[np.arange(len(labels)), labels]
    losses = -np.log(np.maximum(own, LEAST_PROBABILITY))
    statistics: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "log_loss": lambda weights: weights @ losses / len(labels),
        "ece": lambda weights: calibration_error(probabilities, labels, weights),
    }
    for name, statistic in statistics.items():
        figures[name] = float(statistic(np.ones((1, len(labels))))[0])
        intervals[name] = bootstrap(statistic, len(labels), resamples, seed)
    return {
        "pictures": len(labels),
        **figures,
        "intervals": intervals,
        "per_class": {
            label: {
                "pictures": int(actual[k]),
                **{name: number(values[k]) for name, values in of_class.items()},
                "intervals": {
                    name: interval(ends[name][:, k]) if not np.isnan(values[k]) else None
                    for name, values in of_class.items()
                },
            }
            for k, label in enumerate(classes)
        },
        "confusion": table.tolist(),
    }


def confusion(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How many of each class (row) were taken for each class (column): int64 (K, K)."""
    k = probabilities.shape[1]
    return np.bincount(labels * k + probabilities.argmax(axis=1), minlength=k * k).reshape(k, k)


def number(value: np.floating) -> float | None:
    """JSON has no NaN."""
    return None if np.isnan(value) else float(value)


def interval(ends: np.ndarray) -> list[float] | None:
    return None if np.isnan(ends).any() else [float(end) for end in ends]


def ratio(above: np.ndarray, below: np.ndarray, empty: float = np.nan) -> np.ndarray:
    return np.divide(above, below, out=np.full(above.shape, empty), where=below > 0)


def areas(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The AUC of each class against the rest: (K,). With two classes, both are the same."""
    k = probabilities.shape[1]
    if k == 2:
        return np.repeat(area(probabilities[:, 1], labels == 1), 2)
    return np.array([area(probabilities[:, c], labels == c) for c in range(k)])


def area(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area under the ROC curve, which counts ties as a half; NaN for one class alone."""
    values, place = np.unique(scores, return_inverse=True)
    up = np.bincount(place[positive], minlength=len(values))
    down = np.bincount(place[~positive], minlength=len(values))
    pairs = int(up.sum()) * int(down.sum())
    return float((up * (np.cumsum(down) - down / 2)).sum() / pairs) if pairs else np.nan


def calibration_bins(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of the most probable class, and its bin of equal width: (N,), (N,)."""
    confidence = probabilities.max(axis=1)
    return confidence, np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)


def calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """How far confidence and accuracy are apart (Guo et al., arXiv:1706.04599).

    Weights (R, N), each row of sum N → (R,).
    """
    confidence, which = calibration_bins(probabilities)
    right = probabilities.argmax(axis=1) == labels
    off = weights * (right - confidence) @ np.eye(BINS)[which]
    return np.abs(off).sum(axis=1) / len(labels)
