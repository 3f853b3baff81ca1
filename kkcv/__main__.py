"""``kkcv`` and ``python -m kkcv``: the command line.

Until a command begins, Ctrl-C and SIGTERM end the process at once: else a signal that comes while
modules are imported would print a traceback. ``kkcv/cli/stopping.py`` has what comes after.
"""

import os
import signal
from types import FrameType

from kkcv.environment import launched


def run() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as in the background of a script
            signal.signal(number, stop_at_once)
    from kkcv.cli import main

    main(prog_name="kkcv")


def stop_at_once(number: int, frame: FrameType | None) -> None:
    place = launched()
    if place is None or place.rank == 0:  # one line, not one of each process
        os.write(2, b"stopped\n")
    os._exit(128 + number)  # as shells count a signal


if __name__ == "__main__":
    run()
