"""A library on this machine: a gallery."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kkcv.embedding.explanation import Explanation
from kkcv.embedding.space import EmbeddingSpace
from kkcv.errors import GalleryError, PictureError
from kkcv.hit import Hit
from kkcv.hits import Hits
from kkcv.images.thumbnails import Thumbnails
from kkcv.query import Like
from kkcv.search.duplicates import DuplicateGroup, duplicates
from kkcv.search.explain import explain
from kkcv.search.gallery import Gallery
from kkcv.search.options import SearchOptions
from kkcv.search.picture import Picture

from .library import SPREAD, THUMBNAIL, Change, Entry, Library, Progress


class LocalLibrary(Library):
    def __init__(self, gallery: Gallery) -> None:
        super().__init__(gallery)
        self.gallery = gallery
        self._small = Thumbnails()

    @property
    def model(self) -> EmbeddingSpace:
        return self.gallery.space

    def load(self) -> None:
        _ = self.gallery.embedder

    def search(self, likes: Sequence[Like], k: int, options: SearchOptions) -> Hits:
        return self.gallery.search_like(likes, k, options)

    def starters(self, limit: int) -> list[Entry]:
        """Pictures of the whole library, each the least like those before it (farthest first)."""
        entries = self.spread(limit * SPREAD)
        with self.gallery.catalog.reading() as rows:
            vectors = rows.vectors_of(np.array([entry.id for entry in entries], np.int64))
        return [entries[place] for place in farthest_first(vectors, limit)]

    def file(self, id: int) -> bytes:
        return self.gallery.read(self.gallery.get(id))

    def duplicates(
        self, min_score: float, progress: Progress, copies: bool = False
    ) -> list[DuplicateGroup]:
        return duplicates(self.gallery, min_score, progress, copies=copies)

    def add(self, content: bytes, name: str) -> bool:
        return self.gallery.find_or_add(content, {"name": name})[1]

    def describe(self, metadata: Mapping[int, Mapping[str, Any]]) -> Change:
        count = self.gallery.describe_many(metadata)
        by = time.time()
        undo = (lambda: self.gallery.undo(metadata, by).pictures) if count > 1 else None
        return Change(count, undo)

    def remove(self, ids: Sequence[int]) -> Change:
        removed = self.gallery.remove(ids, at_least=1)
        by = time.time()
        return Change(len(removed), lambda: self.gallery.undo(removed, by).pictures)

    def facts(self) -> dict[str, Any]:
        return self.gallery.stats()

    def _entry(self, picture: Picture) -> Entry:
        path, sha256 = str(self.gallery.path(picture)), picture.file.sha256.hex()
        return Entry(picture.id, path, sha256, picture.metadata)

    def _thumbnail(self, picture: Entry | Hit) -> bytes | None:
        try:
            found = self.gallery.get(picture.id)
            sha256 = found.file.sha256
            small = self._small.find(sha256, THUMBNAIL)
            return small or self._small.make(sha256, THUMBNAIL, self.gallery.read(found))
        except (GalleryError, PictureError):
            return None

    def explain(self, query: bytes | int, hit: bytes | int) -> Explanation:
        return explain(self.gallery, query, hit)


def farthest_first(vectors: np.ndarray, number: int) -> list[int]:
    """Places of unit vectors (N, D): the first, then each time the one least like those chosen.

    Gonzalez: Clustering to minimize the maximum intercluster distance, 1985.
    """
    chosen = [0] if len(vectors) else []
    nearest = vectors @ vectors[0] if chosen else np.empty(0)
    while len(chosen) < min(number, len(vectors)):
        nearest[chosen] = np.inf  # none is chosen twice
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, vectors @ vectors[chosen[-1]])
    return chosen
