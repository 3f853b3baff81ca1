"""A network is asked why two pictures score what they do. It computes in float32."""

import numpy as np

from kkcv.checkpoint import Checkpoint

from . import panoramas
from .explanation import Explanation, Parts, explained
from .whole import WholeNetwork, whole_network


def explain(
    query: np.ndarray,
    hit: np.ndarray,
    checkpoint: Checkpoint,
    network: WholeNetwork | None = None,
    projection: np.ndarray | None = None,
) -> Explanation:
    """Why two decoded pictures score what they do: uint8 (H, W, 3) each.

    Args:
        network: the checkpoint's, where it is loaded already.
        projection: float (D, d): the score is that of the projected embeddings.

    Raises RequestError for a network without a feature map, WeightsError, MissingExtra.
    """
    network, preprocess = network or whole_network(checkpoint), checkpoint.preprocess

    def parts(pixels: np.ndarray) -> Parts:
        """The share of each position in the embedding of a picture."""
        squares = panoramas.squares(pixels)
        found = [network.parts(preprocess(each, "opencv")[None]) for each in squares]
        if len(found) > 1:
            return panoramas.parts_joined(found, int(np.argmax(pixels.shape[:2])))
        return found[0]

    first, second = parts(query), parts(hit)
    if projection is not None:
        first, second = first.through(projection), second.through(projection)
    here, there = (panoramas.seen(preprocess, *each.shape[:2]) for each in (query, hit))
    return explained(first, second, here, there)
