"""What a classifier answers for labelled pictures, and the figures of that."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from kkcv.checkpoint import Checkpoint
from kkcv.zoo.network import Network

from .calibration import fit_temperature
from .forward import Progress, mirrored, outputs, placed
from .layouts import Picture
from .metrics import measure, softmax


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
    progress: Progress | None = None,
) -> Scored:
    """Run the network over pictures below a root; those that cannot be read are set aside."""
    network = placed(network, device)
    function = mirrored(network) if tta else network
    paths = [root / picture.path for picture in pictures]
    rows, errors = outputs(
        function, paths, base.preprocess, device=device, threads=threads, progress=progress
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
    return Scored(kept, labels, rows[good].numpy(), unreadable)


def temperature_of(scored: Scored) -> float:
    """The temperature that suits these pictures best (``calibration``)."""
    return fit_temperature(scored.scores, scored.labels)
