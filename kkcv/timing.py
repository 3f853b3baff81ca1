"""How far long work is; and the seconds of each step of an answer: decode, embed, search.

The seconds are free unless asked for:

with timed() as seconds:
    gallery.search("cat.jpg")
print(seconds)  # {"decode": 0.004, "embed": 0.012, "search": 0.001}
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

STEPS = ("decode", "embed", "search")
Progress = Callable[[int, int], None]  # how many are done, and of how many

_seconds: ContextVar[dict[str, float] | None] = ContextVar("seconds", default=None)


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """Collect the seconds of each step that this thread goes through inside the block."""
    seconds: dict[str, float] = {}
    token = _seconds.set(seconds)
    try:
        yield seconds
    finally:
        _seconds.reset(token)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Count the block as this step."""
    seconds = _seconds.get()
    if seconds is None:
        yield
        return
    began = time.perf_counter()
    try:
        yield
    finally:
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - began


def no_progress(done: int, total: int) -> None:
    """Follows no progress."""
