"""ONNX Runtime, on the processor: where OpenVINO is missing."""

import numpy as np

from kkcv.checkpoint import Checkpoint
from kkcv.embedding.networks import exported
from kkcv.errors import MissingExtra, RequestError


class ONNXRuntime:
    """The exported network in float32."""

    def __init__(
        self, checkpoint: Checkpoint, device: str | None = None, precision: str = "float32"
    ) -> None:
        if device not in (None, "cpu"):
            raise RequestError(f"onnxruntime runs on the cpu here, not on {device!r}: use pytorch")
        if precision != "float32":
            raise RequestError(f"onnxruntime computes in float32 here, not in {precision}")
        try:
            import onnxruntime
        except ImportError:
            raise MissingExtra("ONNX Runtime", "onnx") from None
        network = exported(checkpoint, "onnx")
        self.dim = network.dim
        self._session = onnxruntime.InferenceSession(
            network.file, providers=["CPUExecutionProvider"]
        )

    def run(self, batch: np.ndarray) -> np.ndarray:
        (vectors,) = self._session.run(None, {"images": batch})
        return np.asarray(vectors, np.float32)
