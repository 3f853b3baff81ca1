"""Networks that give class scores and the parts of an embedding, not embeddings alone.

The bundled network answers without torch; others are built by the zoo or an adapter (eager.py).
"""

from typing import NamedTuple, Protocol

import numpy as np

from kkcv.checkpoint import Checkpoint
from kkcv.extras import need

from .bundled import CLASSES, DIM, FILE, is_bundled
from .explanation import Parts
from .runtimes.onnxruntime import session


class WholeNetwork(Protocol):
    """``classes`` is how many class scores there are; 0 where the network only compares."""

    classes: int

    def scores(self, images: np.ndarray) -> np.ndarray:
        """Unnormalized class scores: float32 (N, C, H, W) → float32 (N, classes)."""
        ...

    def parts(self, images: np.ndarray) -> Parts:
        """The share of each position in the embedding of an image: (1, C, H, W) → (h, w, D).

        Raises RequestError for a network without a feature map.
        """
        ...


class Outputs(NamedTuple):
    """The outputs for images float32 (N, 3, 224, 224)."""

    map: np.ndarray  # float32 (N, 1280, 7, 7)
    embedding: np.ndarray  # float32 (N, 1280)
    scores: np.ndarray  # float32 (N, 1000)


class Bundled:
    """The bundled network with all of its outputs (whole.py), in float32, on ONNX Runtime."""

    classes = CLASSES

    def __init__(self) -> None:
        self._session = session(FILE)

    def run(self, images: np.ndarray) -> Outputs:
        """All outputs: float32 (N, 3, 224, 224) → Outputs."""
        return Outputs(*self._session.run(Outputs._fields, {"images": images}))

    def scores(self, images: np.ndarray) -> np.ndarray:
        """Unnormalized class scores: float32 (N, 3, 224, 224) → float32 (N, 1000)."""
        return self.run(images).scores

    def parts(self, images: np.ndarray) -> Parts:
        """The share of each position in the embedding: float32 (1, 3, 224, 224) → (7, 7, 1280).

        The embedding is the mean of the map, so the parts are the map over its positions.
        """
        (features,) = self.run(images).map
        positions = features[0].size
        return Parts(features.transpose(1, 2, 0) / positions, np.zeros(DIM, np.float32))


def whole_network(checkpoint: Checkpoint, device: str | None = None) -> WholeNetwork:
    """The network, in PyTorch on ``device`` unless it is bundled (MissingExtra, WeightsError)."""
    if is_bundled(checkpoint) and device in (None, "cpu"):
        return Bundled()
    need("torch")
    from .eager import Eager

    return Eager(checkpoint, device)


def mean_of_views(scores: np.ndarray) -> np.ndarray:
    """Scores whose softmax is the mean over the views: (N, V, classes) → (N, classes).

    One view keeps its scores.
    """
    if scores.shape[1] == 1:
        return scores[:, 0]
    powers = np.exp(scores - scores.max(2, keepdims=True, initial=-np.inf))
    tiny = np.finfo(powers.dtype).tiny  # of a class that no view thinks possible
    return np.log(np.maximum((powers / powers.sum(2, keepdims=True)).mean(1), tiny))
