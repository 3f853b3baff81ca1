"""Pooled connections to a catalog's SQLite file, whose commits survive power loss."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from kkcv import deadline

READ_WRITE = apsw.SQLITE_OPEN_READWRITE  # does not create a file where a gallery was deleted
IMMUTABLE = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
BETWEEN_LOOKS = 100_000  # steps of SQLite's machine, some 5 ms: each look waits for Python's lock
MAPPED = 1 << 40  # bytes: more than any catalog has


class Connections:
    """Lends each ``with`` a connection. Safe to use from several threads."""

    def __init__(self, file: Path, wait_seconds: float, read_only: bool) -> None:
        self._file = file
        self._wait_seconds = wait_seconds
        self._flags = IMMUTABLE if read_only else READ_WRITE
        self._idle: list[apsw.Connection] = []  # append and pop are atomic
        self._mapped: list[apsw.Connection] = []  # those that map the file into memory

    @contextmanager
    def lent(self, *, mapped: bool = False) -> Iterator[apsw.Connection]:
        idle = self._mapped if mapped else self._idle
        try:
            connection = idle.pop()
        except IndexError:
            connection = connect(self._file, self._wait_seconds, self._flags)
            if mapped:
                connection.execute(f"PRAGMA mmap_size={MAPPED}")
        try:
            yield connection
        finally:
            if connection.in_transaction:  # even the rollback failed
                connection.close(True)
            else:
                idle.append(connection)

    def close(self) -> None:
        """Close those that are not lent."""
        for idle in (self._mapped, self._idle):
            while idle:
                with suppress(apsw.Error):  # the next open cleans up
                    idle.pop().close()


def connect(file: Path, wait_seconds: float, flags: int) -> apsw.Connection:
    """A connection whose commits survive power loss; with IMMUTABLE it cannot commit."""
    if flags == IMMUTABLE:
        connection = apsw.Connection(f"{file.as_uri()}?immutable=1", flags=flags)
    else:
        connection = apsw.Connection(str(file), flags=flags)
        connection.set_busy_timeout(int(wait_seconds * 1000))
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
    connection.set_progress_handler(deadline.is_over, BETWEEN_LOOKS)  # what it runs ends in time
    connection.execute("PRAGMA trusted_schema=OFF")  # the file may come from elsewhere
    return connection


def identity(file: Path) -> tuple[int, int]:
    """Device and inode: a moved file keeps them, and no other file has them."""
    found = file.stat()
    return found.st_dev, found.st_ino


def cannot_change(file: Path) -> bool:
    """Whether a catalog is on a read-only medium and its log is empty.

    SQLite needs a file beside the catalog even for reading, unless it is told that nobody writes.
    """
    log = file.with_name(f"{file.name}-wal")
    return not os.access(file.parent, os.W_OK) and not (log.exists() and log.stat().st_size)
