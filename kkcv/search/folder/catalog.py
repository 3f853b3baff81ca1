"""The catalog: a row a picture in SQLite, the source of truth of a gallery.

The vectors lie in the rows too, so that an index can be made again from them at any time. Every
change takes the next sequence number; whoever keeps an index asks for what came after the number
that it has seen. A commit is on the disk before it is acknowledged (synchronous=FULL). SQLite
comes with apsw: the one that ships with Python may have the WAL-reset corruption bug.
"""

import json
import logging
import threading
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import numpy as np

from kkcv.errors import (
    GalleryError,
    GalleryFormatError,
    GalleryLocked,
    NotAGallery,
    Superseded,
)
from kkcv.search.disk import make_folder
from kkcv.search.engine import WAIT_SECONDS
from kkcv.search.learning.projection import SETTING, Projection
from kkcv.search.picture import Picture, PictureFile, Totals
from kkcv.search.where import Condition

from .filters import as_sql
from .migration import DESCRIBED, FORMAT, migrate

FILE = "catalog.sqlite"
CHUNK = 4096  # vectors that are unpacked together

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
SCHEMA += DESCRIBED

# Text as bytes: one that rotted shall not keep the others from being read.
PICTURE = "id, CAST(path AS BLOB), stored, sha256, bytes, mtime_ns, added, CAST(metadata AS BLOB)"
log = logging.getLogger(__name__)


class Changes(NamedTuple):
    """What came after a sequence number: ``vectors`` float32 (N, D) beside ``ids`` int64 (N,)."""

    sequence: int
    removed: np.ndarray
    ids: np.ndarray
    vectors: np.ndarray


class Reader:
    """What can be asked of the catalog, on one connection."""

    def __init__(
        self,
        connection: apsw.Connection,
        dtype: np.dtype,
        dim: int,
        epoch: int,
        projection: Projection | None = None,
    ) -> None:
        """Vectors are read through the ``projection``, where there is one."""
        self._connection = connection
        self._dtype = dtype
        self._dim = dim  # as stored
        self._epoch = epoch
        self._projected = projection or (lambda vectors: vectors)
        self._width = projection.dim if projection else dim  # as read

    def superseded(self) -> bool:
        """Whether the vectors are of another network than when the catalog was opened."""
        return self.setting("epoch", "0") != str(self._epoch)

    def setting(self, name: str, default: str = "") -> str:
        found = self._connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).get
        return default if found is None else found

    def execute(self, sql: str, bindings: tuple[Any, ...] = ()) -> apsw.Cursor:
        """For the files of this room that keep tables of their own in the catalog."""
        return self._connection.execute(sql, bindings)

    def sequence(self) -> int:
        """The number of the last change: one cheap look."""
        found = str(self.setting("sequence"))
        if not found.isdecimal():
            raise apsw.CorruptError("the sequence number has gone")
        return int(found)

    def count(self) -> int:
        return self._one("SELECT count(*) FROM pictures")

    def totals(self) -> Totals:
        sums = "count(*), coalesce(sum(stored), 0), coalesce(sum(bytes), 0)"
        return Totals(*self.execute(f"SELECT {sums} FROM pictures").get)

    def picture(self, id: int) -> Picture | None:
        return next(self._pictures("WHERE id = ?", (id,)), None)

    def pictures(self, ids: Iterable[int] | None = None) -> Iterator[Picture]:
        """The pictures with these ids that there are, or all of them, in the order of their ids."""
        if ids is None:
            return self._pictures("ORDER BY id")
        wanted = json.dumps([int(id) for id in ids])
        return self._pictures("WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", (wanted,))

    def shown(self, ids: Iterable[int]) -> dict[int, tuple[str, dict[str, Any]]]:
        """What a hit shows, from what lies beside the rows: they are as large as their vectors."""
        found = self._connection.execute(
            "SELECT id, CAST(path AS BLOB), CAST(metadata AS BLOB) FROM pictures "
            "INDEXED BY pictures_described WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps([int(id) for id in ids]),),
        )
        return {id: (as_text(path), self._parsed(id, metadata)) for id, path, metadata in found}

    def page(self, limit: int, after: int | None, newest: bool) -> list[Picture]:
        """Up to ``limit`` pictures behind an id, in the order of ids or against it."""
        if newest:
            where, start = "WHERE id < ? ORDER BY id DESC", 2**63 - 1 if after is None else after
        else:
            where, start = "WHERE id > ? ORDER BY id", after or 0
        return list(self._pictures(f"{where} LIMIT ?", (start, limit)))

    def by_path(self, path: str) -> Picture | None:
        return next(self._pictures("WHERE path = ?", (path,)), None)

    def by_sha256(self, sha256: bytes) -> list[Picture]:
        return list(self._pictures("WHERE sha256 = ? ORDER BY id", (sha256,)))

    def vector(self, id: int) -> np.ndarray | None:
        """The stored vector as float32 (D,), or None where there is none."""
        for blob, crc32 in self._connection.execute(
            "SELECT vector, crc32 FROM pictures WHERE id = ?", (id,)
        ):
            return self._unpack(id, blob, crc32)
        return None

    def vectors_of(self, ids: np.ndarray) -> np.ndarray:
        """The vectors of these ids, float32 (N, D), in their order; zeros where there is none."""
        rows = {id: row for row, id in enumerate(ids.tolist())}
        vectors = np.zeros((len(ids), self._width), np.float32)
        for id, blob, crc32 in self._connection.execute(
            "SELECT id, vector, crc32 FROM pictures WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(rows)),),
        ):
            vector = self._unpack(id, blob, crc32)
            if vector is not None:
                vectors[rows[id]] = vector
        return vectors

    def changes(self, since: int) -> Changes:
        """All removals, and all vectors that are new or changed, after a sequence number."""
        with self._connection:  # one consistent view of all of it
            sequence = self.sequence()
            if self.superseded():  # those vectors are not for this reader
                nothing = np.empty(0, np.int64)
                return Changes(since, nothing, nothing, np.empty((0, self._width), np.float32))
            removed = self._connection.execute(
                "SELECT id FROM removals WHERE sequence > ?", (since,)
            ).fetchall()
            rows = "FROM pictures WHERE sequence > ?"
            size = self._one(f"SELECT count(*) {rows}", (since,))
            ids = np.empty(size, np.int64)
            vectors = np.empty((size, self._width), np.float32)
            good = 0
            found = self._connection.execute(
                f"SELECT id, vector, crc32 {rows} ORDER BY id", (since,)
            )
            for some, their in self._unpacked(found, CHUNK):
                end = good + len(some)
                ids[good:end], vectors[good:end] = some, their
                good = end
        gone = np.array(removed, np.int64).reshape(-1)
        return Changes(sequence, gone, ids[:good], vectors[:good])

    def late(self, since: int) -> int:
        """How many vectors came, changed or went after a sequence number; none of them is read."""
        count = "SELECT count(*) FROM {} WHERE sequence > ?"
        return sum(self._one(count.format(table), (since,)) for table in ("pictures", "removals"))

    def vectors(self, chunk: int = CHUNK) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All ids and vectors, ascending: int64 (n,) with float32 (n, D), n at most ``chunk``."""
        rows = self._connection.execute("SELECT id, vector, crc32 FROM pictures ORDER BY id")
        return self._unpacked(rows, chunk)

    def ids(self, where: Condition | None = None) -> np.ndarray:
        """All ids, or those that a filter leaves, ascending: int64 (N,)."""
        sql, bindings = ("1", ()) if where is None else as_sql(where)
        query = f"SELECT id FROM pictures WHERE {sql} ORDER BY id"
        found = self._connection.execute(query, bindings).fetchall()
        return np.array(found, np.int64).reshape(-1)

    def complaints(self) -> list[str]:
        """What SQLite finds wrong with its own file; nothing when it is well."""
        try:
            lines = [line for (line,) in self._connection.execute("PRAGMA integrity_check")]
        except apsw.Error as error:
            lines = [str(error)]
        return [line for line in lines if line != "ok"]

    def copy_to(self, file: Path) -> None:
        """All of the catalog at one instant, into a new file, while others write."""
        target = apsw.Connection(str(file))
        try:
            with target.backup("main", self._connection, "main") as copying:
                copying.step()
        finally:
            target.close()

    def _one(self, query: str, bindings: tuple[Any, ...] = ()) -> Any:
        return self._connection.execute(query, bindings).get

    def _pictures(self, where: str, bindings: tuple[Any, ...] = ()) -> Iterator[Picture]:
        for id, path, stored, sha256, size, mtime_ns, added, metadata in self._connection.execute(
            f"SELECT {PICTURE} FROM pictures {where}", bindings
        ):
            file = PictureFile(as_text(path), bool(stored), sha256, size, mtime_ns)
            yield Picture(id, file, added, self._parsed(id, metadata))

    def _parsed(self, id: int, metadata: bytes) -> dict[str, Any]:
        if metadata == b"{}":  # most of them: parsing takes as long as finding the row
            return {}
        try:
            return json.loads(metadata)
        except (TypeError, ValueError):
            log.warning("the metadata of picture %d is damaged: kkcv doctor --repair", id)
            return {}

    def _unpack(self, id: int, blob: Any, crc32: int) -> np.ndarray | None:
        """The vector, or None with a warning when it is not what was written."""
        if not self._is_whole(id, blob, crc32):
            return None
        return self._projected(np.frombuffer(blob, self._dtype).astype(np.float32))

    def _unpacked(
        self, rows: Iterator[tuple[int, Any, int]], chunk: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Those that are what was written, so many at a time: int64 (n,) with float32 (n, D)."""
        while page := list(islice(rows, chunk)):
            good = [(id, blob) for id, blob, crc32 in page if self._is_whole(id, blob, crc32)]
            if good:
                ids = np.array([id for id, _ in good], np.int64)
                together = np.frombuffer(b"".join(blob for _, blob in good), self._dtype)
                rows_of = together.reshape(len(good), self._dim).astype(np.float32)
                yield ids, self._projected(rows_of)

    def _is_whole(self, id: int, blob: Any, crc32: int) -> bool:
        size = self._dim * self._dtype.itemsize
        if isinstance(blob, bytes) and len(blob) == size and zlib.crc32(blob) == crc32:
            return True
        log.warning("the vector of picture %d is damaged: it is left out of all answers", id)
        return False


class Writer(Reader):
    """What can be changed inside ``Catalog.writing``, beside all that can be asked.

    Its vectors are those of the network: what it reads it may write.
    """

    def __init__(self, connection: apsw.Connection, dtype: np.dtype, dim: int, epoch: int) -> None:
        super().__init__(connection, dtype, dim, epoch)
        self.last = self.sequence()

    def expect(self, files: Iterable[PictureFile]) -> None:
        """Nothing to prepare: SQLite is near."""

    def add(
        self,
        file: PictureFile,
        vector: np.ndarray,
        metadata: Mapping[str, Any],
        added: float | None = None,
    ) -> int:
        """A new row; its id. ``added`` is in seconds since 1970, UTC; None: now."""
        blob = self._pack(vector)
        self._connection.execute(
            "INSERT INTO pictures (sequence, path, stored, sha256, bytes, mtime_ns, added, "
            "metadata, vector, crc32) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._next(),
                *row(file),
                time.time() if added is None else added,
                json.dumps(metadata, ensure_ascii=False),
                blob,
                zlib.crc32(blob),
            ),
        )
        return self._connection.last_insert_rowid()

    def replace(self, id: int, file: PictureFile, vector: np.ndarray) -> None:
        """Other bytes under the same id; the metadata stays."""
        blob = self._pack(vector)
        self._connection.execute(
            "UPDATE pictures SET sequence = ?, path = ?, stored = ?, sha256 = ?, bytes = ?, "
            "mtime_ns = ?, vector = ?, crc32 = ? WHERE id = ?",
            (self._next(), *row(file), blob, zlib.crc32(blob), id),
        )

    def relocate(self, id: int, file: PictureFile) -> None:
        """The same bytes at another path, or with another time of change."""
        self._connection.execute(
            "UPDATE pictures SET path = ?, stored = ?, sha256 = ?, bytes = ?, mtime_ns = ? "
            "WHERE id = ?",
            (*row(file), id),
        )

    def describe(self, id: int, metadata: Mapping[str, Any]) -> None:
        """Other metadata."""
        self._connection.execute(
            "UPDATE pictures SET metadata = ? WHERE id = ?",
            (json.dumps(metadata, ensure_ascii=False), id),
        )

    def remove(self, id: int) -> bool:
        """False when there is no such picture."""
        self._connection.execute("DELETE FROM pictures WHERE id = ?", (id,))
        if not self._connection.changes():
            return False
        self._connection.execute("INSERT INTO removals VALUES (?, ?)", (self._next(), id))
        return True

    def set(self, name: str, value: str | None) -> None:
        """A setting, or with None its end."""
        if value is None:
            self._connection.execute("DELETE FROM settings WHERE name = ?", (name,))
        else:
            self._connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def renumber(self) -> None:
        """All vectors are new: who keeps an index must read them again."""
        self.execute("UPDATE pictures SET sequence = ?", (self._next(),))

    def _next(self) -> int:
        self.last += 1
        return self.last

    def _pack(self, vector: np.ndarray) -> bytes:
        return vector.astype(self._dtype).tobytes()


class Catalog:
    """One SQLite file. Safe to use from several threads and processes.

    Readers never wait; writers take turns and wait ``wait_seconds`` for theirs. Connections are
    kept and lent, one to each ``with``.
    """

    batch = 64

    def __init__(self, folder: Path, wait_seconds: float = WAIT_SECONDS) -> None:
        """Open an existing catalog (NotAGallery, GalleryFormatError)."""
        self.address = str(folder)
        self.folder = folder
        self.file = folder / FILE
        self.wait_seconds = wait_seconds
        self._idle: list[apsw.Connection] = []  # append and pop are atomic
        self._turn = threading.Lock()
        if not self.file.is_file():
            raise NotAGallery(
                f"{folder} is no gallery; to make one: kkcv index {folder} FOLDER_OF_PICTURES"
            )
        try:
            with self._explained(), self._lent() as connection:
                migrate(connection)
                self.settings = dict(connection.execute("SELECT name, value FROM settings"))
            if (found := int(self.settings["format"])) > FORMAT:
                raise GalleryFormatError(
                    f"{folder} has format {found}, this kkcv reads up to {FORMAT}; update kkcv"
                )
            self._dtype = np.dtype(self.settings["vectors"])
            self._dim = int(self.settings["dim"])
            self.epoch = int(self.settings.get("epoch", 0))  # counts the changes of network
            self.projection = Projection.from_text(self.settings.get(SETTING, ""))
        except (apsw.SQLError, KeyError, ValueError, TypeError):
            raise self._damaged() from None

    @classmethod
    def create(cls, folder: Path, settings: Mapping[str, str]) -> "Catalog":
        """Make the file, complete or not at all, and open it; an existing one stays as it is.

        ``settings`` holds at least ``vectors`` (float16 or float32) and ``dim``.

        Raises GalleryError when the disk refuses, GalleryFormatError.
        """
        try:
            make_folder(folder)
            begin(folder / FILE, {"format": str(FORMAT), "sequence": "0", **settings})
        except (apsw.CorruptError, apsw.NotADBError):
            pass  # opening it says more
        except (OSError, apsw.Error) as error:
            raise GalleryError(f"no gallery can be made in {folder}: {error}") from None
        return cls(folder)

    def size_on_disk(self) -> int:
        """In bytes."""
        return sum(file.stat().st_size for file in self.folder.glob(f"{FILE}*"))

    def close(self) -> None:
        """Close the connections that are not lent."""
        while self._idle:
            with suppress(apsw.Error):  # what cannot be tidied up now is tidied up at opening
                self._idle.pop().close()

    @contextmanager
    def reading(
        self, *, frozen: bool = False, hasty: bool = False, raw: bool = False
    ) -> Iterator[Reader]:
        """A connection to ask. ``frozen``: all questions see the catalog of one instant. ``raw``:
        vectors are those of the network, whatever was learned since.

        ``hasty`` makes no difference here: every answer is the newest.
        """
        with self._explained(), self._lent() as connection:
            if frozen:
                connection.execute("BEGIN")
            try:
                projection = None if raw else self.projection
                yield Reader(connection, self._dtype, self._dim, self.epoch, projection)
            finally:
                if frozen:
                    connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """A transaction: at its end all of it is on the disk, after an exception none of it.

        Raises GalleryLocked, Superseded, and GalleryError when the disk refuses.
        """
        if not self._turn.acquire(timeout=self.wait_seconds):
            raise self._locked()
        try:
            with self._explained(), self._lent() as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    writer = Writer(connection, self._dtype, self._dim, self.epoch)
                    if writer.superseded():
                        raise Superseded(
                            f"{self.file.parent} was given another network meanwhile; try again"
                        )
                    yield writer
                    connection.execute(
                        "UPDATE settings SET value = ? WHERE name = 'sequence'",
                        (str(writer.last),),
                    )
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
        finally:
            self._turn.release()

    @contextmanager
    def _lent(self) -> Iterator[apsw.Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = connect(self.file, self.wait_seconds)
        try:
            yield connection
        finally:
            if connection.in_transaction:  # it could not even be rolled back
                connection.close(True)
            else:
                self._idle.append(connection)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """SQLite's errors in our words."""
        try:
            yield
        except apsw.BusyError:
            raise self._locked() from None
        except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError, UnicodeDecodeError):
            raise self._damaged() from None  # the SQL is ours: only its tables can be wrong
        except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError) as error:
            raise GalleryError(
                f"{self.file} cannot be used ({error}); nothing was changed: "
                "look for free space and permissions"
            ) from None

    def _damaged(self) -> GalleryFormatError:
        return GalleryFormatError(
            f"{self.file} is damaged or no catalog of kkcv; try kkcv doctor --repair, "
            "or restore a backup: kkcv restore"
        )

    def _locked(self) -> GalleryLocked:
        return GalleryLocked(
            f"another process has been writing to {self.file.parent} for more than "
            f"{self.wait_seconds:g} s; try again when it is done"
        )


def as_text(path: bytes | None) -> str:
    """Also of one that rotted."""
    return (path or b"").decode(errors="backslashreplace")


def row(file: PictureFile) -> tuple[str, bool, bytes, int, int]:
    return file.path, file.stored, file.sha256, file.bytes, file.mtime_ns


def begin(file: Path, rows: Mapping[str, str]) -> None:
    """An empty catalog with these settings, unless another process was faster."""
    connection = connect(file, WAIT_SECONDS)
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


def connect(file: Path, wait_seconds: float) -> apsw.Connection:
    """A connection whose commits survive power loss."""
    connection = apsw.Connection(str(file))
    connection.set_busy_timeout(int(wait_seconds * 1000))
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA trusted_schema=OFF")  # the file may come from elsewhere
    return connection
