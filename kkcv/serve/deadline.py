"""The time by which a request must be answered. Work that takes long looks at it on its way."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf

from .problems import Problem

_end: ContextVar[float] = ContextVar("end", default=inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What this thread does inside shall take no more."""
    token = _end.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _end.reset(token)


def left() -> float:
    """The seconds that are left, never below 0."""
    return max(0.0, _end.get() - time.monotonic())


def check() -> None:
    """Raises Problem when the time is over."""
    if not left():
        raise Problem("timed-out", "the answer took longer than the service allows; ask for less")
