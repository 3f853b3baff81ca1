"""Changes of the catalog (catalog.py) within one transaction."""

import json
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import apsw
import numpy as np

from kkcv.search import engine
from kkcv.search.engine.entries import Shape
from kkcv.search.engine.kept import SETTING as KEPT
from kkcv.search.engine.kept import Kept
from kkcv.search.picture import PictureFile, Stamp, as_bytes

from . import checksums
from .reader import Reader, bound

# Made when it is first needed: a catalog without it has the same format.
STAMPS = """
CREATE TABLE stamps (
    id         INTEGER PRIMARY KEY,
    changed_ns INTEGER NOT NULL,  -- when the file system noted a change of the file
    inode      INTEGER NOT NULL
)
"""

KEPT_OF = {"undo": "pictures", "undo_stamps": "stamps"}  # tables with rows as they were


class Writer(Reader, engine.Writer):
    """Reads the network's own vectors, without the projection, so that it may write them again."""

    def __init__(
        self, connection: apsw.Connection, dtype: np.dtype, shape: Shape, epoch: int
    ) -> None:
        super().__init__(connection, dtype, shape, epoch)
        self.last = self.sequence()

    def add(
        self,
        file: PictureFile,
        vector: np.ndarray,
        metadata: Mapping[str, Any],
        added: float | None = None,
    ) -> int:
        blob = self._pack(vector)
        self._connection.execute(
            "INSERT INTO pictures (sequence, path, stored, sha256, bytes, mtime_ns, added, "
            "metadata, vector, crc32) VALUES (?, CAST(? AS TEXT), ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._next(),
                *columns_of(file).values(),
                time.time() if added is None else added,
                json.dumps(metadata, ensure_ascii=False),
                blob,
                zlib.crc32(blob),
            ),
        )
        id = self._connection.last_insert_rowid()
        self._sum_up(id)
        return id

    def update(
        self,
        id: int,
        *,
        file: PictureFile | None = None,
        vector: np.ndarray | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        # another file does not make damaged metadata good
        sum_up = metadata is not None or (file is not None and self._one(checksums.WHOLE, (id,)))
        other_path = "SELECT 1 FROM pictures WHERE id = ? AND path != CAST(? AS TEXT)"
        values: dict[str, Any] = {}
        if vector is not None:
            blob = self._pack(vector)
            values |= {"sequence": self._next(), "vector": blob, "crc32": zlib.crc32(blob)}
        elif metadata is not None or (
            file and self.execute(other_path, (id, as_bytes(file.path))).get
        ):
            # an index reads again what hits show; only the last edit of a row matters
            self.execute("INSERT OR REPLACE INTO edits VALUES (?, ?)", (self._next(), id))
        if file is not None:
            values |= columns_of(file)
        if metadata is not None:
            values["metadata"] = json.dumps(metadata, ensure_ascii=False)
        assignments = ", ".join(
            f"{name} = {'CAST(? AS TEXT)' if name == 'path' else '?'}" for name in values
        )
        self.execute(f"UPDATE pictures SET {assignments} WHERE id = ?", (*values.values(), id))
        if sum_up:
            self._sum_up(id)

    def mark(self, id: int, stamp: Stamp) -> None:
        if not self.has_table("stamps"):
            self.execute(STAMPS)
        self.execute("INSERT OR REPLACE INTO stamps VALUES (?, ?, ?)", (id, *stamp))

    def remove(self, id: int) -> bool:
        self._connection.execute("DELETE FROM pictures WHERE id = ?", (id,))
        if not self._connection.changes():
            return False
        self._connection.execute("DELETE FROM checksums WHERE id = ?", (id,))
        self._connection.execute("INSERT INTO removals VALUES (?, ?)", (self._next(), id))
        if self.has_table("stamps"):
            self.execute("DELETE FROM stamps WHERE id = ?", (id,))
        return True

    @property
    def epoch(self) -> str:
        return self.setting("epoch", "0")

    def keep(self, kept: Kept, ids: Iterable[int]) -> bool:
        self.forget()
        wanted = bound(np.array([int(id) for id in ids], np.int64))
        for copy, table in KEPT_OF.items():
            if self.has_table(table):  # with its columns, whatever they are by now
                self.execute(f"CREATE TABLE {copy} AS SELECT * FROM {table} WHERE 0")
                sql = f"INSERT INTO {copy} SELECT * FROM {table} WHERE id IN carray(?)"
                self.execute(sql, (wanted,))
        self.set(KEPT, kept.to_text())
        return True

    def forget(self) -> None:
        """Keep no rows for undo any more."""
        for kept in KEPT_OF:
            self.execute(f"DROP TABLE IF EXISTS {kept}")
        self.set(KEPT, None)

    def put_back(self, id: int) -> None:
        """A row that is kept for undo, as it was; there is none with its id or path."""
        columns = [name for _, name, *_ in self.execute("PRAGMA table_info(undo)")]
        values = ["?" if name == "sequence" else name for name in columns]
        self.execute(
            f"INSERT INTO pictures ({', '.join(columns)}) "
            f"SELECT {', '.join(values)} FROM undo WHERE id = ?",
            (self._next(), id),
        )
        self._sum_up(id)
        self.execute("DELETE FROM removals WHERE id = ?", (id,))
        if self.has_table("undo_stamps"):
            self.execute("INSERT INTO stamps SELECT * FROM undo_stamps WHERE id = ?", (id,))

    def set(self, name: str, value: str | None) -> None:
        if value is None:
            self._connection.execute("DELETE FROM settings WHERE name = ?", (name,))
        else:
            self._connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def renumber(self) -> None:
        """Mark all vectors as changed, so that every index reads them again."""
        self.execute("UPDATE pictures SET sequence = ?", (self._next(),))

    def _sum_up(self, id: int) -> None:
        """Write the checksum of a row that was written."""
        self.execute(f"{checksums.WRITE} WHERE id = ?", (id,))

    def _next(self) -> int:
        self.last += 1
        return self.last

    def _pack(self, vector: np.ndarray) -> bytes:
        return vector.astype(self._dtype).tobytes()


def columns_of(file: PictureFile) -> dict[str, Any]:
    """The path is bytes, to be cast to text: a name need not be UTF-8."""
    return {**asdict(file), "path": as_bytes(file.path)}
