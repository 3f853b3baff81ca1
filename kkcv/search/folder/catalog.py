"""The catalog: a row a picture in SQLite, the source of truth of a gallery.

The rows hold the vectors too, so an index can always be rebuilt from them. Every change takes the
next sequence number; an index asks for the changes after the last number that it has seen. A commit
is on the disk before it is acknowledged (synchronous=FULL). SQLite comes with apsw: the one that
ships with Python may have the WAL-reset corruption bug.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from shlex import quote

import apsw
import numpy as np

from kkcv import deadline
from kkcv.disk import make_folder, reason
from kkcv.errors import (
    GalleryError,
    GalleryFormatError,
    GalleryReadOnly,
    InDoubt,
    NotAGallery,
    Superseded,
)
from kkcv.images.source import label_of
from kkcv.search import engine
from kkcv.search.engine import WAIT_SECONDS, locked, no_gallery
from kkcv.search.engine.entries import Shape
from kkcv.search.engine.projection import SETTING, Projection
from kkcv.search.picture import as_text

from . import checksums, connections
from .connections import Connections, cannot_change, identity
from .migration import DESCRIBED, EDITS, FORMAT, LAST_EDITS, is_old, migrate
from .reader import Reader
from .writer import Writer

FILE = "catalog.sqlite"
REPLACED = -1  # is never an epoch

SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE pictures (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice
    sequence INTEGER NOT NULL,                   -- of the last change of the vector
    path     TEXT NOT NULL UNIQUE,               -- absolute, or in the gallery when stored
    stored   INTEGER NOT NULL,                   -- 1: the gallery holds the file itself
    sha256   BLOB NOT NULL,                      -- of the file's bytes
    bytes    INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,                   -- of the file when it was read
    added    REAL NOT NULL,                      -- seconds since 1970, UTC
    metadata TEXT NOT NULL,                      -- a JSON object
    vector   BLOB NOT NULL,
    crc32    INTEGER NOT NULL                    -- of the vector's bytes
);
CREATE INDEX pictures_by_sha256 ON pictures (sha256);
CREATE INDEX pictures_by_sequence ON pictures (sequence);
CREATE TABLE removals (sequence INTEGER PRIMARY KEY, id INTEGER NOT NULL);
"""
SCHEMA += f"{EDITS};{LAST_EDITS};{DESCRIBED};{checksums.TABLE}"

log = logging.getLogger(__name__)


class Catalog(engine.Catalog):
    """One SQLite file. Safe to use from several threads and processes.

    Readers never wait; writers wait up to ``wait_seconds`` for their turn. Connections are pooled:
    each ``with`` borrows one.
    """

    def __init__(self, folder: Path, wait_seconds: float = WAIT_SECONDS) -> None:
        """Open an existing catalog (NotAGallery, GalleryFormatError)."""
        self.address = str(folder)
        self.folder = folder
        self.file = folder / FILE
        self.wait_seconds = wait_seconds
        self._turn = threading.Lock()
        self._opened = False
        try:
            there = self.file.is_file()
        except OSError as error:  # a name that is too long, or a folder without permission
            raise NotAGallery(f"{folder} cannot be a gallery: {reason(error)}") from None
        if not there:
            raise no_gallery(folder)
        self._identity = identity(self.file)
        self.read_only = cannot_change(self.file)
        self._connections = Connections(self.file, wait_seconds, self.read_only)
        try:
            with self._explained(), self._connections.lent() as connection:
                if self.read_only and is_old(connection):
                    raise GalleryFormatError(
                        f"{folder} has the format of an older kkcv and is read-only; open it once "
                        "where it can be written, such as by kkcv stats, and it has today's"
                    )
                migrate(connection)
                self.settings = dict(connection.execute("SELECT name, value FROM settings"))
            if (found := int(self.settings["format"])) > FORMAT:
                raise GalleryFormatError(
                    f"{folder} has format {found}, this kkcv reads up to {FORMAT}; update kkcv"
                )
            self._dtype = np.dtype(self.settings["vectors"])
            self._shape = Shape.of(self.settings)
            self.epoch = int(self.settings.get("epoch", 0))  # counts the changes of network
            self.projection = Projection.from_text(self.settings.get(SETTING, ""))
            self._opened = True
        except (apsw.SQLError, KeyError, ValueError, TypeError):
            raise self._damaged() from None

    @classmethod
    def create(cls, folder: Path, settings: Mapping[str, str]) -> "Catalog":
        """Create the file, complete or not at all, and open it; an existing one is only opened.

        ``settings`` has at least ``vectors`` (float16 or float32) and ``dim``. Raises GalleryError
        if the disk refuses or the path is not UTF-8, GalleryFormatError.
        """
        if as_text(str(folder)) != str(folder):
            raise GalleryError(
                f"{label_of(folder)}the path of a gallery must be UTF-8; those of its pictures "
                "need not"
            )
        try:
            make_folder(folder)
            begin(folder / FILE, {"format": str(FORMAT), "sequence": "0", **settings})
        except (apsw.CorruptError, apsw.NotADBError):
            pass  # opening it says more
        except (OSError, apsw.Error) as error:
            raise GalleryError(
                f"no gallery can be made in {folder} ({reason(error)}); "
                "name a new folder where there is space and permission"
            ) from None
        return cls(folder)

    def size_on_disk(self) -> int:
        """In bytes."""
        return sum(file.stat().st_size for file in self.folder.glob(f"{FILE}*"))

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._connections.close()

    @contextmanager
    def reading(self, *, frozen: bool = False, mapped: bool = False) -> Iterator[Reader]:
        """``mapped`` maps the file into memory: quicker for scattered rows, but pages that are read
        count as memory of the process."""
        epoch = self._epoch_now()
        with self._explained(), self._connections.lent(mapped=mapped) as connection:
            if frozen:
                connection.execute("BEGIN")
            try:
                yield Reader(connection, self._dtype, self._shape, epoch, self.projection)
            finally:
                if frozen:
                    connection.execute("ROLLBACK")

    def searching(self) -> AbstractContextManager[Reader]:
        return self.reading(mapped=True)

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """Also raises InDoubt."""
        if self.read_only:
            raise GalleryReadOnly(f"{self.folder} is read-only; nothing was changed")
        if not self._turn.acquire(timeout=self.wait_seconds):
            raise locked(self.folder, self.wait_seconds)
        try:
            epoch = self._epoch_now()
            with self._explained(), self._connections.lent() as connection:
                # immediate: a transaction that begins as a reader cannot wait for its turn to write
                connection.execute("BEGIN IMMEDIATE")
                try:
                    writer = Writer(connection, self._dtype, self._shape, epoch)
                    if writer.superseded():
                        raise self._superseded()
                    yield writer
                    if self._epoch_now() != self.epoch:  # written to a deleted file
                        raise self._superseded()
                    connection.execute(
                        "UPDATE settings SET value = ? WHERE name = 'sequence'", (str(writer.last),)
                    )
                    self._commit(connection)
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
        finally:
            self._turn.release()

    def _commit(self, connection: apsw.Connection) -> None:
        """Commit, or make sure that a refused change does not appear later (InDoubt).

        A commit that could not be synced is still in SQLite's log, and would take effect when the
        gallery is opened again, unless another commit overwrites it.
        """
        try:
            connection.execute("COMMIT")
        except apsw.IOError as error:  # on a full disk the log ends before the commit
            try:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("UPDATE settings SET value = value + 1 WHERE name = 'sequence'")
                connection.execute("COMMIT")
            except apsw.Error:
                raise InDoubt(
                    f"{self.file} failed while a change was written ({error}): it is not done, but "
                    "may be when the gallery is opened again; look after the disk"
                ) from None
            raise

    def _epoch_now(self) -> int:
        """The epoch of the opened catalog, or REPLACED if another file is in its place now.

        Raises NotAGallery if the file is gone: SQLite would go on with a deleted one.
        """
        try:
            return self.epoch if identity(self.file) == self._identity else REPLACED
        except OSError:
            raise NotAGallery(
                f"the gallery at {self.folder} was moved or deleted while it was open; "
                "put it back, or restore a backup: kkcv restore"
            ) from None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise errors of kkcv for those of SQLite."""
        try:
            yield
        except apsw.InterruptError:
            deadline.check()
            raise
        except apsw.BusyError:
            raise locked(self.folder, self.wait_seconds) from None
        except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError, UnicodeDecodeError):
            raise self._damaged() from None  # the SQL is ours, so the tables are wrong
        except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError) as error:
            raise GalleryError(
                f"{self.file} cannot be used ({error}); this change was not made: "
                "look for free space and permissions"
            ) from None

    def _damaged(self) -> GalleryFormatError:
        # kkcv doctor opens the gallery too: if that fails it cannot repair it
        way = (
            f"try kkcv doctor {quote(str(self.folder))} --repair, or restore a backup: kkcv restore"
            if self._opened
            else "restore a backup (kkcv restore), or index the pictures into a new folder"
        )
        return GalleryFormatError(f"{self.file} is damaged or no catalog of kkcv; {way}")

    def _superseded(self) -> Superseded:
        return Superseded(f"{self.folder} was given another network or restored; try again")


def begin(file: Path, rows: Mapping[str, str]) -> None:
    """Write an empty catalog with these settings, unless another process was faster."""
    way, create = connections.READ_WRITE, apsw.SQLITE_OPEN_CREATE
    connection = connections.connect(file, WAIT_SECONDS, way, create)
    try:
        tables = "SELECT count(*) FROM sqlite_schema"
        if not connection.execute(tables).get:
            connection.execute("BEGIN IMMEDIATE")
            if not connection.execute(tables).get:
                connection.execute(SCHEMA)
                connection.executemany("INSERT INTO settings VALUES (?, ?)", list(rows.items()))
            connection.execute("COMMIT")
    finally:
        connection.close()
