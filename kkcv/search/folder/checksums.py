"""A checksum of each row, beside it: damage to a path or metadata is found, not shown in silence.

It is of all that hits show and filters read: id, path, bytes, time and metadata. The vector has one
of its own, and the file its sha256.
"""

import logging
import struct
import zlib
from typing import Any

import apsw

NAME = "row_crc32"
TABLE = "CREATE TABLE checksums (id INTEGER PRIMARY KEY, crc32 INTEGER NOT NULL)"
# Text as bytes: SQLite would stop at one that is damaged.
VALUES = "CAST(path AS BLOB), bytes, added, CAST(metadata AS BLOB)"
CHECKED = f"id, {VALUES}"
WRITE = f"INSERT OR REPLACE INTO checksums SELECT id, {NAME}({CHECKED}) FROM pictures"
WRITTEN = "(SELECT crc32 FROM checksums WHERE checksums.id = pictures.id)"  # None: not known
SAME = f"{NAME}({CHECKED}) = {WRITTEN}"
WHOLE = f"SELECT {SAME} FROM pictures WHERE id = ?"
log = logging.getLogger(__name__)


def row_crc32(*row: Any) -> int:
    """The checksum of a row, by CHECKED; -1 where a number in it is damaged so that it is none."""
    id, path, bytes, added, metadata = row
    try:
        head = struct.pack("<qqd", id, bytes, added)
    except struct.error:
        return -1
    return zlib.crc32(metadata or b"", zlib.crc32((path or b"") + b"\0" + head))


def provide(connection: apsw.Connection) -> None:
    """Let SQL of this connection compute the checksum."""
    connection.create_scalar_function(NAME, row_crc32, 5, deterministic=True)


def is_whole(written: int | None, *row: Any) -> bool:
    """Whether a row is as it was written, by the columns of CHECKED; damage is logged."""
    if written is None or written == row_crc32(*row):
        return True
    log.warning("the path or metadata of picture %s are damaged: kkcv doctor --repair", row[0])
    return False
