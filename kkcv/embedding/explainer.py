"""A network that is asked why two pictures score what they do."""

import numpy as np
import torch

from kkcv.checkpoint import Checkpoint
from kkcv.zoo.network import Network
from kkcv.zoo.richer import Richer

from .explanation import Explanation, Parts, explained
from .parts import parts_of
from .richer_parts import parts_of_richer


class Explainer:
    """A network of which each picture's parts are asked. It computes in float32, in PyTorch."""

    def __init__(self, checkpoint: Checkpoint, network: Network | None = None) -> None:
        self.checkpoint = checkpoint
        self.network = network or checkpoint.build()

    def explain(
        self, query: np.ndarray, hit: np.ndarray, projection: np.ndarray | None = None
    ) -> Explanation:
        """Why two decoded pictures score what they do: uint8 (H, W, 3) each.

        With a ``projection``, float (D, d), the score is that of the projected embeddings.

        Raises RequestError for a network without a feature map.
        """
        preprocess = self.checkpoint.preprocess
        first, second = self.parts(query), self.parts(hit)
        if projection is not None:
            first, second = first.through(projection), second.through(projection)
        return explained(
            first, second, preprocess.seen(*query.shape[:2]), preprocess.seen(*hit.shape[:2])
        )

    def parts(self, pixels: np.ndarray) -> Parts:
        """What each position adds to the embedding of a decoded picture: uint8 (H, W, 3)."""
        tensor = torch.from_numpy(self.checkpoint.preprocess(pixels, "opencv"))[None]
        images = tensor.to(next(self.network.parameters()).device)
        if isinstance(self.network, Richer):
            return parts_of_richer(self.network, images)
        return parts_of(self.network, images)
