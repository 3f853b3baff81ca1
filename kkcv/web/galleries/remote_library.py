"""A library behind a service (kkcv serve), by the client."""

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from kkcv.client import MAX_CHOSEN, Client, DuplicateGroup, Explained, Model, PictureInfo
from kkcv.errors import KkcvError
from kkcv.hit import Hit
from kkcv.hits import Hits
from kkcv.query import Like
from kkcv.search.options import SearchOptions

from .library import THUMBNAIL, Change, Entry, Library, Progress

REMEMBERED = 4000  # thumbnails
# Seconds for which an answer of the service is used again: the page is drawn again at every click.
MODEL_SECONDS, THUMBNAIL_SECONDS = 5, 300


class RemoteLibrary(Library):
    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.client = client
        self._model = lru_cache(1)(lambda period: client.model())
        self._small = lru_cache(REMEMBERED)(self._fetch_thumbnail)

    @property
    def model(self) -> Model:
        return self._model(time.monotonic() // MODEL_SECONDS)

    def load(self) -> None:
        _ = self.model  # the service loads its network by itself

    def search(self, likes: Sequence[Like], k: int, options: SearchOptions) -> Hits:
        return self.client.search_like(likes, k, **options.chosen())

    def file(self, id: int) -> bytes:
        return self.client.file(id)

    def duplicates(
        self, min_score: float, progress: Progress, copies: bool = False
    ) -> list[DuplicateGroup]:
        return self.client.duplicates(min_score, copies=copies)

    def add(self, content: bytes, name: str) -> bool:
        return self.client.add(content, {"name": name}).new

    def describe(self, metadata: Mapping[int, Mapping[str, Any]]) -> Change:
        for id, each in metadata.items():
            self.client.describe(id, each)
        return Change(len(metadata), None)

    def remove(self, ids: Sequence[int]) -> Change:
        """In several requests where one may not have so many ids; undo takes back the last one."""
        removed, last = 0, list[int]()
        for start in range(0, len(ids), MAX_CHOSEN):
            last = self.client.remove_many(ids[start : start + MAX_CHOSEN])
            removed += len(last)
        return Change(removed, lambda: self.client.undo(last))

    def facts(self) -> dict[str, Any]:
        return self.client.stats().model_dump()

    def _entry(self, picture: PictureInfo) -> Entry:
        return Entry(picture.id, picture.path, picture.sha256, picture.metadata)

    def _thumbnail(self, picture: Entry | Hit) -> bytes | None:
        # A replaced picture has another path; one that was changed in its place has not.
        return self._small(picture.id, picture.path, time.monotonic() // THUMBNAIL_SECONDS)

    def _fetch_thumbnail(self, id: int, path: str, period: float) -> bytes | None:
        try:
            return self.client.thumbnail(id, THUMBNAIL)
        except KkcvError:
            return None

    def explain(self, query: bytes | int, hit: bytes | int) -> Explained:
        return self.client.explain(query, hit)
