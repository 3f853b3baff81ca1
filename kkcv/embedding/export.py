"""The child process that exports a network: ``python -m kkcv.embedding.export FORMAT FOLDER``.

It reads the pickled checkpoint from standard input, and writes the network and the reference: a
few pictures with their embeddings in float32, against which runtimes are checked.
"""

import pickle
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from kkcv.checkpoint import Checkpoint
from kkcv.images.preprocess import Preprocess

from .child import as_child
from .runtimes.openvino import import_openvino


class Embedding(torch.nn.Module):
    """The part of a network that is exported: all but its head."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.network = checkpoint.build()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network.embedding(images)


def export(checkpoint: Checkpoint, format: str, folder: Path) -> None:
    network = Embedding(checkpoint).eval()
    crops = synthetic_pictures(checkpoint.preprocess)
    images = torch.from_numpy(checkpoint.preprocess.normalize(crops))
    with torch.inference_mode():
        vectors = network(images).numpy()
    np.savez(folder / "reference.npz", crops=crops, vectors=vectors)
    if format == "openvino":
        to_openvino(network, images, folder)
    else:
        program = to_onnx(network, images, ["embedding"])
        program.save(folder / "model.onnx", external_data=False)


def to_openvino(network: Embedding, images: torch.Tensor, folder: Path) -> None:
    openvino = import_openvino()
    batch = {"images": {0: torch.export.Dim.DYNAMIC}}
    program = torch.export.export(network, (images,), dynamic_shapes=batch)
    model = openvino.convert_model(program)
    # by default the weights would be rounded to float16
    openvino.save_model(model, folder / "model.xml", compress_to_fp16=False)


def to_onnx(
    network: torch.nn.Module, batch: torch.Tensor, outputs: Sequence[str], takes: str = "images"
) -> torch.onnx.ONNXProgram:
    """The network for a batch of any size, which it ``takes`` by this name; its outputs by name.

    The first axis of each is called ``batch``.
    """
    program = torch.onnx.export(
        network,
        (batch,),
        dynamo=True,
        dynamic_shapes=({0: "batch"},),
        input_names=[takes],
        output_names=outputs,
        verbose=False,
    )
    assert program is not None
    return program


def synthetic_pictures(preprocess: Preprocess) -> np.ndarray:
    """Colored clouds, each its own: uint8 (4, H, W, C)."""
    count = 4
    random = np.random.default_rng(0)
    height, width = preprocess.size
    rows, columns = np.mgrid[:height, :width] / max(height, width)
    crops = np.zeros((count, height, width, preprocess.channels))
    for wave in range(1, 25):
        shape = (2, count, 1, 1, preprocess.channels)
        down, across = random.uniform(-wave, wave, shape)
        phase = random.uniform(0, 2 * np.pi, shape[1:])
        crops += np.sin(6.28 * (down * rows[..., None] + across * columns[..., None]) + phase)
    return np.clip(128 + 15 * crops, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    torch.set_num_threads(1)  # there is little to compute, and threads would only wait
    with as_child():
        export(pickle.load(sys.stdin.buffer), sys.argv[1], Path(sys.argv[2]))
