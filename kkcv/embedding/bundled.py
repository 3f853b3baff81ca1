"""The default network, which comes with kkcv ready to run: no torch, no download, no export.

``network/efficientnet_lite0.onnx`` is the zoo's own module with the public weights, in float32. It
has three outputs: the last feature map, the embedding and the class scores. ``make bundle``
writes it, together with ``reference.npz``: crops and the embeddings that PyTorch makes of them,
against which runtimes are checked.
"""

from pathlib import Path

from kkcv.checkpoint import Checkpoint

NETWORK = "efficientnet_lite0"
WEIGHTS = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"  # sha256, public
DIM, CLASSES = 1280, 1000
FILE = Path(__file__).with_name("network") / f"{NETWORK}.onnx"
SHA256 = "e5d709a0b7a2053c11847c28fe7e328a4ee23af9cfc740d4d3bbe7f6df7098b5"  # of FILE
REFERENCE = FILE.with_name("reference.npz")


def is_bundled(checkpoint: Checkpoint) -> bool:
    """Whether the bundled file is this network with these weights."""
    return (
        checkpoint.network == NETWORK
        and checkpoint.weights_id == WEIGHTS
        and checkpoint.classes is None
    )
