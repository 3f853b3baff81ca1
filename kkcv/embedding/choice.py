"""The choice of the runtime and precision that run a network here.

On the usual processors the answer is known: OpenVINO where it is installed, else ONNX Runtime. A
runtime has crashed on some machines and answered wrongly on others, so it is checked once a network
(measuring.py). Where the answer is not known, all runtimes are measured instead.
"""

import platform
from pathlib import Path
from typing import NamedTuple

from kkcv.checkpoint import Checkpoint
from kkcv.errors import MissingExtra, RequestError
from kkcv.extras import is_installed

from . import measuring
from .bundled import is_bundled
from .child import Interrupted
from .networks import exported
from .record import Measured, read, record_file, write
from .runtimes import FORMATS, PRECISIONS, RUNTIMES
from .telling import tell

AUTO = "auto"
CHECKED_A_SECOND = 4e6  # bytes of weights, on a busy machine
KNOWN = ("x86_64", "amd64", "aarch64", "arm64")  # processors on which the answer is known


class Choice(NamedTuple):
    """A runtime and the precision that it computes in."""

    runtime: str
    precision: str


def choose(
    checkpoint: Checkpoint, runtime: str = AUTO, precision: str = AUTO, device: str | None = None
) -> Choice:
    """The runtime that was asked for, or the best here (RequestError for an unknown one)."""
    check_names(runtime, precision)
    if precision == "int8":
        if runtime not in (AUTO, "openvino") or device not in (None, "cpu"):
            raise RequestError("int8 runs on OpenVINO, on the cpu, and on no other runtime")
        return Choice("openvino", "int8")
    if runtime == AUTO and device not in (None, "cpu"):
        runtime = "pytorch"
    if runtime != AUTO:
        return Choice(runtime, usual_precision(runtime) if precision == AUTO else precision)
    record = read(record_file(checkpoint))
    if not any(m.rate for m in record) and not answer_is_known():
        record = measuring.measured(checkpoint)
    fit = [m for m in record if m.rate and precision in (AUTO, m.precision)]
    if device == "cpu":
        fit = [m for m in fit if m.runtime != "pytorch"]  # it may have used a GPU
    if fit:
        best = max(fit, key=lambda m: m.rate or 0.0)
        return Choice(best.runtime, best.precision)
    return first_that_works(checkpoint, precision, record)


def answer_is_known() -> bool:
    """Whether the fastest runtime is known without measuring: no GPU is at hand."""
    gpu = Path("/dev/nvidia0").exists() and is_installed("torch")
    return platform.machine().lower() in KNOWN and not gpu


def first_that_works(checkpoint: Checkpoint, precision: str, record: list[Measured]) -> Choice:
    """The likely fastest of the runtimes that answer rightly; each is checked once."""
    for runtime in measuring.candidates():
        if runtime == "pytorch":
            break
        if runtime == "onnxruntime" and precision == "bfloat16":
            continue
        if runtime == "onnxruntime" and is_bundled(checkpoint):
            return Choice(runtime, "float32")  # a test compares the very file
        found = [m for m in record if m.runtime == runtime] or [check_runtime(checkpoint, runtime)]
        works = next((m for m in found if not m.failure), None)
        if works is not None and not (precision == "bfloat16" and works.precision == "float32"):
            return Choice(runtime, works.precision if precision == AUTO else precision)
    return Choice("pytorch", "float32" if precision == AUTO else precision)


def check_runtime(checkpoint: Checkpoint, runtime: str) -> Measured:
    """Whether a runtime answers rightly here; says what is done, for it takes some seconds.

    The answer is remembered, unless installing a package or more memory may change it.

    Raises MissingExtra where neither the exported network nor torch is there; WeightsError.
    """
    try:
        network = exported(checkpoint, FORMATS[runtime])  # by itself, for it may take a while
        tell(f"checking how {runtime} runs {checkpoint.network} here, once")
        found = measuring.check(checkpoint, runtime, network.bytes / CHECKED_A_SECOND)
    except MissingExtra as error:
        if not is_installed("torch"):
            raise
        return Measured(runtime, "float32", None, str(error))
    except Interrupted as error:
        found = Measured(runtime, "float32", None, str(error))
        measuring.warn([found])
        return found
    except RequestError as error:
        found = Measured(runtime, "float32", None, str(error))
    measuring.warn([found])
    file = record_file(checkpoint)
    write(file, checkpoint, [*read(file), found])
    return found


def check_names(runtime: str, precision: str) -> None:
    if runtime != AUTO and runtime not in RUNTIMES:
        raise RequestError(f"no runtime {runtime!r}; there are: {', '.join((AUTO, *RUNTIMES))}")
    if precision != AUTO and precision not in PRECISIONS:
        raise RequestError(
            f"no precision {precision!r}; there are: {', '.join((AUTO, *PRECISIONS))}"
        )


def usual_precision(runtime: str) -> str:
    """bfloat16 where it is known to pay, else float32."""
    if runtime == "openvino":
        from .runtimes.openvino import has_bfloat16, import_openvino

        return "bfloat16" if has_bfloat16(import_openvino().Core()) else "float32"
    return "float32"
