"""Runtimes, which run networks: one per file, chosen by name from ``RUNTIMES``.

A runtime is made from a checkpoint and turns a batch into embeddings that are not yet of unit
length: float32 (N, C, H, W) → float32 (N, D). ``choice.py`` takes one, and tries it in a process of
its own, for a runtime may crash.
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from kkcv.checkpoint import Checkpoint
from kkcv.extras import need

PRECISIONS = ("float32", "bfloat16", "int8")
FORMATS = {"openvino": "openvino", "onnxruntime": "onnx"}  # by runtime, what it reads (networks.py)


class Runtime(Protocol):
    """A network that is ready to run."""

    dim: int

    def run(self, batch: np.ndarray) -> np.ndarray:
        """Embeddings: float32 (N, C, H, W) → float32 (N, D). Safe to call from several threads."""
        ...


@runtime_checkable
class CropRuntime(Protocol):
    """A runtime that scales the pixels itself, which saves a pass over them."""

    dim: int

    def run_crops(self, crops: np.ndarray) -> np.ndarray:
        """Embeddings: uint8 (N, H, W, C) → float32 (N, D). Safe to call from several threads."""
        ...


def pytorch(checkpoint: Checkpoint, device: str | None, precision: str) -> Runtime:
    need("torch")
    from .pytorch import PyTorch

    return PyTorch(checkpoint, device, precision)


def openvino(checkpoint: Checkpoint, device: str | None, precision: str) -> CropRuntime:
    need("openvino")
    from .openvino import OpenVINO

    return OpenVINO(checkpoint, device, precision)


def onnxruntime(checkpoint: Checkpoint, device: str | None, precision: str) -> Runtime:
    from .onnxruntime import ONNXRuntime

    return ONNXRuntime(checkpoint, device, precision)


RUNTIMES: dict[str, Callable[[Checkpoint, str | None, str], Runtime | CropRuntime]] = {
    "openvino": openvino,
    "onnxruntime": onnxruntime,
    "pytorch": pytorch,
}


def run_crops(
    runtime: Runtime | CropRuntime, checkpoint: Checkpoint, crops: np.ndarray
) -> np.ndarray:
    """Embeddings of crops by any runtime: uint8 (N, H, W, C) → float32 (N, D)."""
    if isinstance(runtime, CropRuntime):
        return runtime.run_crops(crops)
    return runtime.run(checkpoint.preprocess.normalize(crops))
