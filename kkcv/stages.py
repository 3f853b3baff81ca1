"""How long each stage of an answer took: decode, embed, search. It costs nothing unless asked for.

with timed() as seconds:
    gallery.search("cat.jpg")
print(seconds)  # {"decode": 0.004, "embed": 0.012, "search": 0.001}
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

STAGES = ("decode", "embed", "search")

_seconds: ContextVar[dict[str, float] | None] = ContextVar("seconds", default=None)


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """The seconds of each stage that this thread goes through meanwhile."""
    seconds: dict[str, float] = {}
    token = _seconds.set(seconds)
    try:
        yield seconds
    finally:
        _seconds.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """The work inside is this stage."""
    seconds = _seconds.get()
    if seconds is None:
        yield
        return
    began = time.perf_counter()
    try:
        yield
    finally:
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - began
