"""Where a run tells what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def silent(*_: Any) -> None:
    pass


@dataclass(frozen=True)
class Reporter:
    """``say(line)`` for results, ``show(text, done, total)`` for the progress of long work."""

    say: Callable[[str], None] = silent
    show: Callable[[str, int, int], None] = silent


QUIET = Reporter()
