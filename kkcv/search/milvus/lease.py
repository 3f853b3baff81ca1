"""One writer at a time, on any machine, by nothing but reads and writes.

A writer writes a row, its claim, and then reads all claims (Strong: every write acknowledged before
is seen). It may write if it sees no other claim. Of two that see each other, the one with the
smaller name waits, and the other withdraws and tries again: at most one can have seen no other.
A claim expires, because its process may have died, so the clocks of the machines must agree within
seconds.
"""

import random
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from kkcv.errors import GalleryError
from kkcv.search.engine import locked

from .settings import Settings

CLAIM = "claim:"
SECONDS = 60.0  # until a claim expires
SPARE = 20.0  # before its end nothing more is begun


class Lease:
    """The right to write: ``with taken(…)``."""

    def __init__(self, settings: Settings, address: str) -> None:
        self._settings = settings
        self._address = address
        self._name = CLAIM + uuid.uuid4().hex
        self._until = 0.0  # of the monotonic clock

    def take(self, wait_seconds: float) -> dict[str, str]:
        """Claim the right to write; all settings at that moment (GalleryLocked)."""
        deadline = time.monotonic() + wait_seconds
        while True:
            self.renew()
            settings = self._settings.all()
            others = others_of(settings, self._name)
            if not others:
                return settings
            if time.monotonic() > deadline:
                self.release()
                raise locked(self._address, wait_seconds)
            # the smaller name stays, so that not all withdraw for ever
            if min(others) < self._name:
                self.release()
            time.sleep(random.uniform(0.05, 0.3))  # at random: two do not go on in step

    def renew(self) -> None:
        """Write the claim, or extend it."""
        self._until = time.monotonic() + SECONDS
        self._settings.keep({self._name: str(time.time() + SECONDS)})

    def hold(self) -> None:
        """Extend the claim before each write of a long job (GalleryError if it has expired)."""
        left = self._until - time.monotonic()
        if left < 0:
            raise GalleryError(f"writing to {self._address} took too long; try again")
        if left < SECONDS - SPARE:
            self.renew()

    def release(self) -> None:
        self._until = 0.0
        self._settings.drop([self._name])


@contextmanager
def taken(
    settings: Settings, address: str, wait_seconds: float
) -> Iterator[tuple[Lease, dict[str, str]]]:
    """A lease, and all settings while it lasts (GalleryLocked)."""
    lease = Lease(settings, address)
    now = lease.take(wait_seconds)
    try:
        yield lease, now
    finally:
        lease.release()


def others_of(settings: dict[str, str], own: str) -> list[str]:
    """The claims of others that have not expired."""
    now = time.time()
    claims = (name for name in settings if name.startswith(CLAIM) and name != own)
    return [name for name in claims if float(settings[name]) > now]
