"""Files that power loss can neither take back nor cut in half.

What is written lies in memory until ``fsync``, and so does the name of a new file until the folder
that holds the name is synced.
"""

import errno
import hashlib
import os
import platform
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kkcv.images.source import kind_of


def absolute(path: str | os.PathLike[str]) -> Path:
    return Path(os.path.abspath(Path(path).expanduser()))


def read_file(file: Path) -> bytes:
    """All of a file, or OSError: opening a named pipe would wait for somebody to write into it."""
    must_be_a_file(file)
    return file.read_bytes()


def must_be_a_file(file: str | os.PathLike[str]) -> None:
    """Raises OSError for a folder, a named pipe, a device, or nothing."""
    mode = os.stat(file).st_mode
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, f"this is {kind_of(mode)}", os.fspath(file))


def reason(error: Exception) -> str:
    """Why the system refused, in its words alone: libraries wrap them in their own."""
    said = getattr(error, "strerror", None) or str(error)
    number = re.search(r"\[errno (\d+)\]", said, re.IGNORECASE)
    return os.strerror(int(number[1])) if number else said


@contextmanager
def in_one_piece(target: Path) -> Iterator[Path]:
    """A name to write to, which becomes ``target`` at the end; after an exception it is gone."""
    # The folder may be shared by machines, and in containers all processes have the same number.
    part = target.with_name(f"{target.name}.{platform.node()}.{os.getpid()}.part")
    try:
        yield part
        synced(part)
        part.replace(target)
        sync_folder(target.parent)
    finally:
        part.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """A folder, and those above it that are missing; its name is on the disk in any case."""
    missing = [each for each in folder.parents if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in (*reversed(missing), folder):
        sync_folder(made.parent)


def has_hash(file: Path, sha256: bytes) -> bool:
    """Whether a file is there and has these bytes."""
    try:
        with file.open("rb") as data:
            return hashlib.file_digest(data, "sha256").digest() == sha256
    except (OSError, ValueError):  # ValueError: a name that cannot be
        return False


def synced(file: Path) -> None:
    """Wait until the bytes of a file are on the disk."""
    with file.open("rb+") as data:
        os.fsync(data.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
