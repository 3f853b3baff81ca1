"""ONNX Runtime, on the processor: small, starts fast, and is always installed."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from kkcv.checkpoint import Checkpoint
from kkcv.embedding.networks import exported
from kkcv.environment import set_default
from kkcv.errors import RequestError
from kkcv.machine import cores

from . import Runtime

CHUNK = 8  # pictures an inference: more are hardly faster, and take more memory


class ONNXRuntime(Runtime):
    """The exported network in float32, computed in one thread a core, each on its own chunk."""

    chunk = CHUNK

    def __init__(
        self, checkpoint: Checkpoint, device: str | None = None, precision: str = "float32"
    ) -> None:
        if device not in (None, "cpu"):
            raise RequestError(f"onnxruntime runs on the cpu here, not on {device!r}: use pytorch")
        if precision != "float32":
            raise RequestError(f"onnxruntime computes in float32 here, not in {precision}")
        network = exported(checkpoint, "onnx")
        self.dim = network.dim
        self._normalize = checkpoint.preprocess.normalize
        self.lanes = cores()
        self._session = session(network.file, threads=1)
        self._threads = ThreadPoolExecutor(self.lanes, "onnxruntime")

    def run(self, crops: np.ndarray) -> np.ndarray:
        if len(crops) <= CHUNK:
            return self._run(crops)
        chunks = (crops[start : start + CHUNK] for start in range(0, len(crops), CHUNK))
        return np.concatenate(list(self._threads.map(self._run, chunks)))

    def _run(self, crops: np.ndarray) -> np.ndarray:
        (vectors,) = self._session.run(["embedding"], {"images": self._normalize(crops)})
        return np.asarray(vectors, np.float32)


def session(file: Path, threads: int = 0, mapped: bool = False) -> Any:
    """An InferenceSession on the processor. With 1 each inference runs in the thread that asks for
    it, and several beside each other; with 0 all cores share each inference.

    ``mapped``: weights are used where they lie in their mapped file, not copied in another order
    that is quicker for large batches.
    """
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    if mapped:
        options.add_session_config_entry("session.disable_prepacking", "1")
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def import_onnxruntime() -> ModuleType:
    """ONNX Runtime without its telemetry, which reports to Microsoft from a queue in ~/.cache."""
    set_default("ORT_DISABLE_TELEMETRY", "1")  # read as it is imported
    import onnxruntime

    onnxruntime.disable_telemetry_events()  # for a process that had imported it already
    return onnxruntime
