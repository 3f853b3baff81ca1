"""A picture of a gallery, as the catalog of either engine knows it."""

from dataclasses import dataclass
from typing import Any, NamedTuple

LARGEST_ID = 2**63 - 1  # in either engine


@dataclass(frozen=True)
class PictureFile:
    """Where a picture's bytes are, and how to notice that they changed.

    ``path`` is absolute, or relative to the gallery when the gallery ``stored`` the file itself.
    """

    path: str
    stored: bool
    sha256: bytes
    bytes: int
    mtime_ns: int


@dataclass(frozen=True)
class Picture:
    """A row of the catalog, without its vector. ``added`` is in seconds since 1970, UTC."""

    id: int
    file: PictureFile
    added: float
    metadata: dict[str, Any]


class Totals(NamedTuple):
    """How many pictures there are, how many the gallery stored, and the bytes of all files."""

    pictures: int
    stored: int
    bytes: int
