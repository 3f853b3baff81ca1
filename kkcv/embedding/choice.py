"""Which runtime and precision embed fastest here: measured once a network, then remembered.

Each runtime is measured in a child process (``probe.py``), so that one that crashes, hangs or
answers wrongly costs a line in the record and nothing else.
"""

import hashlib
import json
import pickle
import platform
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from kkcv import __version__, adapters
from kkcv.checkpoint import Checkpoint
from kkcv.disk import write_file
from kkcv.environment import cache_folder, make_cache_folder
from kkcv.errors import RequestError

from .runtimes import PRECISIONS, RUNTIMES
from .telling import tell
from .threads import cores

SECONDS = 15.0  # for all measuring; the first candidate alone may need longer, to export
FIRST_SECONDS = 180.0
AUTO = "auto"
SURE = ("pytorch", "float32")  # works wherever kkcv is installed


class Choice(NamedTuple):
    """What runs a network."""

    runtime: str
    precision: str


class Measured(NamedTuple):
    """What was found of a candidate: its rate in pictures a second, or why it cannot be taken."""

    runtime: str
    precision: str
    rate: float | None
    failure: str = ""


def choose(
    checkpoint: Checkpoint, runtime: str = AUTO, precision: str = AUTO, device: str | None = None
) -> Choice:
    """The runtime that was asked for, or the fastest here (RequestError for an unknown one)."""
    check(runtime, precision)
    if precision == "int8":
        if runtime not in (AUTO, "openvino") or device not in (None, "cpu"):
            raise RequestError("int8 runs on OpenVINO, on the cpu, and on no other runtime")
        return Choice("openvino", "int8")
    if runtime == AUTO and device not in (None, "cpu"):
        runtime = "pytorch"
    if runtime != AUTO:
        return Choice(runtime, usual_precision(runtime) if precision == AUTO else precision)
    measured = [m for m in known_or_measured(checkpoint) if precision in (AUTO, m.precision)]
    if device == "cpu":
        measured = [m for m in measured if m.runtime != "pytorch"]  # it may have used a GPU
    best = max(measured, key=lambda m: m.rate or 0.0, default=None)
    if best is None or best.rate is None:
        return Choice(SURE[0], SURE[1] if precision == AUTO else precision)
    return Choice(best.runtime, best.precision)


def check(runtime: str, precision: str) -> None:
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


def candidates() -> dict[str, Sequence[str]]:
    """The installed runtimes with their precisions, the likely best first."""
    if find_spec("openvino"):
        found: dict[str, Sequence[str]] = {"openvino": ("bfloat16", "float32")}
    else:
        found = {"onnxruntime": ("float32",)} if find_spec("onnxruntime") else {}
    return {**found, "pytorch": ("float32", "bfloat16")}


def known_or_measured(checkpoint: Checkpoint, *, again: bool = False) -> list[Measured]:
    """The record of this machine and network; made now where there is none."""
    file = record_file(checkpoint)
    if not again and (record := read(file)) is not None:
        return record
    measured = measure(checkpoint)
    if any(m.rate for m in measured):
        write(file, checkpoint, measured)
    for runtime in {m.runtime for m in measured}:
        of_it = [m for m in measured if m.runtime == runtime]
        if not any(m.rate for m in of_it) and of_it[0].failure != OUT_OF_TIME:
            warnings.warn(
                f"{runtime} cannot be used here ({of_it[0].failure}); kkcv goes on without it",
                RuntimeWarning,
                stacklevel=2,
            )
    return measured


OUT_OF_TIME = "not measured: no time was left"


def measure(checkpoint: Checkpoint) -> list[Measured]:
    """Each candidate in its own child process, one after the other, within ``SECONDS``."""
    tell(f"measuring what runs {checkpoint.network} fastest here, once, about {SECONDS:.0f} s")
    found: list[Measured] = []
    deadline: float | None = (
        None  # runs from when the first has answered: exporting is no measuring
    )
    for runtime, precisions in candidates().items():
        if deadline is None or not any(m.rate for m in found):
            left = FIRST_SECONDS
        else:
            left = deadline - time.monotonic()
        if left <= 0:
            found += [Measured(runtime, p, None, OUT_OF_TIME) for p in precisions]
            continue
        found += probe(checkpoint, runtime, precisions, left)
        deadline = deadline or time.monotonic() + SECONDS
    return found


def probe(
    checkpoint: Checkpoint, runtime: str, precisions: Sequence[str], seconds: float
) -> list[Measured]:
    """What the child says of each precision, and a failure for those that it leaves out."""
    command = [sys.executable, "-P", "-m", "kkcv.embedding.probe", runtime, *precisions]
    try:
        done = subprocess.run(
            command, input=pickle.dumps(checkpoint), capture_output=True, timeout=seconds
        )
        said, end = done.stdout, f"its process ended with {done.returncode}"
    except subprocess.TimeoutExpired as error:
        said, end = error.stdout or b"", OUT_OF_TIME
    found = {}
    for line in said.decode().splitlines():
        answer = Measured(*json.loads(line))
        found[answer.precision] = answer
    return [found.get(p, Measured(runtime, p, None, end)) for p in precisions]


def record_file(checkpoint: Checkpoint) -> Path:
    """One a machine, network and version; weights do not change the speed."""
    spec = checkpoint.preprocess
    facts: tuple[Any, ...] = (machine(), __version__, versions())
    facts += (checkpoint.network, spec.size, spec.channels)
    if library := adapters.library_of(checkpoint.name):  # the name alone does not tell the layers
        facts += (library, checkpoint.weights_id)
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
    name = re.sub(r"[^\w.-]", "_", checkpoint.network)
    return cache_folder() / "runtimes" / f"{name}-{key}.json"


def machine() -> str:
    """The processor, how many cores of it, and whether there is a GPU of NVIDIA."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    gpu = " with a GPU" if Path("/dev/nvidia0").exists() else ""
    return f"{name}, {cores()} cores{gpu}"


def versions() -> dict[str, str]:
    """Of the libraries that run networks."""
    found = {}
    for package in ("openvino", "onnxruntime", "torch"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "-"
    return found


def read(file: Path) -> list[Measured] | None:
    """The record; None when there is none that can be read."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        found = [Measured(**row) for row in document["measured"]]
        return found if all(m.runtime in RUNTIMES for m in found) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(file: Path, checkpoint: Checkpoint, measured: list[Measured]) -> None:
    """Keep the measurements; a cache that cannot be written is no reason to stop."""
    document: dict[str, Any] = {
        "machine": machine(),
        "network": checkpoint.network,
        "kkcv": __version__,
        "versions": versions(),
        "measured": [m._asdict() for m in measured],
    }
    try:
        make_cache_folder(file.parent)
        write_file(file, json.dumps(document, indent=1))
    except OSError:
        pass
