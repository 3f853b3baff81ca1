"""The command line as a user has it: a process of its own, and its output."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="session")
def kkcv(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Said]:
    """``kkcv("search", gallery, picture)`` → exit code and output."""
    home = tmp_path_factory.mktemp("home")

    def run(
        *args: object,
        cwd: Path = home,
        timeout: float = 300,
        stdout: int | IO[str] = subprocess.PIPE,
    ) -> Said:
        process = subprocess.run(
            [sys.executable, "-m", "kkcv", *map(str, args)],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd,
            timeout=timeout,
        )
        return Said(process.returncode, process.stdout or "", process.stderr)

    return run


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C for what a test starts: in a run that a shell began in the background, SIGINT is
    ignored, and processes inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
