"""Scores of a classifier for pictures, their figures, and the temperature that calibrates them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from kkcv.checkpoint import Checkpoint
from kkcv.embedding.whole import mean_of_views
from kkcv.timing import Progress, no_progress
from kkcv.training.data.labelled import Picture
from kkcv.training.inference import mirrored, outputs, placed
from kkcv.training.reporter import silent
from kkcv.zoo.network import Network

from .metrics import measure, softmax

COLDEST, HOTTEST = 0.05, 20.0  # temperatures that are tried


class Scored(NamedTuple):
    """Pictures that could be read, their labels (N,), and unnormalized scores (N, K)."""

    pictures: list[Picture]
    labels: np.ndarray
    scores: np.ndarray
    unreadable: list[dict[str, str]]

    def probabilities(self, temperature: float) -> np.ndarray:
        """(N, K), calibrated."""
        return softmax(self.scores / temperature)

    def figures(self, classes: tuple[str, ...], temperature: float) -> dict[str, Any]:
        """See ``metrics.measure``."""
        return measure(self.probabilities(temperature), self.labels, classes)


def score(
    network: Network,
    base: Checkpoint,
    classes: tuple[str, ...],
    root: Path,
    pictures: Sequence[Picture],
    *,
    device: torch.device,
    tta: bool = False,
    threads: int | None = None,
    progress: Progress = no_progress,
    say: Callable[[str], None] = silent,
) -> Scored:
    """Run the network over pictures below a root; those that cannot be read are set aside."""
    network = placed(network, device)
    function = mirrored(network) if tta else network
    paths = [root / picture.path for picture in pictures]
    rows, errors = outputs(
        function, paths, base.views, device=device, threads=threads, progress=progress, say=say
    )
    good = [i for i, error in enumerate(errors) if error is None]
    unreadable = [
        {"path": picture.path, "reason": error.reason, "message": str(error)}
        for picture, error in zip(pictures, errors, strict=True)
        if error is not None
    ]
    index = {label: i for i, label in enumerate(classes)}
    kept = [pictures[i] for i in good]
    labels = np.array([index[p.label] if p.label else -1 for p in kept], dtype=np.int64)
    return Scored(kept, labels, mean_of_views(rows[good].numpy()), unreadable)


def fit_temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """The divisor of scores (N, K) that makes their log loss on labels (N,) least.

    Guo et al., On Calibration of Modern Neural Networks, arXiv:1706.04599, section 4.2. The ranking
    of classes does not change. Labels are softened as if each picture had been seen N times with
    its own label and twice with any: else a part without a single error would ask for certainty
    (Platt 1999, Probabilistic Outputs for Support Vector Machines, section 2.2, for two classes).
    """
    count, classes = scores.shape
    targets = (np.eye(classes)[labels] * count + 2 / classes) / (count + 2)
    inverse = np.geomspace(1 / HOTTEST, 1 / COLDEST, 49)
    for _ in range(4):  # the loss is convex in 1 / temperature: narrow down around the least
        best = int(np.argmin([cross_entropy(scores * b, targets) for b in inverse]))
        low, high = inverse[max(0, best - 1)], inverse[min(len(inverse) - 1, best + 1)]
        inverse = np.geomspace(low, high, 49)
    return float(1 / inverse[len(inverse) // 2])


def cross_entropy(scores: np.ndarray, targets: np.ndarray) -> float:
    """Mean cross entropy of scores (N, K) with target probabilities (N, K)."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    log = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-(targets * log).sum(axis=1).mean())
