"""What the pages need of a library, whether it lies on this machine or behind a service."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from kkcv.hit import Place
from kkcv.query import Like
from kkcv.search.options import SearchOptions

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Entry:
    """A picture of a library. ``path`` is where its file lies, on the machine of the library."""

    id: int
    name: str
    path: str
    sha256: str
    bytes: int
    added: float  # seconds since 1970, UTC
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)


class Found(NamedTuple):
    """A hit. ``chance`` is the rate of unrelated pictures that score as high, if it is known.

    ``place`` has the corners of what the query shows, where that was verified.
    """

    id: int
    score: float
    chance: float | None = None
    place: Place | None = None


class Twins(NamedTuple):
    """Ids of pictures that are the same (``exact``: byte for byte) or nearly."""

    ids: tuple[int, ...]
    exact: bool
    similarity: float


class Warmth(NamedTuple):
    """What each place of a picture adds, (h, w), and the part of it that was seen (heat.py)."""

    heat: np.ndarray
    seen: tuple[float, float, float, float]


class Why(NamedTuple):
    """A score, and where it comes from in the two pictures."""

    score: float
    query: Warmth
    hit: Warmth


class Removed(NamedTuple):
    """A picture that was taken out, with all that is needed to bring it back.

    ``content`` is None where the file still lies at its path.
    """

    entry: Entry
    content: bytes | None


class Library(Protocol):
    """Pictures that can be searched, looked through and changed. Safe for several threads."""

    name: str  # the folder, or the address
    local: bool  # False: behind a service

    @property
    def network(self) -> str: ...

    @property
    def fingerprint(self) -> str:
        """Of the network, its weights and its preprocessing."""

    @property
    def reads(self) -> bool:
        """Whether it can be searched by text."""

    def load(self) -> None:
        """Wait until it can answer, which takes seconds at first."""

    def __len__(self) -> int: ...

    def search(self, likes: Sequence[Like], k: int, options: SearchOptions) -> list[Found]:
        """The most alike, nearest first (PictureError, UnknownPicture, RequestError)."""

    def get(self, id: int) -> Entry:
        """One picture (UnknownPicture)."""

    def among(self, ids: Sequence[int]) -> list[Entry]:
        """Those of these pictures that are still there, in this order."""

    def page(self, limit: int, after: int | None, where: str) -> list[Entry]:
        """Up to ``limit`` pictures that match a filter, after an id, the newest first."""

    def count(self, where: str) -> int:
        """How many match a filter (RequestError)."""

    def file(self, entry: Entry) -> bytes:
        """The bytes of a picture (FileMissing, ServiceError)."""

    def thumbnails(self, entries: Iterable[Entry]) -> list[bytes | None]:
        """A small JPEG of each; None where its file has gone."""

    def duplicates(self, min_score: float, progress: Progress) -> list[Twins]:
        """Groups of pictures that are the same or nearly, the largest first."""

    def explain(self, query: bytes, hit: bytes) -> Why:
        """Which places of two pictures made them match (RequestError)."""

    def add(self, content: bytes, name: str) -> bool:
        """Add a picture; whether it is new (PictureError)."""

    def describe(self, id: int, metadata: Mapping[str, Any]) -> None:
        """Other metadata in place of what it had (UnknownPicture)."""

    def remove(self, ids: Sequence[int]) -> list[Removed]:
        """Take pictures out; those that were there, to be brought back with ``restore``."""

    def restore(self, removed: Sequence[Removed]) -> int:
        """Bring removed pictures back, under new ids; how many came back."""

    def facts(self) -> dict[str, Any]:
        """Figures, as ``kkcv stats --json`` prints them."""


def found(hit: Any) -> Found:
    """A hit of a gallery or a service."""
    return Found(hit.id, hit.score, hit.chance, hit.place)
