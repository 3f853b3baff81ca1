"""Runtimes, which run networks: one per file, chosen by name from ``RUNTIMES``.

``choice.py`` takes one, and tries it in a process of its own, for a runtime may crash.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from kkcv.checkpoint import Checkpoint
from kkcv.extras import need

PRECISIONS = ("float32", "bfloat16", "int8")  # int8 is not chosen by itself: it needs pictures
FORMATS = {"openvino": "openvino", "onnxruntime": "onnx"}  # by runtime, what it reads (networks.py)


class Runtime(ABC):
    """A network that is ready to run, made from a checkpoint.

    ``dim`` is the length of an embedding, ``lanes`` how many runs beside each other are quicker
    than one after the other, and ``chunk`` how many pictures a run should have.
    """

    dim: int
    lanes: int = 1
    chunk: int = 16

    @abstractmethod
    def run(self, crops: np.ndarray) -> np.ndarray:
        """Embeddings, not yet of unit length: crops uint8 (N, H, W, C) → float32 (N, D).

        Safe to call from several threads.
        """


def pytorch(checkpoint: Checkpoint, device: str | None, precision: str) -> Runtime:
    need("torch")
    from .pytorch import PyTorch

    return PyTorch(checkpoint, device, precision)


def openvino(checkpoint: Checkpoint, device: str | None, precision: str) -> Runtime:
    need("openvino")
    from .openvino import OpenVINO

    return OpenVINO(checkpoint, device, precision)


def onnxruntime(checkpoint: Checkpoint, device: str | None, precision: str) -> Runtime:
    from .onnxruntime import ONNXRuntime

    return ONNXRuntime(checkpoint, device, precision)


RUNTIMES: dict[str, Callable[[Checkpoint, str | None, str], Runtime]] = {
    "openvino": openvino,
    "onnxruntime": onnxruntime,
    "pytorch": pytorch,
}
