"""The deadline of a request, which long work checks as it goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf

from .problems import Problem

_end: ContextVar[float] = ContextVar("end", default=inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Give this thread so many seconds for the work inside."""
    token = _end.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _end.reset(token)


def left() -> float:
    """Seconds until the deadline, at least 0."""
    return max(0.0, _end.get() - time.monotonic())


def check() -> None:
    """Raises Problem after the deadline."""
    if not left():
        raise Problem("timed-out", "the answer took longer than the service allows; ask for less")
