"""The cost of a request to a running service, by what the kernel counts of its processes."""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from .conftest import Running

TICK = os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """The time and memory that a request took of the service and its child processes."""

    seconds: float  # of a processor
    megabytes: int  # at the peak, beyond what was resident before
    kept: int  # megabytes, afterwards


class Meter:
    """Measures a service from when it is made."""

    def __init__(self, service: Running) -> None:
        self._root = service.process.pid
        self._before = {id: self._seconds(id) for id in self._processes()}
        for id in self._before:
            Path(f"/proc/{id}/clear_refs").write_text("5")  # the peak begins anew
        self._resident = {id: self._status(id, "VmRSS") for id in self._before}

    def cost(self) -> Cost:
        """Since it was made."""
        ids = self._processes()
        seconds = sum(self._seconds(id) - self._before.get(id, 0.0) for id in ids)
        peak, now = (
            sum(self._status(id, name) - self._resident.get(id, 0) for id in ids) // 1024
            for name in ("VmHWM", "VmRSS")
        )
        return Cost(seconds, peak, now)

    def _processes(self) -> list[int]:
        found = [self._root]
        for id in found:
            for task in Path(f"/proc/{id}/task").iterdir():
                with suppress(FileNotFoundError, ProcessLookupError):  # the thread has just ended
                    found += map(int, (task / "children").read_text().split())
        return found

    def _seconds(self, id: int) -> float:
        fields = Path(f"/proc/{id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def _status(self, id: int, name: str) -> int:
        """In kilobytes."""
        lines = Path(f"/proc/{id}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name))
