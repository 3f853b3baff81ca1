"""A picture of a gallery, as the catalog of every engine knows it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from kkcv.errors import FileMissing, PictureError, UnknownPicture
from kkcv.query import whole

LARGEST_ID = 2**63 - 1  # of SQLite and of Milvus: a signed number of 64 bits
END_OF_TIME = 253_402_300_800  # seconds: the year 10000, which no date can show


@dataclass(frozen=True)
class PictureFile:
    """Where the bytes of a picture are, and how to notice that they changed.

    ``path`` is absolute, or relative to the gallery when the gallery ``stored`` the file itself.
    """

    path: str
    stored: bool
    sha256: bytes
    bytes: int
    mtime_ns: int


class Stamp(NamedTuple):
    """Marks of a file that change when it does, even if its size and modification time stay.

    ``changed_ns`` is the time at which the file system noted the last change, ``inode`` its number
    there; each is 0 if unknown.
    """

    changed_ns: int = 0
    inode: int = 0


UNKEPT = Stamp()  # of an engine that keeps no stamps, or of a file that was not looked at


@dataclass(frozen=True)
class Picture:
    """A row of the catalog, without its vector. ``added_seconds`` are since 1970, UTC."""

    id: int
    file: PictureFile
    added_seconds: float = field(repr=False)
    metadata: dict[str, Any]

    @property
    def added(self) -> datetime:
        """When it was added, in UTC."""
        return datetime.fromtimestamp(self.added_seconds, UTC)


class Totals(NamedTuple):
    """How many pictures; how many of them the gallery stores itself; the bytes of all files."""

    pictures: int
    stored: int
    bytes: int


class Pictures(Protocol):
    """Pictures by id, and their files: a gallery is one."""

    folder: Path

    def get(self, id: int) -> Picture: ...

    def get_many(self, ids: Iterable[int]) -> list[Picture]: ...

    def read(self, picture: Picture) -> bytes: ...


def read_in_batch(gallery: Pictures, picture: Picture) -> bytes:
    """As ``gallery.read``, but a file that has gone is a PictureError: it stops no batch."""
    try:
        return gallery.read(picture)
    except FileMissing as error:
        raise PictureError(str(error), "unreadable") from None


def check_id(id: Any, address: str) -> int:
    """An id that a picture could have (UnknownPicture, RequestError)."""
    if not 0 < whole(id) <= LARGEST_ID:
        raise unknown(id, address)
    return int(id)


def unknown(id: int, address: str) -> UnknownPicture:
    return UnknownPicture(f"no picture with id {id} in {address}")


# Paths as text, for what holds nothing but UTF-8: Milvus and Parquet. Python has a byte of a name
# that is no UTF-8 as half of a surrogate pair (PEP 383). As text it is two slashes and its
# hexadecimal digits, which no other path contains: ``/a/caf\xe9.jpg`` is ``/a/caf//e9.jpg``.
LONE = re.compile("[\udc80-\udcff]")
ESCAPED = re.compile(r"(?<!\A)//([89a-f][0-9a-f])")  # a path may begin with two slashes


def as_text(path: str) -> str:
    return LONE.sub(lambda half: f"//{ord(half[0]) & 0xFF:02x}", path)


def as_path(text: str) -> str:
    """The opposite of ``as_text``."""
    return ESCAPED.sub(lambda found: chr(0xDC00 + int(found[1], 16)), text)


def as_bytes(path: str) -> bytes:
    """The bytes of a path as the file system has them."""
    return path.encode("utf-8", "surrogateescape")
