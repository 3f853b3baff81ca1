"""Pooled connections to a catalog's SQLite file, whose commits survive power loss."""

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import apsw

from kkcv import deadline
from kkcv.disk import sign_of
from kkcv.errors import GalleryError

from . import checksums

BETWEEN_LOOKS = 100_000  # steps of SQLite's machine, some 5 ms: each look waits for Python's lock
SHARED_MEMORY = 32_768  # bytes, at least
MAPPED = 1 << 40  # bytes: more than any catalog has


class Way(NamedTuple):
    """How a catalog can be opened now, and until when: while ``sign`` stays the same."""

    name: str
    sign: tuple[int, ...] = ()


# It does not create a file where a gallery was deleted.
READ_WRITE = Way("read-write")
# Where nothing can be written beside the catalog, somebody else may write it. Then there is a log,
# with shared memory beside it; SQLite reads both.
READ_ONLY = Way("read-only")
# A log without shared memory: of a process that has died, or a copy. SQLite reads it if it is told
# that nobody else does.
ALONE = "alone"
# Without a log SQLite reads only what it is told does not change; so the sign is compared.
IMMUTABLE = "immutable"


class Connections:
    """Lends each ``with`` a connection. Safe to use from several threads."""

    def __init__(self, file: Path, wait_seconds: float, read_only: bool) -> None:
        self._file = file
        self._wait_seconds = wait_seconds
        self._read_only = read_only
        # by the way and whether it maps the file into memory; append and pop are atomic
        self._idle: dict[tuple[Way, bool], list[apsw.Connection]] = defaultdict(list)

    @contextmanager
    def lent(self, *, mapped: bool = False) -> Iterator[apsw.Connection]:
        """Raises GalleryError if the file was changed where that cannot be read."""
        way = way_of(self._file) if self._read_only else READ_WRITE
        idle = self._idle[way, mapped]
        try:
            connection = idle.pop()
        except IndexError:
            self._forget_others(way)
            way, connection = self._connected(way)
            if mapped:
                connection.execute(f"PRAGMA mmap_size={MAPPED}")
        try:
            yield connection
        except apsw.Error:
            self._must_be_unchanged(way)
            raise
        finally:
            if connection.in_transaction:  # even the rollback failed
                connection.close(True)
            else:
                self._idle[way, mapped].append(connection)
        self._must_be_unchanged(way)

    def _connected(self, way: Way) -> tuple[Way, apsw.Connection]:
        """A new connection, and the way that it took: searching needs no room on the disk.

        A full disk has no room for the shared memory, so nobody else has the catalog open.
        """
        try:
            return way, connect(self._file, self._wait_seconds, way)
        except (apsw.FullError, apsw.IOError, apsw.CantOpenError):
            if way != READ_WRITE:
                raise
            way = way_alone(self._file)
            return way, connect(self._file, self._wait_seconds, way)

    def close(self) -> None:
        """Close those that are not lent."""
        for idle in list(self._idle.values()):
            close_all(idle)

    def _forget_others(self, way: Way) -> None:
        for other, mapped in list(self._idle):
            if other != way:
                close_all(self._idle.pop((other, mapped), []))  # another thread may be faster

    def _must_be_unchanged(self, way: Way) -> None:
        if way.name == IMMUTABLE and sign_of(self._file) != way.sign:
            raise GalleryError(
                f"{self._file.parent} was changed by another process while it was read; try again"
            )


def close_all(connections: list[apsw.Connection]) -> None:
    while connections:
        with suppress(apsw.Error, IndexError):  # the next open cleans up
            connections.pop().close()


def connect(file: Path, wait_seconds: float, way: Way, more_flags: int = 0) -> apsw.Connection:
    """A connection whose commits survive power loss; only READ_WRITE can commit."""
    if way == READ_WRITE:
        connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE | more_flags)
        connection.set_busy_timeout(int(wait_seconds * 1000))
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
    else:
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        words = {IMMUTABLE: "?immutable=1", ALONE: "?vfs=unix-none"}.get(way.name, "")
        connection = apsw.Connection(f"{file.as_uri()}{words}", flags=flags)
        connection.set_busy_timeout(int(wait_seconds * 1000))
        if way.name == ALONE:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    checksums.provide(connection)
    connection.set_progress_handler(deadline.is_over, BETWEEN_LOOKS)  # what it runs ends in time
    connection.execute("PRAGMA trusted_schema=OFF")  # the file may come from elsewhere
    return connection


def way_of(file: Path) -> Way:
    """How to open a catalog where nothing can be written beside it."""
    log, memory = (file.with_name(f"{file.name}-{what}") for what in ("wal", "shm"))
    return READ_ONLY if log.exists() and size_of(memory) >= SHARED_MEMORY else way_alone(file)


def way_alone(file: Path) -> Way:
    """How to open a catalog that no process has open for writing."""
    log = file.with_name(f"{file.name}-wal")
    if size_of(log):
        return Way(ALONE, (*sign_of(file), *sign_of(log)))
    return Way(IMMUTABLE, sign_of(file))


def size_of(file: Path) -> int:
    """0 for a file that is not there."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def identity(file: Path) -> tuple[int, int]:
    """Device and inode: a moved file keeps them, and no other file has them."""
    found = file.stat()
    return found.st_dev, found.st_ino


def cannot_change(file: Path) -> bool:
    """Whether this process cannot write a catalog, or not the log beside it; others may."""
    return not (os.access(file.parent, os.W_OK) and os.access(file, os.W_OK))
