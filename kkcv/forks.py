"""What a forked process must not use: threads, locks and open files are those of its parent."""

import os

from .errors import KkcvError


class Birthplace:
    """The process in which something was made."""

    def __init__(self) -> None:
        self._process = os.getpid()

    def must_be_here(self, what: str) -> None:
        """Raises KkcvError in a fork of that process: it would wait for an answer forever."""
        if os.getpid() != self._process:
            raise KkcvError(
                f"{what} cannot be used in a fork of the process that made it; make it in each "
                'process, or start processes with multiprocessing.get_context("spawn")'
            )
