"""Changes of a gallery on Milvus: kept in memory until the end, then written in few requests.

Readers see a request as a whole or not at all. One request writes new and changed rows, another
removes rows. If the process dies between them, the transaction was not acknowledged.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from kkcv.errors import GalleryError
from kkcv.search import engine
from kkcv.search.engine import by_id
from kkcv.search.engine.kept import SETTING as KEPT
from kkcv.search.engine.kept import Kept
from kkcv.search.filters.conditions import Condition
from kkcv.search.picture import Picture, PictureFile

from .layout import Layout
from .lease import Lease
from .reader import LAST, MOST, Reader
from .rows import FIELDS, Row, make_rows, new_version, pack, place_of, unpack

BATCH = 512  # rows per request
ASKED = 256  # files per question


class Writer(Reader, engine.Writer):
    """Reads see this transaction's changes, except searches, pages and vectors of many rows.

    It reads the network's own vectors, without the projection, so it may write them again.
    """

    def __init__(self, lease: Lease, now: Mapping[str, str], dtype: np.dtype, *reader: Any) -> None:
        """``now`` are the settings read under the lease."""
        super().__init__(*reader)
        self.projection, self.dim = None, self.shape.whole
        self._lease = lease
        self._now = now
        self._dtype = dtype
        self._changed: dict[int, Row | None] = {}  # None: removed
        self._set: dict[str, str | None] = {}
        self._last = int(now.get(LAST, "0"))
        self._keeping: list[Row] = []
        self._keeping_in = ""  # a new collection
        self._were: dict[int, Row] = {}  # those that are kept, once they are needed
        self._no_longer: list[str] = []  # collections of rows that were kept before
        self._by_place: dict[str, Picture | None] = {}  # as read under the lease
        self._by_hash: dict[bytes, list[Picture]] = {}

    # Asking

    def setting(self, name: str, default: str = "") -> str:
        found = self._set[name] if name in self._set else self._now.get(name)
        return default if found is None else found

    def count(self, where: Condition | None = None) -> int:
        if where is not None:
            return super().count(where)
        known = {picture.id for picture in super().pictures(self._changed)}
        alive = {id for id, row in self._changed.items() if row is not None}
        return super().count() - len(known) + len(alive)

    def pictures(self, ids: Iterable[int] | None = None) -> Iterator[Picture]:
        wanted = None if ids is None else {int(id) for id in ids}
        found = {picture.id: picture for picture in super().pictures(wanted)}
        for id, row in self._changed.items():
            if row is None:
                found.pop(id, None)
            elif wanted is None or id in wanted:
                found[id] = row.picture
        yield from (found[id] for id in sorted(found))

    def by_path(self, path: str) -> Picture | None:
        for row in self._changed.values():
            if row is not None and row.picture.file.path == path:
                return row.picture
        place = place_of(path)
        found = self._by_place[place] if place in self._by_place else super().by_path(path)
        return None if found is None or found.id in self._changed else found

    def by_sha256(self, sha256: bytes, limit: int | None = None) -> list[Picture]:
        known = self._by_hash[sha256] if sha256 in self._by_hash else super().by_sha256(sha256)
        found = [picture for picture in known if picture.id not in self._changed]
        mine = (row.picture for row in self._changed.values() if row is not None)
        found += [picture for picture in mine if picture.file.sha256 == sha256]
        return sorted(found, key=lambda picture: picture.id)[:limit]

    def row(self, id: int) -> np.ndarray | None:
        if id in self._changed:
            row = self._changed[id]
            return None if row is None else row.vector
        return super().row(id)

    def expect(self, files: Iterable[PictureFile]) -> None:
        some = iter(files)
        while batch := list(islice(some, ASKED)):
            places = {place_of(file.path) for file in batch}
            hashes = {file.sha256 for file in batch}
            self._by_place |= dict.fromkeys(places)
            for found in self._ask(among("place", places), FIELDS):
                picture = unpack(found)
                self._by_place[place_of(picture.file.path)] = picture
            twins = self._ask(among("sha256", {sha256.hex() for sha256 in hashes}), FIELDS)
            if len(twins) < MOST:  # else Milvus may have left some out
                self._by_hash |= {sha256: [] for sha256 in hashes}
                for picture in sorted(map(unpack, twins), key=lambda picture: picture.id):
                    self._by_hash[picture.file.sha256].append(picture)

    # Changing

    def add(
        self,
        file: PictureFile,
        vector: np.ndarray,
        metadata: Mapping[str, Any],
        added: float | None = None,
    ) -> int:
        self._last += 1
        when = time.time() if added is None else added
        self._change(Picture(self._last, file, when, dict(metadata)), self._rounded(vector))
        return self._last

    def update(
        self,
        id: int,
        *,
        file: PictureFile | None = None,
        vector: np.ndarray | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        picture = self.picture(id)
        if picture is None:
            raise GalleryError(f"the picture with id {id} was removed meanwhile; try again")
        if file is not None:
            picture = replace(picture, file=file)
        if metadata is not None:
            picture = replace(picture, metadata=dict(metadata))
        self._change(picture, self.row(id) if vector is None else self._rounded(vector))

    def remove(self, id: int) -> bool:
        if self.picture(id) is None:
            return False
        self._changed[id] = None
        return True

    def set(self, name: str, value: str | None) -> None:
        self._set[name] = value

    @property
    def epoch(self) -> str:
        return self._rows

    def keep(self, kept: Kept, ids: Iterable[int]) -> bool:
        self.forget()
        self._keeping = rows_of(self, [int(id) for id in ids])
        self._keeping_in = self._server.address.kept
        self.set(KEPT, replace(kept, rows=self._keeping_in).to_text())
        return True

    def forget(self) -> None:
        if rows := self._kept():
            self._no_longer.append(rows._rows)
        self._keeping = []
        self.set(KEPT, None)

    def put_back(self, id: int) -> None:
        if not self._were and (kept := self._kept()):
            self._were = {row.picture.id: row for row in rows_of(kept)}
        was = self._were[id]
        self._change(was.picture, was.vector)

    def commit(self) -> None:
        """Write everything. Ids are reserved first, so that none is used twice after a failure."""
        if self._keeping:
            layout = Layout(self.shape)
            # first: if it fails, nothing has changed yet
            make_rows(self._server, self._keeping_in, layout.dim)
            self.write(self._keeping_in, self._keeping, layout)
            self._server.call("load_collection", self._keeping_in)
        rows = [pack(row, self._layout) for row in self._changed.values() if row is not None]
        if self._last != int(self._now.get(LAST, "0")):
            self._keep({LAST: str(self._last)})
        self._upsert(self._rows, rows)
        self.erase(self._rows, [id for id, row in self._changed.items() if row is None])
        if dropped := [name for name, value in self._set.items() if value is None]:
            self._lease.hold()
            self._settings.drop(dropped)
        self._keep({name: value for name, value in self._set.items() if value is not None})
        for collection in self._no_longer:
            self._server.call("drop_collection", collection)

    def write(self, collection: str, rows: list[Row], layout: Layout) -> None:
        """Rows into a collection, now."""
        self._upsert(collection, [pack(row, layout) for row in rows])

    def erase(self, collection: str, ids: list[int]) -> None:
        """Rows from a collection, now."""
        for start in range(0, len(ids), BATCH):
            self._lease.hold()
            self._server.call("delete", collection, ids=ids[start : start + BATCH])

    # Within

    def _upsert(self, collection: str, rows: list[dict[str, Any]]) -> None:
        for start in range(0, len(rows), BATCH):
            self._lease.hold()
            self._server.call("upsert", collection, rows[start : start + BATCH])

    def _keep(self, settings: dict[str, str]) -> None:
        if settings:
            self._lease.hold()
            self._settings.keep(settings)

    def _last_id(self) -> int:
        return self._last

    def _change(self, picture: Picture, vector: np.ndarray | None) -> None:
        self._changed[picture.id] = Row(picture, new_version(), vector)

    def _rounded(self, vector: np.ndarray) -> np.ndarray:
        """Rounded to the gallery's type; Milvus itself stores float32."""
        return vector.astype(self._dtype).astype(np.float32)


def rows_of(rows: Reader, ids: list[int] | None = None) -> list[Row]:
    """Some rows as they are now, or all."""
    wanted = None if ids is None else np.array(ids, np.int64)
    vectors = by_id(rows.stored_vectors(ids=wanted))
    return [Row(p, new_version(), vectors.get(p.id)) for p in rows.pictures(ids)]


def among(field: str, values: set[str]) -> str:
    """An expression for values in hexadecimal."""
    quoted = ",".join(f'"{value}"' for value in sorted(values))
    return f"{field} in [{quoted}]"
