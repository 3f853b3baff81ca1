"""Paths that never answer, such as those of a dead network mount: nobody waits for them."""

import os
import stat
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

SECONDS = 3.0  # that a path may take to answer
SILENT = f"it does not answer within {SECONDS:g} s; if its disk was asleep, try again"
Item = TypeVar("Item")
Result = TypeVar("Result")

stuck: dict[Path, threading.Thread] = {}  # threads that wait for a path


def in_time(path: str, function: Callable[[], Result], otherwise: Result) -> Result:
    """The result of a function of a path, or ``otherwise`` after SECONDS."""
    return each_in_time(path, lambda _: function(), [None]).get(None, otherwise)


def each_in_time(
    path: str, function: Callable[[Item], Result], items: Iterable[Item]
) -> dict[Item, Result]:
    """The results of a function of each item, all below a path, until one takes over SECONDS.

    A thread that waits for longer is left behind; as long as it does, nobody else waits.
    """
    results: dict[Item, Result] = {}
    if is_stuck(path):
        return results

    def work() -> None:
        for item in items:
            results[item] = function(item)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    before = -1
    while thread.is_alive() and len(results) > before:
        before = len(results)
        thread.join(SECONDS)
    if thread.is_alive():
        stuck[Path(os.path.abspath(path))] = thread
    return results.copy()  # a thread that was left behind may go on


def is_stuck(path: str | os.PathLike[str]) -> bool:
    """Whether a thread still waits for a path, or for a folder above it."""
    if not stuck:
        return False
    here = Path(os.path.abspath(path))
    return any(up in stuck and stuck[up].is_alive() for up in (here, *here.parents))


def answers(path: str) -> bool:
    """Whether the system answers for a path in time, even if only that nothing is there."""
    return in_time(path, lambda: touched(path), False)


def touched(path: str) -> bool:
    """True, however it answers."""
    with suppress(OSError, ValueError):  # ValueError: a null character
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):  # what stat says may be remembered
            os.close(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)))
    return True
