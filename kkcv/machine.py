"""The machine that runs this: its processor, cores and GPU; its threads, memory and processes."""

import ctypes
import os
import platform
import sys
from functools import cache
from pathlib import Path
from typing import Any

from kkcv.errors import KkcvError


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


def numpy_in_one_thread() -> None:
    """NumPy's own products run in the thread that asks, in this process, from now on.

    They are small here (images/backends/opencv.py), and pictures are prepared in one thread a core
    already. Left alone, OpenBLAS starts a thread a core for each of them in each decoding thread:
    an import took three times the processor time, and three times the memory. Faiss and torch have
    their own threads and keep them.
    """
    import threadpoolctl

    libraries = threadpoolctl.ThreadpoolController()
    libraries.select(prefix="libscipy_openblas").limit(limits=1)


def give_back_memory() -> None:
    """glibc keeps what large pictures took, for each thread that decoded one: gigabytes."""
    if trim := malloc_trim():
        trim(0)


@cache
def malloc_trim() -> Any:
    """The function of glibc; None where the allocator has none."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


class ForkGuard:
    """Remembers the process in which it was made, for what must not be used in a fork of it.

    A fork has the threads, locks and open files of its parent only in part.
    """

    def __init__(self) -> None:
        self._process = os.getpid()

    def require_own_process(self, what: str) -> None:
        """Raises KkcvError in a fork of that process, where ``what`` would hang forever."""
        if os.getpid() != self._process:
            raise KkcvError(
                f"{what} cannot be used in a fork of the process that made it; make it in each "
                'process, or start processes with multiprocessing.get_context("spawn")'
            )
