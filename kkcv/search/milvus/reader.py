"""Questions to the rows of a gallery on Milvus.

The first question of a reader waits until Milvus has processed everything acknowledged before
(Strong). The next ones need not wait: the same replica answers them.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from kkcv.hit import clipped
from kkcv.search import engine
from kkcv.search.engine import Vectors
from kkcv.search.engine.entries import PARTS, PartsOfPictures
from kkcv.search.engine.kept import SETTING as KEPT
from kkcv.search.engine.kept import Kept
from kkcv.search.filters.conditions import Condition, Near, matches
from kkcv.search.index.exact import inner_products
from kkcv.search.index.neighbors import Neighbors, no_neighbors
from kkcv.search.picture import Picture, Totals

from .filters import around, expression
from .layout import Layout
from .rows import FIELDS, INDEX, place_of, unpack
from .server import Server
from .settings import Settings

STRONG, ANY = "Strong", "Eventually"
HAS_VECTOR = "embedded == true"
PAGE = 1024  # rows per question; Milvus returns at most 16,384
LAST = "last_id"  # a setting: the largest id so far
COMPARED = 2**24  # bytes of vectors up to which all are fetched and compared
MOST = 16_000  # rows in an answer
# Candidates of HNSW, at least, and for each neighbor. With a quarter of these, pictures of other
# things than a gallery of bursts holds missed some of their neighbors.
EFFORT, EFFORT_A_NEIGHBOR = 1024, 4


class Version(NamedTuple):
    """``version`` changes with the row, ``sha256`` with the file."""

    version: int
    sha256: str
    embedded: bool


class Reader(engine.Reader):
    """Questions to a collection of rows."""

    def __init__(
        self, server: Server, rows: str, settings: Settings, layout: Layout, gaps: bool, level: str
    ) -> None:
        """``gaps``: there are pictures without a vector."""
        super().__init__(layout.shape, layout.projection)
        self._layout = layout
        self._server = server
        self._rows = rows
        self._settings = settings
        self._gaps = gaps
        self._level = level

    def superseded(self) -> bool:
        return self._server.aliased(self._server.address.name) != self._rows

    def setting(self, name: str, default: str = "") -> str:
        found = self._settings.get(name)
        return default if found is None else found

    def count(self, where: Condition | None = None) -> int:
        return self._ask(self._asked(where), ["count(*)"])[0]["count(*)"]

    def totals(self) -> Totals:
        files = [row for rows in self._windows(0, ["id", "stored", "bytes"]) for row in rows]
        stored = sum(bool(row["stored"]) for row in files)
        return Totals(len(files), stored, sum(row["bytes"] for row in files))

    def pictures(self, ids: Iterable[int] | None = None) -> Iterator[Picture]:
        if ids is None:
            for found in self._windows(0, FIELDS):
                yield from map(unpack, found)
            return
        wanted = sorted({int(id) for id in ids})
        for start in range(0, len(wanted), PAGE):
            yield from map(unpack, self._by_ids(wanted[start : start + PAGE], FIELDS))

    def page(
        self, limit: int, after: int | None, newest: bool, where: Condition | None = None
    ) -> list[Picture]:
        page: list[Picture] = []
        asked = self._asked(where)
        windows = (
            self._windows_down(after, FIELDS, asked)
            if newest
            else self._windows(after or 0, FIELDS, asked)
        )
        for found in windows:
            page += map(unpack, found)
            if len(page) >= limit:
                break
        return page[:limit]

    def by_path(self, path: str) -> Picture | None:
        found = map(unpack, self._ask(f'place == "{place_of(path)}"', FIELDS))
        return next((picture for picture in found if picture.file.path == path), None)

    def by_sha256(self, sha256: bytes, limit: int | None = None) -> list[Picture]:
        found = map(unpack, self._ask(f'sha256 == "{sha256.hex()}"', FIELDS, limit))
        return sorted(found, key=lambda picture: picture.id)

    def ids(self, where: Condition | None = None) -> np.ndarray:
        windows = self._windows(0, ["id"], self._asked(where))
        found = [row["id"] for rows in windows for row in rows]
        return np.array(found, np.int64)

    def stored_vectors(self, chunk: int = PAGE, ids: np.ndarray | None = None) -> Vectors:
        fields, size = ["id", "vector"], min(chunk, PAGE)
        if ids is None:
            pages = self._windows(0, fields, HAS_VECTOR, size)
        else:
            wanted = np.unique(ids).tolist()
            parts = (wanted[start : start + size] for start in range(0, len(wanted), size))
            pages = (self._by_ids(part, fields, HAS_VECTOR) for part in parts)
        for found in pages:
            if found:
                some = np.array([row["id"] for row in found], np.int64)
                stored = np.array([row["vector"] for row in found], np.float32)
                yield some, self._layout.rows(stored)

    def nearest(self, vectors: np.ndarray, k: int, where: Condition | None) -> Neighbors:
        """Whole pictures: float32 (Q, D) → (Q, k or less)."""
        near = self._near(self._layout.query(vectors), k, where)
        return engine.Index().search(self, vectors, k, where) if near is None else near

    def nearest_parts(self, sketches: np.ndarray, k: int, where: Condition | None) -> Neighbors:
        """Keys of parts (engine/entries.py): float32 (Q, 256) → (Q, k or less)."""
        near = self._near(self._layout.query_parts(sketches), k, where)
        if near is None:
            return engine.Index(PartsOfPictures()).search(self, sketches, k, where)
        part = np.tile(np.arange(PARTS), len(sketches))[:, None]
        keys = np.where(near.ids < 0, -1, near.ids * PARTS + part).reshape(len(sketches), -1)
        scores = near.scores.reshape(len(sketches), -1)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return Neighbors(*(np.take_along_axis(each, order, 1) for each in (keys, scores)))

    def _near(self, queries: np.ndarray, k: int, where: Condition | None) -> Neighbors | None:
        """Rows near queries of the layout, float32 (Q, dim) → (Q, k or less).

        Milvus searches around the query and may find nothing if a filter leaves few rows, or too
        few where its graph falls into islands. Returns None then: all rows must be compared.
        """
        asked = " and ".join(
            ([] if where is None else [self._asked(where)]) + ([HAS_VECTOR] if self._gaps else [])
        )
        if where is not None and self._matching(asked) <= min(
            MOST, COMPARED // (4 * self._layout.dim)
        ):
            return self._compared(queries, k, asked)
        if k <= MOST:
            near = self._looked_for(queries, k, asked)
            full = near.ids.shape[1] == k and (near.ids[:, -1] >= 0).all()
            if full or (near.ids >= 0).sum(axis=1).min() >= self._matching(asked):
                return near
        return None

    def _matching(self, asked: str) -> int:
        return self._ask(asked or "id > 0", ["count(*)"])[0]["count(*)"]

    def versions(self) -> dict[int, Version]:
        """The versions of all rows by id."""
        fields = ["id", *Version._fields]
        found = (row for rows in self._windows(0, fields) for row in rows)
        return {row.pop("id"): Version(**row) for row in found}

    def versioned(self, ids: list[int]) -> dict[int, tuple[Picture, int]]:
        """The existing pictures among these, with the versions of their rows."""
        found = self._by_ids(ids, [*FIELDS, "version"])
        return {row["id"]: (unpack(row), row["version"]) for row in found}

    def kept(self) -> Iterator[Picture]:
        rows = self._kept()
        return iter(()) if rows is None else rows.pictures()

    # Within

    def _kept(self) -> "Reader | None":
        """The rows that are kept for an undo, in a collection of their own."""
        kept = Kept.from_text(self.setting(KEPT))
        if kept is None:
            return None
        about = self._settings, Layout(self.shape), self._gaps, STRONG
        return Reader(self._server, kept.rows, *about)

    def _compared(self, queries: np.ndarray, k: int, asked: str) -> Neighbors:
        rows = self._ask(f"{asked} and {HAS_VECTOR}", ["id", "vector"])
        if not rows:
            return no_neighbors(len(queries))
        ids = np.array([row["id"] for row in rows], np.int64)
        stored = np.array([row["vector"] for row in rows], np.float32)
        found, scores = inner_products(queries, stored, min(k, len(rows)))
        return Neighbors(ids[found], clipped(scores))

    def _looked_for(self, queries: np.ndarray, k: int, asked: str) -> Neighbors:
        answers = self._server.call(
            "search",
            self._rows,
            data=queries.tolist(),
            anns_field="vector",
            limit=k,
            filter=asked,
            search_params={
                "metric_type": INDEX["metric_type"],
                "params": {"ef": max(EFFORT, EFFORT_A_NEIGHBOR * k)},
            },
            consistency_level=self._level,
        )
        self._level = ANY
        ids = np.full((len(queries), k), -1, np.int64)
        scores = np.full((len(queries), k), -np.inf, np.float32)
        for row, answer in enumerate(answers):
            ids[row, : len(answer)] = [hit["id"] for hit in answer]
            scores[row, : len(answer)] = [hit["distance"] for hit in answer]
        longest = max(map(len, answers), default=0)
        return Neighbors(ids[:, :longest], clipped(scores[:, :longest]))

    def _asked(self, where: Condition | None) -> str:
        """A filter for Milvus. It has no sines: what is near a place is found beforehand, here."""

        def near(place: Near) -> list[int]:
            rows = (row for some in self._windows(0, FIELDS, around(place)) for row in some)
            return [row["id"] for row in rows if matches(place, unpack(row))]

        return expression(where, near)

    def _ask(self, asked: str, fields: list[str], limit: int | None = None) -> list[dict[str, Any]]:
        found = self._server.query(self._rows, asked, fields, self._level, limit)
        self._level = ANY
        return found

    def _by_ids(self, ids: list[int], fields: list[str], asked: str = "") -> list[dict[str, Any]]:
        """The rows with these ids, in the order of ids."""
        if not ids:
            return []
        among = f"id in [{','.join(map(str, ids))}]"
        found = self._ask(f"{among} and {asked}" if asked else among, fields)
        return sorted(found, key=lambda row: row["id"])

    def _last_id(self) -> int:
        return int(self._settings.get(LAST, STRONG) or 0)

    def _window(self, after: int, until: int, fields: list[str], asked: str) -> list[dict]:
        between = f"id > {after} and id <= {until}"
        found = self._ask(f"{between} and {asked}" if asked else between, fields)
        return sorted(found, key=lambda row: row["id"])

    def _windows(
        self, after: int, fields: list[str], asked: str = "", size: int = PAGE
    ) -> Iterator[list[dict[str, Any]]]:
        """Rows in the order of ids: Milvus does not sort, so they are read by spans of ids."""
        last = self._last_id()
        for start in range(after, last, size):
            yield self._window(start, start + size, fields, asked)

    def _windows_down(
        self, before: int | None, fields: list[str], asked: str
    ) -> Iterator[list[dict[str, Any]]]:
        end = self._last_id() if before is None else min(before - 1, self._last_id())
        while end > 0:
            yield self._window(end - PAGE, end, fields, asked)[::-1]
            end -= PAGE
