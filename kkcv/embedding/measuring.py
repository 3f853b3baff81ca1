"""Runtimes tried in child processes (``probe.py``), which may crash, hang or answer wrongly."""

import json
import pickle
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence

from kkcv.checkpoint import Checkpoint
from kkcv.extras import is_installed

from .child import raise_refusal
from .record import Measured, read, record_file, write
from .telling import tell

SECONDS = 15.0  # for all measuring; the first candidate alone may need longer, to export
FIRST_SECONDS = 180.0  # for each runtime, until one has been measured
CHECK_SECONDS = 30.0  # it takes one, of a small network; what takes longer hangs
OUT_OF_TIME = "not measured: no time was left"
PRECISIONS = {  # in this order they are tried
    "openvino": ("bfloat16", "float32"),
    "onnxruntime": ("float32",),
    "pytorch": ("float32", "bfloat16"),
}


def candidates() -> list[str]:
    """The installed runtimes, the likely fastest first."""
    modules = {"pytorch": "torch"}
    return [name for name in PRECISIONS if is_installed(modules.get(name, name))]


def check(checkpoint: Checkpoint, runtime: str, more: float = 0.0) -> Measured:
    """The first precision in which a runtime answers rightly, or why there is none.

    ``more`` are seconds that a large network may take besides.
    """
    found, end = ask(checkpoint, "check", runtime, PRECISIONS[runtime], CHECK_SECONDS + more)
    works = next((m for m in found if not m.failure), None)
    if works is None:
        end = end or (found[-1].failure if found else "it said nothing")
        return Measured(runtime, "float32", None, end)
    return works


def measured(checkpoint: Checkpoint, *, again: bool = False) -> list[Measured]:
    """The rates of this machine and network; measured now where they were not."""
    file = record_file(checkpoint)
    record = read(file)
    if not again and any(m.rate for m in record):
        return record
    found = measure(checkpoint)
    if any(m.rate for m in found):
        write(file, checkpoint, found)
    for runtime in dict.fromkeys(m.runtime for m in found):
        warn([m for m in found if m.runtime == runtime])
    return found


def warn(found: Sequence[Measured]) -> None:
    """Warn if a runtime fails in every precision."""
    if all(m.failure for m in found) and found[0].failure != OUT_OF_TIME:
        warnings.warn(
            f"{found[0].runtime} cannot be used here ({found[0].failure}); kkcv goes on without it",
            RuntimeWarning,
            stacklevel=2,
        )


def measure(checkpoint: Checkpoint) -> list[Measured]:
    """Each candidate in its own child process, one after the other, within ``SECONDS``."""
    tell(f"measuring what runs {checkpoint.network} fastest here, once, about {SECONDS:.0f} s")
    found: list[Measured] = []
    # runs from when the first has answered: exporting is not part of the measurement
    deadline: float | None = None
    for runtime in candidates():
        if deadline is None or not any(m.rate for m in found):
            left = FIRST_SECONDS
        else:
            left = deadline - time.monotonic()
        found += rates(checkpoint, runtime, left)
        deadline = deadline or time.monotonic() + SECONDS
    return found


def rates(checkpoint: Checkpoint, runtime: str, seconds: float) -> list[Measured]:
    """The rate of each precision, or a failure where the child reports none."""
    precisions = PRECISIONS[runtime]
    if seconds <= 0:
        return [Measured(runtime, p, None, OUT_OF_TIME) for p in precisions]
    found, end = ask(checkpoint, "measure", runtime, precisions, seconds)
    said = {m.precision: m for m in found}
    return [said.get(p, Measured(runtime, p, None, end)) for p in precisions]


def ask(
    checkpoint: Checkpoint, what: str, runtime: str, precisions: Sequence[str], seconds: float
) -> tuple[list[Measured], str]:
    """The findings of a child, and how it ended if it failed.

    Raises KkcvError for what no runtime can do, such as WeightsError.
    """
    # -P: a folder here that is named kkcv, such as the clone, is not the package
    command = [sys.executable, "-P", "-m", "kkcv.embedding.probe", what, runtime, *precisions]
    try:
        done = subprocess.run(
            command, input=pickle.dumps(checkpoint), capture_output=True, timeout=seconds
        )
        raise_refusal(done.returncode, done.stderr)
        said, end = done.stdout, f"its process ended with {done.returncode}"
        if done.returncode == 0:
            end = ""
    except subprocess.TimeoutExpired as error:
        said, end = error.stdout or b"", OUT_OF_TIME if what == "measure" else "it hung"
    return [Measured(*json.loads(line)) for line in said.decode().splitlines()], end
