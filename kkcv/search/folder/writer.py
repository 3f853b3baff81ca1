"""Changes of the catalog (catalog.py) within one transaction."""

import json
import time
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import apsw
import numpy as np

from kkcv.search import engine
from kkcv.search.entries import Shape
from kkcv.search.picture import PictureFile, Stamp

from .reader import Reader

# Made when it is first needed: a catalog without it has the same format.
STAMPS = """
CREATE TABLE stamps (
    id         INTEGER PRIMARY KEY,
    changed_ns INTEGER NOT NULL,  -- when the file system noted a change of the file
    inode      INTEGER NOT NULL
)
"""


class Writer(Reader, engine.Writer):
    """It reads the network's own vectors, without the projection, so it may write them again."""

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
            "metadata, vector, crc32) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._next(),
                *asdict(file).values(),
                time.time() if added is None else added,
                json.dumps(metadata, ensure_ascii=False),
                blob,
                zlib.crc32(blob),
            ),
        )
        return self._connection.last_insert_rowid()

    def update(
        self,
        id: int,
        *,
        file: PictureFile | None = None,
        vector: np.ndarray | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        other_path = "SELECT 1 FROM pictures WHERE id = ? AND path != ?"
        values: dict[str, Any] = {}
        if vector is not None:
            blob = self._pack(vector)
            values |= {"sequence": self._next(), "vector": blob, "crc32": zlib.crc32(blob)}
        elif metadata is not None or (file and self.execute(other_path, (id, file.path)).get):
            # an index reads again what hits show; only the last edit of a row matters
            self.execute("INSERT OR REPLACE INTO edits VALUES (?, ?)", (self._next(), id))
        if file is not None:
            values |= asdict(file)
        if metadata is not None:
            values["metadata"] = json.dumps(metadata, ensure_ascii=False)
        assignments = ", ".join(f"{name} = ?" for name in values)
        self.execute(f"UPDATE pictures SET {assignments} WHERE id = ?", (*values.values(), id))

    def mark(self, id: int, stamp: Stamp) -> None:
        if not self.has_table("stamps"):
            self.execute(STAMPS)
        self.execute("INSERT OR REPLACE INTO stamps VALUES (?, ?, ?)", (id, *stamp))

    def remove(self, id: int) -> bool:
        self._connection.execute("DELETE FROM pictures WHERE id = ?", (id,))
        if not self._connection.changes():
            return False
        self._connection.execute("INSERT INTO removals VALUES (?, ?)", (self._next(), id))
        if self.has_table("stamps"):
            self.execute("DELETE FROM stamps WHERE id = ?", (id,))
        return True

    def set(self, name: str, value: str | None) -> None:
        if value is None:
            self._connection.execute("DELETE FROM settings WHERE name = ?", (name,))
        else:
            self._connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def renumber(self) -> None:
        """Mark all vectors as changed, so that every index reads them again."""
        self.execute("UPDATE pictures SET sequence = ?", (self._next(),))

    def _next(self) -> int:
        self.last += 1
        return self.last

    def _pack(self, vector: np.ndarray) -> bytes:
        return vector.astype(self._dtype).tobytes()
