"""Ctrl-C and SIGTERM end a command in one line, exit codes 130 and 143, when it has tidied up."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click

from .output import echo


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise KeyboardInterrupt at either signal; a note on it is said instead of "stopped".

    Whatever leaves the block after a signal counts as the stop: a library that is interrupted
    while it is imported raises an ImportError.
    """
    received = 0

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal received
        received = number
        raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():  # no other may set handlers
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, stop)
        yield
    except BaseException as error:
        if not received:
            raise
        echo("; ".join(getattr(error, "__notes__", ["stopped"])), err=True)
        raise click.exceptions.Exit(128 + received) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
