"""The time that an answer may take, which long work checks as it goes. Endless unless asked for.

with within(60):
    gallery.search("cat.jpg", where="year >= 2020")  # raises TimedOut after a minute
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf

from .errors import TimedOut

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


def is_over() -> bool:
    return not left()


def check() -> None:
    """Raises TimedOut after the deadline."""
    if not left():
        raise TimedOut("the answer took longer than the service allows; ask for less")
