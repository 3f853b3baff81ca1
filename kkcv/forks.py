"""Guards objects that a forked process must not use: their threads, locks and open files."""

import os

from .errors import KkcvError


class ForkGuard:
    """Remembers the process in which it was made."""

    def __init__(self) -> None:
        self._process = os.getpid()

    def require_own_process(self, what: str) -> None:
        """Raises KkcvError in a fork of that process, where ``what`` would hang forever."""
        if os.getpid() != self._process:
            raise KkcvError(
                f"{what} cannot be used in a fork of the process that made it; make it in each "
                'process, or start processes with multiprocessing.get_context("spawn")'
            )
