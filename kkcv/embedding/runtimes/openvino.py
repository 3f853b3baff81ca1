"""OpenVINO, on the processor: the fastest there, in bfloat16 above all."""

import sys
import threading
from collections import deque
from queue import Empty, SimpleQueue
from types import ModuleType
from typing import Any

import numpy as np

from kkcv.checkpoint import Checkpoint
from kkcv.embedding.networks import Exported, exported
from kkcv.errors import RequestError
from kkcv.images.preprocess import Preprocess

from . import Runtime

CONVERTER = "openvino.tools.ovc"
CHUNK = 8  # pictures an inference: more are hardly faster, and each stream keeps its own maps


class OpenVINO(Runtime):
    """The exported network: one stream a core, each a thread that works on its own chunk.

    Streams never wait for each other, so they share the cores well with threads that decode.
    ``network`` is another than the one that is exported: a quantized one says itself which of its
    layers compute in int8.
    """

    chunk = CHUNK

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str | None = None,
        precision: str = "float32",
        network: Exported | None = None,
    ) -> None:
        if device not in (None, "cpu"):
            raise RequestError(f"openvino runs on the cpu here, not on {device!r}: use pytorch")
        ov = import_openvino()
        network = network or exported(checkpoint, "openvino")
        self.dim = network.dim
        core = ov.Core()
        if precision == "bfloat16" and not has_bfloat16(core):
            raise RequestError("this processor has no bfloat16; use --precision float32")
        model = embedding_alone(ov, core.read_model(network.file))
        model = with_normalization(ov, model, checkpoint.preprocess)
        settings = {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bfloat16" else "f32",
            "ENABLE_CPU_PINNING": False,  # a pinned thread waits for its core while another is idle
        }
        compiled = core.compile_model(model, "CPU", settings)
        self._tensor = ov.Tensor
        self.lanes = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self._waiting = 0  # threads without any request
        self._counting = threading.Lock()
        self._idle: SimpleQueue[Any] = SimpleQueue()
        for _ in range(self.lanes):
            self._idle.put(compiled.create_infer_request())

    def run(self, crops: np.ndarray) -> np.ndarray:
        crops = np.ascontiguousarray(crops)
        vectors = np.empty((len(crops), self.dim), np.float32)
        running: deque[tuple[Any, slice]] = deque()
        try:
            for start in range(0, len(crops), CHUNK):
                part = slice(start, min(start + CHUNK, len(crops)))
                request = self._request(running, vectors)
                running.append((request, part))
                # not copied: the crops live until all requests are done
                request.set_input_tensor(self._tensor(crops[part], shared_memory=True))
                request.start_async()
            while running:
                self._idle.put(collect(running, vectors))
        finally:
            for request, _ in running:  # something failed: nothing may write into our arrays later
                request.cancel()
                request.wait()
                self._idle.put(request)
        return vectors

    def _request(self, running: deque[tuple[Any, slice]], vectors: np.ndarray) -> Any:
        """An idle request; where there is none, our own oldest when it is done, or another's.

        Our own goes to a thread that has none: one picture never waits for many.
        """
        try:
            return self._idle.get_nowait()
        except Empty:
            pass
        while running:
            request = collect(running, vectors)
            if not self._waiting:
                return request
            self._idle.put(request)
        with self._counting:
            self._waiting += 1
        try:
            return self._idle.get()
        finally:
            with self._counting:
                self._waiting -= 1


def collect(running: deque[tuple[Any, slice]], vectors: np.ndarray) -> Any:
    """Wait for the oldest request, take its answer over, and give it back."""
    request, part = running[0]
    request.wait()
    vectors[part] = request.get_output_tensor().data
    running.popleft()
    return request


def import_openvino() -> ModuleType:
    """OpenVINO without its telemetry, which on import would report to Google Analytics.

    Nor is its converter imported, which takes as long as all the rest: ``convert_model`` is that at
    its first call.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    if "openvino" in sys.modules:
        return sys.modules["openvino"]
    sys.modules[CONVERTER] = None  # type: ignore[assignment]
    try:
        import openvino
    finally:
        del sys.modules[CONVERTER]

    def convert_model(*arguments: Any, **options: Any) -> Any:
        from openvino.tools.ovc import convert_model as convert

        return convert(*arguments, **options)

    openvino.convert_model = convert_model
    return openvino


def has_bfloat16(core: Any) -> bool:
    """Whether the processor multiplies bfloat16 itself."""
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def embedding_alone(ov: ModuleType, model: Any) -> Any:
    """The model without the other outputs that the bundled network has."""
    if len(model.outputs) == 1:
        return model
    return ov.Model([model.output("embedding")], model.get_parameters())


def with_normalization(ov: ModuleType, model: Any, preprocess: Preprocess) -> Any:
    """The model for crops, uint8 (N, H, W, C), as ``Preprocess.normalize`` has it."""
    from openvino.preprocess import PrePostProcessor

    model.reshape([-1, preprocess.channels, *preprocess.size])
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    steps.input().model().set_layout(ov.Layout("NCHW"))
    steps.input().preprocess().convert_element_type(ov.Type.f32).mean(
        [255 * mean for mean in preprocess.mean]
    ).scale([255 * std for std in preprocess.std])
    return steps.build()
