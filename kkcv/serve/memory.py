"""Gives freed memory back to the system."""

import ctypes
import sys
from functools import cache
from typing import Any


def give_back() -> None:
    """glibc keeps what large pictures took, for each thread that decoded one: gigabytes."""
    if trim := trimmer():
        trim(0)


@cache
def trimmer() -> Any:
    """glibc's malloc_trim; None where the allocator has none."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
