"""The real service as a process of its own, over a small gallery of real photographs."""

import base64
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from kkcv.client import Client


@dataclass(frozen=True)
class Running:
    """A service that was started, ready."""

    process: subprocess.Popen[str]
    address: str
    folder: Path

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Its exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def running(folder: Path | str, *options: str, **environment: str) -> Iterator[Running]:
    """``kkcv serve`` at a free port of loopback."""
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            [sys.executable, "-m", "kkcv", "serve", str(folder), "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            address = re.search(r"http://\S+:\d+", line)
            said.seek(0)
            assert address, f"it did not say where it listens, but: {line}{said.read()}"
            yield Running(process, address[0], Path(folder))
        finally:
            process.kill()


@pytest.fixture
def folder(made_gallery: Path, tmp_path: Path) -> Path:
    """A gallery that a test may change."""
    return Path(shutil.copytree(made_gallery, tmp_path / "gallery"))


class ForAll:
    """A service for many tests. After one that changed pictures, the next has a new one."""

    def __init__(self, gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
        self.services = ExitStack()
        self.gallery, self.tmp_path_factory = gallery, tmp_path_factory
        self.start()

    def start(self) -> None:
        self.services.close()
        folder = self.tmp_path_factory.mktemp("served") / "gallery"
        shutil.copytree(self.gallery, folder)
        self.now = self.services.enter_context(running(folder))
        self.before = self.pictures()

    def pictures(self) -> object:
        address = f"{self.now.address}/v1/images"
        return httpx.get(address, timeout=60, trust_env=False).raise_for_status().json()

    def check(self) -> None:
        """Fails if the service that a test had does not answer or ends with an error."""
        fine = False
        try:
            fine = self.pictures() == self.before
            if not fine:
                assert self.now.stop() == 0
        finally:
            if not fine:
                self.start()


@pytest.fixture(scope="session")
def for_all(made_gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForAll]:
    for_all = ForAll(made_gallery, tmp_path_factory)
    with for_all.services:
        yield for_all
        assert for_all.now.stop(signal.SIGINT) == 0  # Ctrl-C is no failure


@pytest.fixture
def service(for_all: ForAll) -> Iterator[Running]:
    """One service for all tests that leave it as they found it, ended with Ctrl-C."""
    yield for_all.now
    for_all.check()


@pytest.fixture
def http(service: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.address, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
def client(service: Running) -> Client:
    """The Python client of that service."""
    return Client(service.address)


def as_base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
