"""Disks that fail now and then, and disks that are full."""

import errno
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from kkcv.errors import InDoubt, KkcvError

from .life import Life, Problem, Told, compared, rows_of, verdict
from .result import Result

OPERATIONS = 60
SHARE = 0.03  # of the writes and syncs that fail
FULL = 3_000_000  # bytes of the small disk


class FailingFile(apsw.VFSFile):
    def __init__(self, fails: Callable[[], bool], name: Any, flags: list[int]) -> None:
        self.fails = fails
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self.fails():
            raise apsw.FullError("the disk is said to be full")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        if self.fails():
            raise apsw.IOError("the disk is said to fail")
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        if self.fails():
            raise apsw.IOError("the disk is said to fail")
        super().xTruncate(size)


class FailingDisk(apsw.VFS):
    def __init__(self, fails: Callable[[], bool]) -> None:
        self.fails = fails
        super().__init__("failing", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return FailingFile(self.fails, name, flags)


@contextmanager
def failing(chance: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Some writes and syncs fail while ``on`` is true, sometimes several in a row."""
    state: dict[str, Any] = {"on": False, "failed": 0, "more": 0}
    fsync = os.fsync

    def fails() -> bool:
        if not state["on"]:
            return False
        if state["more"] == 0 and chance.random() < SHARE:
            state["more"] = int(chance.integers(1, 4))
        if state["more"] == 0:
            return False
        state["more"] -= 1
        state["failed"] += 1
        return True

    def failing_fsync(handle: int) -> None:
        if fails():
            number = int(chance.choice([errno.ENOSPC, errno.EIO]))
            raise OSError(number, os.strerror(number))
        fsync(handle)

    disk = FailingDisk(fails)
    os.fsync = failing_fsync  # type: ignore[assignment]
    try:
        yield state
    finally:
        os.fsync = fsync
        disk.unregister()
        apsw.set_default_vfs("unix")


def write_errors(seed: int) -> Result:
    """A life on a disk that fails: each operation is done, or refused in our words."""
    result = Result("write errors")
    told = Told()
    with (
        tempfile.TemporaryDirectory(prefix="kkcv-faults-") as home,
        failing(np.random.default_rng(seed)) as state,
    ):
        life = born(Path(home), Path(home), seed, told)
        for _ in range(OPERATIONS):
            before = state["failed"]
            state["on"] = True
            problems = tried(life.step, told)
            state["on"] = False
            if state["failed"] > before:
                result.count(problems + settled(life, told))
        life.gallery.close()
        result.count(verdict(life.folder, told))
    result.acknowledged = told.acknowledged
    return result


def born(disk: Path, home: Path, seed: int, told: Told) -> Life:
    """The gallery on the disk that is harmed, the user's own files on another."""
    photos = home / "photos"
    photos.mkdir()
    return Life(disk / "gallery", photos, seed, told.hear, {})


def tried(step: Callable[[], None], told: Told) -> list[Problem]:
    """An operation that may be refused, but only in words for a user."""
    try:
        step()
    except InDoubt:
        told.doubt()
    except KkcvError:
        pass
    except Exception as error:  # a traceback for the user
        return [Problem("wrong", f"{type(error).__name__}: {error}")]
    return []


def settled(life: Life, told: Told) -> list[Problem]:
    """The gallery that is open has what was acknowledged, with or without what failed."""
    found = rows_of(life.gallery, told.numbers)
    problems = compared(found, told)
    told.settle(found)
    return problems


def full_disk(seed: int) -> Result:
    """A life on a small disk that fills, is cleared, and goes on; only where one can be mounted."""
    result = Result("full disk")
    with tempfile.TemporaryDirectory(prefix="kkcv-full-") as home:
        disk = Path(home, "disk")
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={FULL}", "tmpfs", str(disk)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            result.note = "not run: this user cannot mount a small disk"
            return result
        try:
            told = Told()
            life = born(disk, Path(home), seed, told)
            for ballast in (1_500_000, 800_000, 300_000):
                (disk / "ballast").write_bytes(bytes(ballast))
                until_full(life, told, result)
            life.gallery.close()
            (disk / "ballast").unlink()
            result.count(verdict(life.folder, told))
            result.acknowledged = told.acknowledged
        finally:
            subprocess.run(["umount", str(disk)], check=True)
    return result


def until_full(life: Life, told: Told, result: Result, refusals: int = 12) -> None:
    """Operations until several in a row were refused."""
    while refusals:
        acknowledged = told.acknowledged
        problems = tried(life.add if refusals > 8 else life.step, told)
        if told.acknowledged == acknowledged:
            refusals -= 1
        result.count(problems + settled(life, told))
