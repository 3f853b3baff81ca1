"""The machine that runs this: its processor, cores and GPU."""

import os
import platform
from pathlib import Path


def machine() -> str:
    """The processor, how many cores of it, and whether there is a GPU of NVIDIA."""
    gpu = " with a GPU" if Path("/dev/nvidia0").exists() else ""
    return f"{processor()}, {cores()} cores{gpu}"


def processor() -> str:
    """The name of the processor, as Linux knows it, or else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
