"""What can be changed in the catalog (catalog.py), within one transaction."""

import json
import time
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import apsw
import numpy as np

from kkcv.search.picture import PictureFile

from .reader import Reader


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
        moved = "SELECT 1 FROM pictures WHERE id = ? AND path != ?"
        if self._connection.execute(moved, (id, file.path)).get:
            self._edited(id)
        self._connection.execute(
            "UPDATE pictures SET path = ?, stored = ?, sha256 = ?, bytes = ?, mtime_ns = ? "
            "WHERE id = ?",
            (*row(file), id),
        )

    def describe(self, id: int, metadata: Mapping[str, Any]) -> None:
        """Other metadata."""
        self._edited(id)
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

    def _edited(self, id: int) -> None:
        """Who keeps what hits show must read it again; an earlier edit is no more of interest."""
        self._connection.execute("INSERT OR REPLACE INTO edits VALUES (?, ?)", (self._next(), id))

    def _next(self) -> int:
        self.last += 1
        return self.last

    def _pack(self, vector: np.ndarray) -> bytes:
        return vector.astype(self._dtype).tobytes()


def row(file: PictureFile) -> tuple[str, bool, bytes, int, int]:
    return file.path, file.stored, file.sha256, file.bytes, file.mtime_ns
