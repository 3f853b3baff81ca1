"""A library on this machine: a gallery."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from kkcv.errors import GalleryError, PictureError, UnknownPicture
from kkcv.images.limits import DEFAULT_LIMITS
from kkcv.images.thumbnails import Thumbnails
from kkcv.query import Like
from kkcv.search.duplicates import duplicates
from kkcv.search.explain import explain
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.options import SearchOptions
from kkcv.search.picture import Picture
from kkcv.search.where import parse

from .library import Entry, Found, Progress, Removed, Twins, Warmth, Why, found

THUMBNAIL = 256
LIMITS = DEFAULT_LIMITS


class NearLibrary:
    """A gallery as the pages see it."""

    local = True

    def __init__(self, gallery: Gallery) -> None:
        self.gallery = gallery
        self.name = gallery.address
        self._small = Thumbnails()

    @property
    def network(self) -> str:
        return self.gallery.space.network

    @property
    def fingerprint(self) -> str:
        return self.gallery.space.fingerprint

    @property
    def reads(self) -> bool:
        return self.gallery.space.text

    def load(self) -> None:
        _ = self.gallery.embedder

    def __len__(self) -> int:
        return len(self.gallery)

    def search(self, likes: Sequence[Like], k: int, options: SearchOptions) -> list[Found]:
        hits = self.gallery.search_like(likes, k, options, limits=LIMITS)
        return [found(hit) for hit in hits]

    def get(self, id: int) -> Entry:
        return self._entry(self.gallery.get(id))

    def among(self, ids: Sequence[int]) -> list[Entry]:
        entries = []
        for id in ids:
            with suppress(UnknownPicture):
                entries.append(self.get(id))
        return entries

    def page(self, limit: int, after: int | None, where: str) -> list[Entry]:
        if not where:
            return [self._entry(p) for p in self.gallery.page(limit, after, newest=True)]
        with self.gallery.catalog.reading() as rows:
            ids = [int(id) for id in rows.ids(parse(where)) if after is None or id < after]
            wanted = sorted(ids, reverse=True)[:limit]
            found = {picture.id: self._entry(picture) for picture in rows.pictures(wanted)}
        return [found[id] for id in wanted if id in found]

    def count(self, where: str) -> int:
        return self.gallery.count(where or None)

    def file(self, entry: Entry) -> bytes:
        return self.gallery.read(self.gallery.get(entry.id))

    def thumbnails(self, entries: Iterable[Entry]) -> list[bytes | None]:
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(self._thumbnail, entries))

    def duplicates(self, min_score: float, progress: Progress) -> list[Twins]:
        groups = duplicates(self.gallery, min_score, progress)
        return [Twins(tuple(p.id for p in g.pictures), g.exact, g.similarity) for g in groups]

    def explain(self, query: bytes, hit: bytes) -> Why:
        said = explain(self.gallery, query, hit, limits=LIMITS)
        return Why(said.score, *(Warmth(side.heat, side.seen) for side in (said.query, said.hit)))

    def add(self, content: bytes, name: str) -> bool:
        return self.gallery.find_or_add(content, {"name": name}, limits=LIMITS)[1]

    def describe(self, id: int, metadata: Mapping[str, Any]) -> None:
        self.gallery.describe(id, metadata)

    def remove(self, ids: Sequence[int]) -> list[Removed]:
        kept = {}
        for id in ids:
            with suppress(UnknownPicture):
                picture = self.gallery.get(id)
                content = self.gallery.read(picture) if picture.file.stored else None
                kept[id] = Removed(self._entry(picture), content)
        return [kept[id] for id in self.gallery.remove(kept)]

    def restore(self, removed: Sequence[Removed]) -> int:
        for entry, content in removed:
            if content is not None:
                self.gallery.find_or_add(content, entry.metadata, limits=LIMITS)
        outside = {entry.path: entry for entry, content in removed if content is None}
        here = []
        for path in outside:
            with suppress(PictureError):
                import_pictures(self.gallery, [path])
                here.append(path)
        for path in here:
            with suppress(UnknownPicture):  # its file has gone meanwhile
                self.gallery.describe(self.gallery.find(path).id, outside[path].metadata)
        return sum(content is not None for _, content in removed) + len(here)

    def facts(self) -> dict[str, Any]:
        return self.gallery.stats()

    def _thumbnail(self, entry: Entry) -> bytes | None:
        sha256 = bytes.fromhex(entry.sha256)
        if small := self._small.find(sha256, THUMBNAIL):
            return small
        try:
            return self._small.make(sha256, THUMBNAIL, self.file(entry), LIMITS)
        except (GalleryError, PictureError, UnknownPicture):
            return None

    def _entry(self, picture: Picture) -> Entry:
        path = self.gallery.path(picture)
        name = picture.metadata.get("name")
        return Entry(
            picture.id,
            name if picture.file.stored and isinstance(name, str) else path.name,
            str(path),
            picture.file.sha256.hex(),
            picture.file.bytes,
            picture.added,
            picture.metadata,
        )
