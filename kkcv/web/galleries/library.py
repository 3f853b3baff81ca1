"""A library as the pages see it: a gallery on this machine, or one behind a service.

A gallery and the client of a service have the same methods, so most of a library is here;
local_library.py and remote_library.py have the rest.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np

from kkcv.client import Client, DuplicateGroup, Explained, Model
from kkcv.embedding.explanation import Explanation
from kkcv.embedding.space import EmbeddingSpace
from kkcv.hit import Hit
from kkcv.hits import Hits
from kkcv.images.source import printable
from kkcv.query import Like
from kkcv.search import duplicates as local
from kkcv.search.gallery import Gallery
from kkcv.search.options import SearchOptions
from kkcv.timing import Progress

SPREAD = 10  # times as many are looked at as are shown to begin with
THUMBNAIL = 256  # pixels of the longer side
Group = local.DuplicateGroup | DuplicateGroup  # of the gallery, or as the service tells it


class Entry(NamedTuple):
    """A picture of a library. ``path`` is that of its file, on the machine of the library."""

    id: int
    path: str
    sha256: str  # in hexadecimal digits
    metadata: Mapping[str, Any]


class Change(NamedTuple):
    """A change of so many pictures; ``undo`` takes it back, and says of how many it could."""

    pictures: int
    undo: Callable[[], int] | None


class Library(ABC):
    """Pictures that can be searched, looked through and changed. Safe for several threads."""

    def __init__(self, source: Gallery | Client) -> None:
        self._source = source
        self.name = source.address  # the folder, or the address of the service

    @property
    @abstractmethod
    def model(self) -> EmbeddingSpace | Model:
        """Its network: name, fingerprint, and whether it reads text."""

    @abstractmethod
    def load(self) -> None:
        """Wait until it can answer, which takes seconds at first."""

    def count(self, where: str = "") -> int:
        """How many pictures match a filter, all of them for an empty one (RequestError)."""
        return self._source.count(where or None)

    @abstractmethod
    def search(self, likes: Sequence[Like], k: int, options: SearchOptions) -> Hits:
        """The most alike, nearest first (PictureError, UnknownPicture, RequestError)."""

    def get(self, id: int) -> Entry:
        """One picture (UnknownPicture)."""
        return self._entry(self._source.get(id))

    def get_many(self, ids: Iterable[int]) -> list[Entry]:
        """The pictures with these ids that are still there, in this order, in one request."""
        return [self._entry(picture) for picture in self._source.get_many(ids)]

    def page(self, limit: int, after: int | None = None, where: str = "") -> list[Entry]:
        """Up to ``limit`` pictures that match a filter, the newest first.

        ``after`` is the last id of the page before.
        """
        found = self._source.page(limit, after, newest=True, where=where or None)
        return [self._entry(picture) for picture in found]

    def starters(self, limit: int) -> list[Entry]:
        """Pictures to begin with, that differ from each other."""
        return self.spread(limit)

    def spread(self, number: int) -> list[Entry]:
        """Up to so many pictures from all over the library, the newest first."""
        newest = self.page(1)
        ids: Iterable[float] = np.linspace(newest[0].id, 1, number).round() if newest else ()
        found = self.get_many(dict.fromkeys(map(int, ids)))
        return found if 2 * len(found) > number else self.page(number)

    @abstractmethod
    def file(self, id: int) -> bytes:
        """The bytes of a picture (UnknownPicture, FileMissing, ServiceError)."""

    def thumbnails(self, pictures: Sequence[Entry | Hit]) -> list[bytes | None]:
        """A small JPEG of each; None where its file has gone."""
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(self._thumbnail, pictures))

    @abstractmethod
    def duplicates(
        self, min_score: float, progress: Progress, copies: bool = False
    ) -> Sequence[Group]:
        """Groups of pictures that are the same or nearly, the largest first.

        ``copies``: turned, mirrored, recolored and cropped ones too.
        """

    def keep_both(self, ids: Sequence[int]) -> None:
        """Remember that these are no duplicates (UnknownPicture)."""
        self._source.keep_both(ids)

    @abstractmethod
    def explain(self, query: bytes | int, hit: bytes | int) -> Explanation | Explained:
        """The positions of two pictures, or ids, that made them match (RequestError)."""

    @abstractmethod
    def add(self, content: bytes, name: str) -> bool:
        """Add a picture; whether it is new (PictureError)."""

    @abstractmethod
    def describe(self, metadata: Mapping[int, Mapping[str, Any]]) -> Change:
        """Replace the metadata of pictures by their ids (UnknownPicture, RequestError)."""

    @abstractmethod
    def remove(self, ids: Sequence[int]) -> Change:
        """Remove those of these pictures that are still there."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """Figures, as ``kkcv stats --json`` prints them."""

    @abstractmethod
    def _entry(self, picture: Any) -> Entry: ...

    @abstractmethod
    def _thumbnail(self, picture: Entry | Hit) -> bytes | None: ...


def name_of(picture: Entry | Hit) -> str:
    """The name of a picture on the page: ``name`` of its metadata, else that of its file."""
    name = picture.metadata.get("name")
    return (
        name if isinstance(name, str) and name.strip() else printable(PurePath(picture.path).name)
    )
