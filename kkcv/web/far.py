"""A library behind a service (kkcv serve), by the client."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import PurePath
from typing import Any

import numpy as np

from kkcv.client import Client, PictureInfo
from kkcv.errors import KkcvError, UnknownPicture
from kkcv.query import Like
from kkcv.search.options import SearchOptions

from .library import Entry, Found, Progress, Removed, Twins, Warmth, Why, found

THUMBNAIL = 256
REMEMBERED = 4000  # thumbnails


class FarLibrary:
    """A service as the pages see it."""

    local = False

    def __init__(self, client: Client) -> None:
        self.client = client
        self.name = client.address
        self._small = lru_cache(maxsize=REMEMBERED)(self._fetch_thumbnail)

    @property
    def network(self) -> str:
        return self.client.model().network

    @property
    def fingerprint(self) -> str:
        return self.client.model().fingerprint

    @property
    def reads(self) -> bool:
        return self.client.model().text

    def load(self) -> None:
        self.client.model()  # the service loads what it needs by itself

    def __len__(self) -> int:
        return self.client.count()

    def search(self, likes: Sequence[Like], k: int, options: SearchOptions) -> list[Found]:
        hits = self.client.search_like(likes, k, **options.chosen())
        return [found(hit) for hit in hits]

    def get(self, id: int) -> Entry:
        return entry_of(self.client.get(id))

    def among(self, ids: Sequence[int]) -> list[Entry]:
        def one(id: int) -> Entry | None:
            try:
                return self.get(id)
            except UnknownPicture:
                return None

        with ThreadPoolExecutor(4) as pool:
            return [entry for entry in pool.map(one, ids) if entry is not None]

    def page(self, limit: int, after: int | None, where: str) -> list[Entry]:
        found = self.client.page(limit, after, newest=True, where=where)
        return [entry_of(info) for info in found]

    def count(self, where: str) -> int:
        return self.client.count(where)

    def duplicates(self, min_score: float, progress: Progress) -> list[Twins]:
        groups = self.client.duplicates(min_score)
        return [Twins(tuple(g.ids), g.exact, g.similarity) for g in groups]

    def file(self, entry: Entry) -> bytes:
        return self.client.file(entry.id)

    def thumbnails(self, entries: Iterable[Entry]) -> list[bytes | None]:
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda entry: self._small(entry.id, entry.sha256), entries))

    def explain(self, query: bytes, hit: bytes) -> Why:
        said = self.client.explain(query, hit)
        return Why(said.score, *(warmth(side.heat, side.seen) for side in (said.query, said.hit)))

    def add(self, content: bytes, name: str) -> bool:
        before = len(self)
        self.client.add(content, {"name": name})
        return len(self) > before

    def describe(self, id: int, metadata: Mapping[str, Any]) -> None:
        self.client.describe(id, metadata)

    def remove(self, ids: Sequence[int]) -> list[Removed]:
        """The files are fetched first: the service may have the only copies."""
        removed = []
        for id in ids:
            with suppress(UnknownPicture):
                entry = self.get(id)
                removed.append(Removed(entry, self.client.file(id)))
                self.client.remove(id)
        return removed

    def restore(self, removed: Sequence[Removed]) -> int:
        for entry, content in removed:
            assert content is not None
            self.client.add(content, entry.metadata)
        return len(removed)

    def facts(self) -> dict[str, Any]:
        return self.client.stats().model_dump()

    def _fetch_thumbnail(self, id: int, _sha256: str) -> bytes | None:
        try:
            return self.client.thumbnail(id, THUMBNAIL)
        except KkcvError:
            return None


def warmth(heat: list[list[float]], seen: list[float]) -> Warmth:
    left, top, width, height = seen
    return Warmth(np.array(heat, np.float32), (left, top, width, height))


def entry_of(info: PictureInfo) -> Entry:
    name = info.metadata.get("name")
    return Entry(
        info.id,
        name if isinstance(name, str) else PurePath(info.path).name,
        info.path,
        info.sha256,
        info.bytes,
        info.added.timestamp(),
        info.metadata,
    )
