"""A whole network in eager PyTorch, in float32: the one file that ``whole.py`` needs torch for."""

import numpy as np
import torch

from kkcv.checkpoint import Checkpoint
from kkcv.zoo.richer import Richer

from .explanation import Parts
from .parts import parts_of
from .richer_parts import parts_of_richer
from .runtimes.pytorch import device_named


class Eager:
    """Any checkpoint, built: ``network`` is its module, on ``device``."""

    def __init__(self, checkpoint: Checkpoint, device: str | None = None) -> None:
        self.device = device_named(device)
        self.network = checkpoint.build().to(self.device)
        assert self.network.spec is not None
        self.classes = self.network.spec.num_classes

    @torch.inference_mode()
    def scores(self, images: np.ndarray) -> np.ndarray:
        """Unnormalized class scores: float32 (N, C, H, W) → float32 (N, classes)."""
        return self.network(torch.from_numpy(images).to(self.device)).float().cpu().numpy()

    def parts(self, images: np.ndarray) -> Parts:
        """The share of each position in the embedding of an image: (1, C, H, W) → (h, w, D).

        Raises RequestError for a network without a feature map.
        """
        batch = torch.from_numpy(images).to(self.device)
        if isinstance(self.network, Richer):
            return parts_of_richer(self.network, batch)
        return parts_of(self.network, batch)
