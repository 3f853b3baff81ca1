"""A network that is asked why two pictures score what they do."""

import numpy as np

from kkcv.checkpoint import Checkpoint

from . import panoramas
from .explanation import Explanation, Parts, explained
from .whole import WholeNetwork, whole_network


class Explainer:
    """A network of which each picture's parts are asked. It computes in float32."""

    def __init__(self, checkpoint: Checkpoint, network: WholeNetwork | None = None) -> None:
        """``network`` is the checkpoint's, where it is loaded already.

        Raises WeightsError, MissingExtra.
        """
        self.checkpoint = checkpoint
        self.network = network or whole_network(checkpoint)

    def explain(
        self, query: np.ndarray, hit: np.ndarray, projection: np.ndarray | None = None
    ) -> Explanation:
        """Why two decoded pictures score what they do: uint8 (H, W, 3) each.

        With a ``projection``, float (D, d), the score is that of the projected embeddings.

        Raises RequestError for a network without a feature map.
        """
        first, second = self.parts(query), self.parts(hit)
        if projection is not None:
            first, second = first.through(projection), second.through(projection)
        preprocess = self.checkpoint.preprocess
        here, there = (panoramas.seen(preprocess, *each.shape[:2]) for each in (query, hit))
        return explained(first, second, here, there)

    def parts(self, pixels: np.ndarray) -> Parts:
        """The share of each position in the embedding of a decoded picture: uint8 (H, W, 3)."""
        preprocess = self.checkpoint.preprocess
        squares = panoramas.squares(pixels)
        found = [self.network.parts(preprocess(each, "opencv")[None]) for each in squares]
        if len(found) == 1:
            return found[0]
        return panoramas.parts_joined(found, int(np.argmax(pixels.shape[:2])))
