"""A network that is asked for more than an embedding: its class scores, and what each part adds.

The bundled network answers without torch; others are built by the zoo or an adapter (eager.py).
"""

from typing import Protocol

import numpy as np

from kkcv.checkpoint import Checkpoint
from kkcv.extras import need

from .bundled import Bundled, is_bundled
from .explanation import Parts


class WholeNetwork(Protocol):
    """``classes`` is how many class scores there are; 0 where the network only compares."""

    classes: int

    def scores(self, images: np.ndarray) -> np.ndarray:
        """Unnormalized class scores: float32 (N, C, H, W) → float32 (N, classes)."""
        ...

    def parts(self, images: np.ndarray) -> Parts:
        """What each position adds to the embedding of one image: float32 (1, C, H, W) → (h, w, D).

        Raises RequestError for a network without a feature map.
        """
        ...


def whole_network(checkpoint: Checkpoint, device: str | None = None) -> WholeNetwork:
    """The network, in PyTorch on ``device`` unless it is bundled (MissingExtra, WeightsError)."""
    if is_bundled(checkpoint) and device in (None, "cpu"):
        return Bundled()
    need("torch")
    from .eager import Eager

    return Eager(checkpoint, device)
