"""Reading and writing whole files, so that power loss can neither undo a write nor cut it in half.

Written bytes stay in memory until ``fsync``, and so does the name of a new file until its folder is
synced.
"""

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def typed(path: str | os.PathLike[str]) -> str:
    """A path as a person types it, with ``~`` and variables such as ``$HOME`` in it.

    They are left alone where there is a file whose name has them.
    """
    text = os.fspath(path)
    if (text.startswith("~") or "$" in text) and not os.path.lexists(text):
        return os.path.expanduser(os.path.expandvars(text))
    return text


def absolute(path: str | os.PathLike[str]) -> Path:
    return Path(os.path.abspath(typed(path)))


def read_file(file: Path) -> bytes:
    """All bytes of a file.

    Raises OSError for anything but a regular file: opening a named pipe would wait for a writer.
    """
    must_be_a_file(file)
    return file.read_bytes()


def must_be_a_file(file: str | os.PathLike[str]) -> None:
    """Raises OSError for a folder, a named pipe, a device, or nothing."""
    mode = os.stat(file).st_mode
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, f"this is {kind_of(mode)}", os.fspath(file))


def kind_of(mode: int) -> str:
    """The name of something that is not a regular file, from its ``st_mode``."""
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def reason(error: Exception) -> str:
    """The operating system's message alone, without the text that libraries wrap around it."""
    said = getattr(error, "strerror", None) or str(error)
    # pyarrow and others put it into their text
    number = re.search(r"\[errno (\d+)\]", said, re.IGNORECASE)
    return os.strerror(int(number[1])) if number else said


@contextmanager
def writing(what: object, refused: type[Exception]) -> Iterator[None]:
    """Turn an OSError into ``refused``, which says what cannot be written, and why."""
    try:
        yield
    except OSError as error:
        raise refused(not_written(what, error)) from None


def not_written(what: object, error: Exception) -> str:
    """Why a file or folder cannot be written, and what to do."""
    folder = os.path.dirname(str(what)) or "."
    if isinstance(error, FileNotFoundError) and not os.path.isdir(folder):
        return f"{what} cannot be written: there is no folder {folder}"
    if isinstance(error, IsADirectoryError):
        return f"{what} cannot be written: this is a folder"
    return f"{what} cannot be written: {reason(error)}; look for free space and permissions"


@contextmanager
def atomic_write(target: Path, mode: int = 0o666) -> Iterator[Path]:
    """An empty temporary file beside ``target``, which replaces ``target`` when the block ends.

    Readers see the old file or the whole new one. After an exception the old one is untouched. A
    link stays a link, and a device or a pipe is written to directly. ``mode`` is that of the new
    file, less the umask. What cannot be written is an OSError before the block begins.
    """
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(target))
    if target.exists() and not target.is_file():
        yield target
        return
    target = Path(os.path.realpath(target))
    part = beside(target)
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
        yield part
        sync_file(part)
        move_into_place(part, target)
    finally:
        part.unlink(missing_ok=True)


def write_file(target: Path, data: bytes | str) -> None:
    """Write all bytes of a file, or the text as UTF-8, as atomic_write does."""
    with atomic_write(target) as part:
        part.write_bytes(data if isinstance(data, bytes) else data.encode())


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """A new folder beside ``target``, which becomes ``target`` when the block ends.

    After an exception the new folder is deleted. Raises OSError where ``target`` is there already
    and not an empty folder.
    """
    part = beside(target)
    try:
        make_folder(part)
        yield part
        for each in part.rglob("*"):
            (sync_folder if each.is_dir() else sync_file)(each)
        sync_folder(part)
        if target.is_dir():
            target.rmdir()  # Windows renames over nothing, Linux over an empty folder too
        move_into_place(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def beside(target: Path) -> Path:
    """A name in the same folder that no other thread, process or machine chooses."""
    # a name that is cut stays below the 255 bytes that file systems take
    return target.parent / f"{target.name[:40]}.{secrets.token_hex(4)}.part"


def move_into_place(part: Path, target: Path) -> None:
    """Rename a file or folder that is on the disk, and wait until its new name is too."""
    part.replace(target)
    sync_folder(target.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and its missing parents, and wait until their names are on the disk."""
    missing = [each for each in folder.parents if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in (*reversed(missing), folder):
        sync_folder(made.parent)


def sha256_of(file: Path) -> str:
    """The hash of a file's bytes in hexadecimal digits."""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def has_hash(file: Path, sha256: str) -> bool:
    """Whether the file exists and its bytes have this hash, in hexadecimal digits."""
    try:
        return sha256_of(file) == sha256
    except (OSError, ValueError):  # ValueError: an impossible name
        return False


def sign_of(file: Path) -> tuple[int, ...]:
    """Marks that change with the bytes of a file; none if it has gone."""
    try:
        found = file.stat()
    except OSError:
        return ()
    # a file that was replaced has another inode, even within one tick of the clock
    return found.st_ino, found.st_size, found.st_mtime_ns


def sync_file(file: Path) -> None:
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
