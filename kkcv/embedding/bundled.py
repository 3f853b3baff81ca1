"""The default network, which comes with kkcv ready to run: no torch, no download, no export.

``network/efficientnet_lite0.onnx`` is the zoo's own module with the public weights, in float32. It
has three outputs: the last feature map, the embedding and the class scores. ``make bundle``
(bundle.py) writes it, together with ``reference.npz``: crops and the embeddings that PyTorch makes
of them, against which runtimes are checked.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from kkcv.checkpoint import Checkpoint

from .explanation import Parts

NETWORK = "efficientnet_lite0"
WEIGHTS = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"  # sha256, public
DIM, CLASSES = 1280, 1000
FILE = Path(__file__).with_name("network") / f"{NETWORK}.onnx"
SHA256 = "e5d709a0b7a2053c11847c28fe7e328a4ee23af9cfc740d4d3bbe7f6df7098b5"  # of FILE
REFERENCE = FILE.with_name("reference.npz")


class Outputs(NamedTuple):
    """What the network computes from images float32 (N, 3, 224, 224)."""

    map: np.ndarray  # float32 (N, 1280, 7, 7)
    embedding: np.ndarray  # float32 (N, 1280)
    scores: np.ndarray  # float32 (N, 1000)


def is_bundled(checkpoint: Checkpoint) -> bool:
    """Whether the bundled file is this network with these weights."""
    return (
        checkpoint.network == NETWORK
        and checkpoint.weights_id == WEIGHTS
        and checkpoint.classes is None
    )


class Bundled:
    """The bundled network with all of its outputs (whole.py), in float32, on ONNX Runtime."""

    classes = CLASSES

    def __init__(self) -> None:
        from .runtimes.onnxruntime import session

        self._session = session(FILE)

    def run(self, images: np.ndarray) -> Outputs:
        """All outputs: float32 (N, 3, 224, 224) → Outputs."""
        return Outputs(*self._session.run(Outputs._fields, {"images": images}))

    def scores(self, images: np.ndarray) -> np.ndarray:
        """Unnormalized class scores: float32 (N, 3, 224, 224) → float32 (N, 1000)."""
        return self.run(images).scores

    def parts(self, images: np.ndarray) -> Parts:
        """What each position adds to the embedding: float32 (1, 3, 224, 224) → (7, 7, 1280).

        The embedding is the mean of the map, so the parts are the map over its positions.
        """
        (features,) = self.run(images).map
        positions = features[0].size
        return Parts(features.transpose(1, 2, 0) / positions, np.zeros(DIM, np.float32))
