"""Ctrl-C and SIGTERM end a command in one line, exit codes 130 and 143, when it has tidied up."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

from kkcv.environment import launched

from .output import echo

STOPPED = "stopped"  # our notes begin with it; libraries add notes too


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise KeyboardInterrupt at either signal; a note on it, "stopped ...", is said at the end.

    Whatever leaves the block after a signal counts as the stop: a library that is interrupted
    while it is imported raises an ImportError.
    """
    received = 0

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal received
        received = number
        raise KeyboardInterrupt

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():  # no other may set handlers
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # None is a handler that was not set in Python, which could not be set again
    before = {n: handler for n, handler in before.items() if handler not in (None, signal.SIG_IGN)}
    try:
        for number in before:
            signal.signal(number, stop)
        yield
    except BaseException as error:
        if not received:
            raise
        notes = [note for note in getattr(error, "__notes__", []) if note.startswith(STOPPED)]
        place = launched()
        if place is None or place.rank == 0:  # one line, not one of each process
            echo("; ".join(notes or [STOPPED]), err=True)
        raise click.exceptions.Exit(128 + received) from None  # as shells count a signal
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
