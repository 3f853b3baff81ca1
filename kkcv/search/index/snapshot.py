"""A Faiss index on the disk, derived from the catalog and never trusted.

    index/
    ├── 00000000000001234.faiss   Faiss's file
    ├── 00000000000001234.ids     int64, the id of each row, ascending
    ├── 00000000000001234.records what hits show of each row (records.py)
    └── 00000000000001234.json    what the three are, with their hashes; written last

The number is the catalog's sequence number that the snapshot covers. The catalog vouches for the
JSON file by its hash. Whatever is missing, stale, damaged or another's is left alone: the gallery
then works from the catalog.
"""

import dataclasses
import hashlib
import json
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from filelock import FileLock, Timeout

from kkcv.disk import atomic_write, make_folder, sha256_of
from kkcv.errors import GalleryLocked

from .exact import inner_products, selector
from .kinds import KINDS, MEASURED, Effort, Kind
from .neighbors import Neighbors, no_neighbors
from .records import Records

FORMAT = 2
SUFFIXES = ("faiss", "ids", "records", "json")
LOCK = "lock"
WIDEST = 8  # candidates for each neighbor, where some rows may not be found
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """An immutable index of the rows that the catalog had at ``sequence``."""

    sequence: int
    space: str  # the fingerprint of the embedding space
    kind: Kind
    curve: tuple[Effort, ...]  # measured; the last one is used
    ids: np.ndarray  # int64 (N,), ascending
    index: faiss.Index
    records: Records

    def search(self, queries: np.ndarray, k: int, among: np.ndarray | None = None) -> Neighbors:
        """The nearest of the rows in ``among``, bool (N,), or of all: (Q, D) → (Q, k).

        An index is tuned to find what is near the query; where that is mostly not among the rows
        that may be found, nobody knows what it misses, and each of them is compared.
        """
        if among is None:
            return self._nearest(queries, k, self.effort)
        wide = 2 * k * len(among) // max(1, int(np.count_nonzero(among)))
        if wide > WIDEST * k:
            return self._compared(queries, k, among)
        near = self._nearest(queries, min(wide, len(among)), 2 * self.effort, among)
        short = near.ids[:, k - 1] < 0 if near.ids.shape[1] >= k else np.ones(len(queries), bool)
        near = Neighbors(near.ids[:, :k], near.scores[:, :k])
        if short.any():
            exact = self._compared(queries[short], near.ids.shape[1], among)
            near.ids[short], near.scores[short] = exact
        return near

    def _nearest(
        self, queries: np.ndarray, k: int, effort: int, among: np.ndarray | None = None
    ) -> Neighbors:
        """As the index has them; in place of those that are not ``among``, -1 at the end.

        Of fewer than were measured an index re-ranks fewer candidates, and misses more.
        """
        depth = max(k, min(MEASURED, len(self.ids)))
        scores, rows = self.index.search(queries, depth, params=self.kind.parameters(effort))
        there = rows >= 0
        if among is not None:
            there &= among[rows]
            order = np.argsort(~there, axis=1, kind="stable")
            rows, scores, there = (
                np.take_along_axis(each, order, 1) for each in (rows, scores, there)
            )
        return Neighbors(np.where(there, self.ids[rows], -1)[:, :k], scores[:, :k])

    def _compared(self, queries: np.ndarray, k: int, among: np.ndarray) -> Neighbors:
        """The nearest of many rows, each compared by its float16 vector: (Q, D) → (Q, k)."""
        parameters = faiss.SearchParameters(sel=selector(among))
        scores, rows = vectors_of(self.index).search(queries, k, params=parameters)
        return Neighbors(np.where(rows < 0, -1, self.ids[rows]), scores)

    def compare(self, queries: np.ndarray, k: int, rows: np.ndarray) -> Neighbors:
        """The nearest of a few rows, each compared: (Q, D), (R,) → (Q, k or less)."""
        k = min(k, len(rows))
        if k == 0:
            return no_neighbors(len(queries))
        found, scores = inner_products(queries, self.index.reconstruct_batch(rows), k)
        return Neighbors(self.ids[rows][found], scores)

    @property
    def effort(self) -> int:
        return self.curve[-1].effort

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        """The rows of those ids that are here."""
        rows, here = self.places(ids)
        return rows[here]

    def places(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The row of each id, and which of them are here: int64 (I,) → int64 (I,), bool (I,)."""
        count = len(self.ids)
        if count == 0:
            return np.zeros(len(ids), np.int64), np.zeros(len(ids), bool)
        gapless = self.ids[-1] - self.ids[0] < count  # then there is nothing to search
        rows = ids - self.ids[0] if gapless else np.searchsorted(self.ids, ids)
        rows = np.where((rows < 0) | (rows >= count), 0, rows)
        return rows, self.ids[rows] == ids


def vectors_of(index: faiss.Index) -> faiss.Index:
    """The part of an index that has the vectors themselves, in float16, one after another."""
    refined = isinstance(index, faiss.IndexRefine)
    return faiss.downcast_index(index.refine_index if refined else index.storage)


@contextmanager
def building(folder: Path, wait_seconds: float) -> Iterator[None]:
    """A turn at writing snapshots; nobody else has one (GalleryLocked)."""
    make_folder(folder)
    try:
        with FileLock(folder / LOCK, timeout=wait_seconds):
            yield
    except Timeout:
        raise GalleryLocked(
            f"another process is building the index of {folder.parent}; try again when it is done"
        ) from None


def save(folder: Path, snapshot: Snapshot, vouch: Callable[[str], None]) -> None:
    """Write a snapshot in a turn at ``building``, complete or not at all; delete all others.

    ``vouch`` is told the sha256 that ``load`` will ask for.
    """
    file = folder / f"{snapshot.sequence:017d}.json"
    with atomic_write(file.with_suffix(".faiss")) as part, part.open("wb") as out:
        faiss.write_index(snapshot.index, faiss.PyCallbackIOWriter(out.write))
        out.flush()
        hashes = {"faiss": sha256_of(part)}
    with atomic_write(file.with_suffix(".ids")) as part:
        part.write_bytes(snapshot.ids.astype("<i8").tobytes())
        hashes["ids"] = sha256_of(part)
    with atomic_write(file.with_suffix(".records")) as part:
        snapshot.records.write(part)
        hashes["records"] = sha256_of(part)
    with atomic_write(file) as part:
        part.write_text(json.dumps(facts_of(snapshot, hashes)), encoding="utf-8")
        vouch(sha256_of(part))
    for other in folder.iterdir():
        if other.stem != file.stem and other.name != LOCK:
            other.unlink(missing_ok=True)


def facts_of(snapshot: Snapshot, hashes: Mapping[str, str]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "sequence": snapshot.sequence,
        "space": snapshot.space,
        "kind": snapshot.kind.name,
        "curve": [dataclasses.asdict(point) for point in snapshot.curve],
        "sha256": hashes,
    }


def clear(folder: Path) -> None:
    """Delete all snapshots."""
    for file in folder.glob("*"):
        file.unlink(missing_ok=True)


def load(folder: Path, space: str, vouched: Collection[str]) -> Snapshot | None:
    """The newest good snapshot that the catalog ``vouched`` for; the others are warned of."""
    for file in sorted(folder.glob("*.json"), reverse=True):
        try:
            return read(file, space, vouched)
        except ValueError as error:
            log.warning("the index %s is not used and will be built again: %s", file, error)
    return None


def read(file: Path, space: str, vouched: Collection[str]) -> Snapshot:
    """The snapshot that a JSON file describes (ValueError with what is wrong with it)."""
    try:
        text = file.read_bytes()
        if hashlib.sha256(text).hexdigest() not in vouched:
            raise ValueError("it is damaged, or of another gallery")
        facts = json.loads(text)
        if facts["format"] != FORMAT or facts["space"] != space:
            raise ValueError("it is of another kkcv or another network")
        for suffix, expected in facts["sha256"].items():
            if sha256_of(file.with_suffix(f".{suffix}")) != expected:
                raise ValueError(f"its .{suffix} file is damaged")
        index = faiss.read_index(str(file.with_suffix(".faiss")), faiss.IO_FLAG_MMAP_IFC)
        ids = np.fromfile(file.with_suffix(".ids"), "<i8")
        records = Records.read(file.with_suffix(".records"), len(ids))
        curve = tuple(Effort(**point) for point in facts["curve"])
        kind = KINDS[facts["kind"]]
        return Snapshot(facts["sequence"], space, kind, curve, ids, index, records)
    except FileNotFoundError as error:
        raise ValueError(f"{Path(error.filename).name} is missing") from None
    except (OSError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"it cannot be read: {error}") from None
