"""One number that makes probabilities honest: temperature scaling."""

import numpy as np

COLDEST, HOTTEST = 0.05, 20.0


def fit_temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """What to divide scores (N, K) by, so that the log loss on labels (N,) is least.

    Guo et al., On Calibration of Modern Neural Networks, arXiv:1706.04599, section 4.2. The ranking
    of classes does not change. Labels are softened as if each picture had been seen N times with
    its own label and once with every label: else a part without a single error would ask for
    certainty (Platt 1999, Probabilistic Outputs for Support Vector Machines, section 2.2).
    """
    count, classes = scores.shape
    targets = (np.eye(classes)[labels] * count + 1) / (count + classes)
    inverse = np.geomspace(1 / HOTTEST, 1 / COLDEST, 49)
    for _ in range(4):  # the loss is convex in 1 / temperature: narrow down around the least
        best = int(np.argmin([loss(scores * b, targets) for b in inverse]))
        low, high = inverse[max(0, best - 1)], inverse[min(len(inverse) - 1, best + 1)]
        inverse = np.geomspace(low, high, 49)
    return float(1 / inverse[len(inverse) // 2])


def loss(scores: np.ndarray, targets: np.ndarray) -> float:
    """Mean cross entropy of scores (N, K) with target probabilities (N, K)."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    log = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-(targets * log).sum(axis=1).mean())
