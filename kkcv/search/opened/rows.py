"""The pictures of a gallery: looked up, listed, added, described and removed."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any

from kkcv.embedding import terms, windows
from kkcv.errors import AlreadyThere, RequestError, UnknownPicture
from kkcv.hit import Hit
from kkcv.hits import thumbnail as small
from kkcv.images.exif import exif_of
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.images.source import Source, read_bytes
from kkcv.metadata import EXIF, storable, with_exif
from kkcv.notebook import table, thumbnails
from kkcv.query import whole
from kkcv.search.files import delete_stored, keep, read, store
from kkcv.search.filters.conditions import Condition
from kkcv.search.filters.expression import parse
from kkcv.search.options import OPTIONS
from kkcv.search.picture import LARGEST_ID, Picture, check_id, unknown
from kkcv.search.ranking.names import PLAIN, RANKING
from kkcv.search.verification.making import made_of
from kkcv.where import Where, as_text

from .keys import known_keys, must_name_known_keys
from .opened import Opened

SHOWN = 8  # pictures in a notebook


class Rows(Opened):
    """The pictures of an open gallery, as a container of them."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.address)!r})"

    def __len__(self) -> int:
        with self.catalog.reading() as rows:
            return rows.count()

    def __iter__(self) -> Iterator[Picture]:
        return self.pictures()

    def __getitem__(self, id: int) -> Picture:
        return self.get(id)

    def __contains__(self, picture: object) -> bool:
        """Whether a picture is here: an id, a path, a Picture or a Hit."""
        if isinstance(picture, Picture | Hit):
            picture = picture.id
        with self.catalog.reading() as rows:
            if isinstance(picture, str | PathLike):
                return rows.by_path(self.library.named(picture)) is not None
            id = whole(picture)
            return 0 < id <= LARGEST_ID and rows.picture(id) is not None

    def condition(self, where: Where | None) -> Condition | None:
        """A filter as text or as a mapping (where.py), parsed (RequestError)."""
        return parse(as_text(where)) if where else None

    def count(self, where: Where | None = None) -> int:
        """The number of pictures, or of those that match a filter (RequestError)."""
        condition = self.condition(where)
        with self.catalog.reading() as rows:
            count = rows.count(condition)
        if condition and not count:
            self.must_name_known_keys(condition)
        return count

    def get(self, id: int) -> Picture:
        """A picture by its id (UnknownPicture)."""
        id = check_id(id, self.address)
        with self.catalog.reading() as rows:
            picture = rows.picture(id)
        if picture is None:
            raise unknown(id, self.address)
        return picture

    def get_many(self, ids: Iterable[int]) -> list[Picture]:
        """The pictures with these ids that exist, in this order."""
        wanted = [id for id in ids if 0 < id <= LARGEST_ID]
        with self.catalog.reading() as rows:
            found = {picture.id: picture for picture in rows.pictures(wanted)}
        return [found[id] for id in wanted if id in found]

    def find(self, id_or_path: str) -> Picture:
        """A picture by its id, ``"17"`` or ``"id:17"``, or by its path (UnknownPicture)."""
        id = id_or_path.removeprefix("id:")
        if id.isascii() and id.isdecimal():
            return self.get(int(id[:20]))  # one digit more than the largest id
        with self.catalog.reading() as rows:
            picture = rows.by_path(self.library.named(id_or_path))
        if picture is None:
            raise UnknownPicture(f"no picture of {id_or_path} in {self.address}")
        return picture

    def pictures(self) -> Iterator[Picture]:
        """All pictures, in the order of ids."""
        with self.catalog.reading() as rows:
            yield from rows.pictures()

    def page(
        self,
        limit: int,
        after: int | None = None,
        *,
        newest: bool = False,
        where: Where | None = None,
    ) -> list[Picture]:
        """One page of pictures.

        Args:
            limit: at most so many pictures.
            after: the last id of the previous page.
            newest: largest ids first.
            where: a filter (RequestError).
        """
        condition = self.condition(where)
        with self.catalog.reading() as rows:
            found = rows.page(limit, after, newest, condition)
        if condition and not found and after is None:
            self.must_name_known_keys(condition)
        return found

    def keys(self) -> list[str]:
        """The keys of the metadata, as filters name them, of at most 2000 pictures."""
        with self.catalog.reading() as rows:
            return known_keys(rows)

    def must_name_known_keys(self, condition: Condition) -> None:
        """Raises RequestError for a filter without matches that misspells a key."""
        with self.catalog.reading() as rows:
            if not rows.count(condition):
                must_name_known_keys(rows, condition)

    def path(self, picture: Picture) -> Path:
        """The absolute path of a picture's file, as seen from here; it may be missing."""
        return Path(self._generation.library.located(picture.file.path))

    def read(self, picture: Picture) -> bytes:
        """The bytes of a picture as they were indexed.

        Raises FileMissing if the file has gone, changed, or become another one.
        """
        path = self.path(picture)
        return read(path, picture, self._generation.library.asked(str(path)))

    @property
    def ranking(self) -> str:
        """The ranking of searches that name none."""
        with self.catalog.reading() as rows:
            return rows.setting(RANKING, PLAIN)

    def rank_by(self, name: str) -> None:
        """Set the ranking of searches that name none, in all processes (RequestError)."""
        OPTIONS["ranking"].check(name)
        with self.catalog.writing() as writer:
            writer.set(RANKING, name)

    def _repr_html_(self) -> str:
        """Its facts and a few pictures, for notebooks."""
        facts = self.stats()
        rows = [(name, facts[name]) for name in ("gallery", "pictures", "network", "dim")]
        some = self.page(SHOWN, newest=True)
        shown = ((small(str(self.path(p))), f"id {p.id}", str(self.path(p))) for p in some)
        return table(["", ""], rows) + thumbnails(shown)

    def stats(self) -> dict[str, Any]:
        """Sizes, network and index of the gallery, as plain values for JSON."""
        with self.catalog.reading() as rows:
            totals = rows.totals()
        return {
            "gallery": self.address,
            "pictures": totals.pictures,
            "stored": totals.stored,
            "picture_bytes": totals.bytes,
            "catalog_bytes": self.catalog.size_on_disk(),
            "network": self.space.network,
            **terms.facts(self.catalog.settings["model"]),
            "dim": self.space.dim,
            "parts": len(windows.WINDOWS) if self.generation.stored_space.parts else 0,
            "vectors": self.catalog.settings["vectors"],
            "fingerprint": self.space.fingerprint,
            "preprocess": self.space.preprocess.to_dict(),
            "ranking": self.ranking,
            "index": self.generation.index.describe(),
        }

    def add(
        self,
        picture: Source,
        metadata: Mapping[str, Any] | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Picture:
        """Embed a picture and keep its bytes in the gallery; the next search finds it.

        If the gallery has the same bytes already, that picture is returned unchanged.

        Args:
            picture: a path, bytes, a file object or a Pillow image.
            metadata: anything that JSON can hold, up to 16,384 characters of it. What the file
                tells of its photograph is added under ``exif``, unless that is given.
            limits: on bytes and pixels of the picture.

        Raises:
            PictureError: the picture cannot be read.
            RequestError: the metadata cannot be kept.
            GalleryLocked: another process is writing for too long.
            Superseded: the network was changed meanwhile; try again.
        """
        return self.find_or_add(picture, metadata, limits=limits)[0]

    def find_or_add(
        self,
        picture: Source,
        metadata: Mapping[str, Any] | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
    ) -> tuple[Picture, bool]:
        """As ``add``, and whether the picture is new."""
        described = storable(metadata)
        data = read_bytes(picture, limits)
        sha256 = hashlib.sha256(data).digest()
        generation = self.generation
        with generation.catalog.reading() as rows:
            for known in rows.by_sha256(sha256):  # before it is embedded, which takes longest
                return known, False
        vector = generation.embedder.embed_row(data, limits)
        if EXIF not in described:
            described = with_exif(described, exif_of(data))
        with generation.catalog.writing() as writer:
            for known in writer.by_sha256(sha256):  # another thread was faster
                return known, False
            id = writer.add(store(self.folder, data, sha256), vector, described)
        made_of(self, data, sha256, limits)
        return self.get(id), True

    def replace(
        self,
        id: int,
        picture: Source,
        metadata: Mapping[str, Any] | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Picture:
        """Put another picture under the same id; ``metadata=None`` keeps the metadata.

        What the new file tells of its photograph replaces ``exif``. Raises UnknownPicture,
        AlreadyThere if the gallery has these bytes under another id, and as ``add`` does.
        """
        id = check_id(id, self.address)
        described = None if metadata is None else storable(metadata)
        data = read_bytes(picture, limits)
        sha256 = hashlib.sha256(data).digest()
        generation = self.generation
        same = self.get(id).file.sha256 == sha256
        vector = None if same else generation.embedder.embed_row(data, limits)
        with generation.catalog.writing() as writer:
            old = writer.picture(id)
            if old is None:
                raise unknown(id, self.address)
            if vector is not None:
                for other in writer.by_sha256(sha256):
                    if other.id != id:
                        raise AlreadyThere(f"the gallery has this picture, with id {other.id}")
                writer.update(id, file=store(self.folder, data, sha256), vector=vector)
            kept = old.metadata if described is None else described
            if not same and (described is None or EXIF not in described):
                kept = with_exif(kept, exif_of(data))
            if kept != old.metadata:
                writer.update(id, metadata=kept)
        if old.file.sha256 != sha256:
            delete_stored(self.catalog, [old])
            made_of(self, data, sha256, limits)
        return self.get(id)

    def describe(self, id: int, metadata: Mapping[str, Any]) -> Picture:
        """Replace the metadata of a picture (UnknownPicture, RequestError)."""
        id = check_id(id, self.address)
        described = storable(metadata)
        with self.catalog.writing() as writer:
            if writer.picture(id) is None:
                raise unknown(id, self.address)
            writer.update(id, metadata=described)
        return self.get(id)

    def describe_many(
        self, metadata: Mapping[int, Mapping[str, Any]], *, undoable: bool = True
    ) -> int:
        """Replace the metadata of several pictures by their ids, all or none; how many.

        It takes the place of the last change that ``undo`` takes back, unless ``undoable`` is
        False. Raises UnknownPicture, RequestError.
        """
        described = {check_id(id, self.address): storable(each) for id, each in metadata.items()}
        with self.catalog.writing() as writer:
            here = {picture.id for picture in writer.pictures(described)}
            if lacking := described.keys() - here:  # before anything is written: all or none
                raise unknown(min(lacking), self.address)
            orphans = keep(writer, "described", here) if undoable else []
            for id, each in described.items():
                writer.update(id, metadata=each)
        delete_stored(self.catalog, orphans)
        return len(described)

    def remove(self, ids: int | Iterable[int], *, at_least: int = 2) -> list[int]:
        """Remove pictures, or one; the ids that existed (RequestError).

        A removal of ``at_least`` so many pictures can be undone until the next one (kkcv undo).
        Files outside of the gallery's own folder are never deleted.
        """
        if isinstance(ids, Integral):
            ids = [whole(ids)]
        if isinstance(ids, str | bytes) or not isinstance(ids, Iterable):
            raise RequestError(f"ids are a list of whole numbers, such as [17], got {ids!r:.60}")
        wanted = [id for id in map(whole, ids) if 0 < id <= LARGEST_ID]
        with self.catalog.writing() as writer:
            gone = list(writer.pictures(wanted))
            kept = [p.id for p in gone] if len(gone) >= at_least else []
            orphans = keep(writer, "removed", kept)
            removed = [id for id in wanted if writer.remove(id)]
        # after the commit: a file without a row harms nobody
        delete_stored(self.catalog, [*gone, *orphans])
        return removed
