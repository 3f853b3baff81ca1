"""Questions to the catalog (catalog.py) on one connection."""

import logging
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import numpy as np

from kkcv.metadata import read_metadata
from kkcv.search import engine
from kkcv.search.engine import CHUNK, Vectors
from kkcv.search.engine.entries import Entries, Shape
from kkcv.search.engine.projection import Projection
from kkcv.search.filters.conditions import Condition
from kkcv.search.picture import Picture, PictureFile, Stamp, Totals, as_bytes

from .checksums import CHECKED, WRITTEN, is_whole
from .filters import EVERY, as_sql

NO_ID = np.zeros(1, np.int64)  # ids start at 1
# Text as bytes: one damaged text must not keep the others from being read.
PICTURE = "id, CAST(path AS BLOB), stored, sha256, bytes, mtime_ns, added, CAST(metadata AS BLOB)"
SHOWN = f"SELECT {WRITTEN}, {CHECKED} FROM pictures INDEXED BY pictures_described"
SEPARATOR = b"\0"  # no path can contain it
log = logging.getLogger(__name__)


class Changes(NamedTuple):
    """The changes after a sequence number: ``vectors`` float32 (n, D) of ``keys`` int64 (n,).

    Those of the ``edited`` keys have a new path or new metadata, but their old vector.
    """

    sequence: int
    removed: np.ndarray
    keys: np.ndarray
    vectors: np.ndarray
    edited: np.ndarray


class Reader(engine.Reader):
    """Questions to the catalog on one connection."""

    def __init__(
        self,
        connection: apsw.Connection,
        dtype: np.dtype,
        shape: Shape,
        epoch: int,
        projection: Projection | None = None,
    ) -> None:
        super().__init__(shape, projection)
        self._connection = connection
        self._dtype = dtype
        self._epoch = epoch

    def superseded(self) -> bool:
        return self.setting("epoch", "0") != str(self._epoch)

    def setting(self, name: str, default: str = "") -> str:
        found = self._connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).get
        return default if found is None else found

    def execute(self, sql: str, bindings: tuple[Any, ...] = ()) -> apsw.Cursor:
        """For the files of this folder that have tables of their own in the catalog."""
        return self._connection.execute(sql, bindings)

    def sequence(self) -> int:
        """The number of the last change; cheap."""
        found = str(self.setting("sequence"))
        if not found.isdecimal():
            raise apsw.CorruptError("the sequence number has gone")
        return int(found)

    def count(self, where: Condition | None = None) -> int:
        sql, bindings = EVERY if where is None else as_sql(where)
        return self._one(f"SELECT count(*) FROM pictures WHERE {sql}", bindings)

    def totals(self) -> Totals:
        sums = "count(*), coalesce(sum(stored), 0), coalesce(sum(bytes), 0)"
        return Totals(*self.execute(f"SELECT {sums} FROM pictures").get)

    def pictures(self, ids: Iterable[int] | None = None) -> Iterator[Picture]:
        if ids is None:
            return self._pictures("ORDER BY id")
        wanted = np.array([int(id) for id in ids], np.int64)
        return self._pictures("WHERE id IN carray(?) ORDER BY id", (bound(wanted),))

    def shown(self, ids: np.ndarray) -> dict[int, tuple[str, dict[str, Any]]]:
        # from the index beside the rows, which are as large as their vectors
        found = self._connection.execute(f"{SHOWN} WHERE id IN carray(?)", (bound(ids),))
        return {
            row[1]: (as_text(row[2]), parsed(row[1], row[5])) for row in warning_of_damage(found)
        }

    def records(self) -> Iterator[tuple[int, bytes]]:
        """The id of every picture, ascending, with the bytes of what a hit shows."""
        found = self._connection.execute(f"{SHOWN} ORDER BY id")
        for _, id, path, _, _, metadata in warning_of_damage(found):
            yield id, (path or b"") + SEPARATOR + (metadata or b"")

    def page(
        self, limit: int, after: int | None, newest: bool, where: Condition | None = None
    ) -> list[Picture]:
        sql, bindings = EVERY if where is None else as_sql(where)
        start = after if after is not None else 2**63 - 1 if newest else 0
        sign, order = ("<", "id DESC") if newest else (">", "id")
        # only what the filter needs is read of the others: a row is as large as its vector
        ids = f"SELECT id FROM pictures WHERE id {sign} ? AND {sql} ORDER BY {order} LIMIT ?"
        found = self._pictures(f"WHERE id IN ({ids}) ORDER BY {order}", (start, *bindings, limit))
        return list(found)

    def by_path(self, path: str) -> Picture | None:
        return next(self._pictures("WHERE path = CAST(? AS TEXT)", (as_bytes(path),)), None)

    def by_sha256(self, sha256: bytes, limit: int | None = None) -> list[Picture]:
        most = -1 if limit is None else limit
        return list(self._pictures("WHERE sha256 = ? ORDER BY id LIMIT ?", (sha256, most)))

    def stamp(self, id: int) -> Stamp | None:
        if not self.has_table("stamps"):
            return None
        sql = "SELECT changed_ns, inode FROM stamps WHERE id = ?"
        return next((Stamp(*row) for row in self.execute(sql, (id,))), None)

    def kept(self) -> Iterator[Picture]:
        if not self.has_table("undo"):
            return iter(())
        return self._pictures("ORDER BY id", table="undo")

    def has_table(self, name: str) -> bool:
        """Whether a table that is made when it is first needed is there."""
        return bool(self._one("SELECT count(*) FROM sqlite_schema WHERE name = ?", (name,)))

    def changes(self, since: int, entries: Entries) -> Changes:
        """Removed, new, changed and edited entries after a sequence number."""
        with self._connection:  # one consistent view of all of it
            sequence = self.sequence()
            if self.superseded():  # the vectors are another network's
                nothing = np.empty(0, np.int64)
                no_vectors = np.empty((0, entries.dim), np.float32)
                return Changes(since, nothing, nothing, no_vectors, nothing)
            removed, edited = (
                entries.keys(self._ids(f"SELECT id FROM {log} WHERE sequence > ?", (since,)))
                for log in ("removals", "edits")
            )
            rows = "FROM pictures WHERE sequence > ?"
            size = self._one(f"SELECT count(*) {rows}", (since,)) * entries.each
            keys = np.empty(size, np.int64)
            vectors = np.empty((size, entries.dim), np.float32)
            good = 0
            found = self._connection.execute(
                f"SELECT id, vector, crc32 {rows} ORDER BY id", (since,)
            )
            for some, stored in self._unpacked(found, CHUNK):
                end = good + len(some) * entries.each
                keys[good:end], vectors[good:end] = entries.of(self, some, stored)
                good = end
        return Changes(sequence, removed, keys[:good], vectors[:good], edited)

    def late(self, since: int) -> int:
        """How many vectors were added, changed or removed after a number, without reading them."""
        count = "SELECT count(*) FROM {} WHERE sequence > ?"
        return sum(self._one(count.format(table), (since,)) for table in ("pictures", "removals"))

    def stored_vectors(self, chunk: int = CHUNK, ids: np.ndarray | None = None) -> Vectors:
        rows = "SELECT id, vector, crc32 FROM pictures"
        if ids is None:
            return self._unpacked(self.execute(f"{rows} ORDER BY id"), chunk)
        some = self.execute(f"{rows} WHERE id IN carray(?) ORDER BY id", (bound(ids),))
        return self._unpacked(some, chunk)

    def ids(self, where: Condition | None = None) -> np.ndarray:
        sql, bindings = EVERY if where is None else as_sql(where)
        return self._ids(f"SELECT id FROM pictures WHERE {sql} ORDER BY id", bindings)

    def complaints(self) -> list[str]:
        """The faults that SQLite finds in its file; none if it is intact."""
        try:
            lines = [line for (line,) in self._connection.execute("PRAGMA integrity_check")]
        except apsw.Error as error:
            lines = [str(error)]
        return [line for line in lines if line != "ok"]

    def copy_to(self, file: Path) -> None:
        """Copy the catalog of one instant into a new file, while others write."""
        target = apsw.Connection(str(file))
        try:
            with target.backup("main", self._connection, "main") as copying:
                copying.step()
        finally:
            target.close()

    def _ids(self, query: str, bindings: tuple[Any, ...]) -> np.ndarray:
        found = self._connection.execute(query, bindings).fetchall()
        return np.array(found, np.int64).reshape(-1)

    def _one(self, query: str, bindings: tuple[Any, ...] = ()) -> Any:
        return self._connection.execute(query, bindings).get

    def _pictures(
        self, where: str, bindings: tuple[Any, ...] = (), table: str = "pictures"
    ) -> Iterator[Picture]:
        written = WRITTEN if table == "pictures" else "NULL"  # others have no checksums
        found = self._connection.execute(
            f"SELECT {PICTURE}, {written} FROM {table} {where}", bindings
        )
        for id, path, stored, sha256, size, mtime_ns, added, metadata, written in found:
            is_whole(written, id, path, size, added, metadata)
            file = PictureFile(as_text(path), bool(stored), sha256, size, mtime_ns)
            yield Picture(id, file, added, parsed(id, metadata))

    def _unpacked(self, rows: Iterator[tuple[int, Any, int]], chunk: int) -> Vectors:
        """The intact ones."""
        while page := list(islice(rows, chunk)):
            good = [(id, blob) for id, blob, crc32 in page if self._is_whole(id, blob, crc32)]
            if good:
                ids = np.array([id for id, _ in good], np.int64)
                together = np.frombuffer(b"".join(blob for _, blob in good), self._dtype)
                yield ids, together.reshape(len(good), self.shape.row).astype(np.float32)

    def _is_whole(self, id: int, blob: Any, crc32: int) -> bool:
        size = self.shape.row * self._dtype.itemsize
        if isinstance(blob, bytes) and len(blob) == size and zlib.crc32(blob) == crc32:
            return True
        log.warning("the vector of picture %d is damaged: it is left out of all answers", id)
        return False


def warning_of_damage(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Rows of SHOWN; damage is logged."""
    for row in rows:
        is_whole(*row)
        yield row


def bound(ids: np.ndarray) -> Any:
    """Ids, int64 (N,), for ``carray(?)`` in a statement, which cannot be empty."""
    return apsw.carray(np.ascontiguousarray(ids, np.int64) if len(ids) else NO_ID)


def path_and_metadata(id: int, record: bytes) -> tuple[str, dict[str, Any]]:
    """Of a record of ``Reader.records``."""
    path, _, metadata = record.partition(SEPARATOR)
    return as_text(path), parsed(id, metadata)


def parsed(id: int, metadata: bytes | None) -> dict[str, Any]:
    if metadata == b"{}":  # most of them, and parsing takes as long as finding the row
        return {}
    try:
        return read_metadata(metadata or b"")
    except ValueError:
        log.warning("the metadata of picture %d is damaged: kkcv doctor --repair", id)
        return {}


def as_text(path: bytes | None) -> str:
    """Bytes that are no UTF-8, of such a name or of damage, as os.fsdecode has them."""
    return (path or b"").decode(errors="surrogateescape")
