"""A Faiss index on the disk, derived from the catalog and never trusted.

    index/
    ├── 00000000000001234.faiss   Faiss's file
    ├── 00000000000001234.ids     int64, the id of each row
    ├── 00000000000001234.records what hits show of each row (records.py)
    └── 00000000000001234.json    what the three are, with their hashes; written last

The number is the catalog's sequence number that the snapshot covers. The catalog vouches for the
JSON file by its hash. Whatever is missing, stale, damaged or another's is left alone: the gallery
then works from the catalog.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kkcv.disk import atomic_write, make_folder, sha256_of
from kkcv.errors import GalleryLocked

from .effort import ALL, TENTH, Plan, Step, glance
from .exact import inner_products, selector
from .kind import FaissIndex, Kind, Look
from .kinds import KINDS, opened, vectors_of
from .neighbors import Neighbors, no_neighbors
from .records import Records

FORMAT = 3
SUFFIXES = ("faiss", "ids", "records", "json")
LOCK = "lock"
WIDEST = 8  # candidates for each neighbor, if some rows may not be found
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """An immutable index of the rows that the catalog had at ``sequence``."""

    sequence: int
    space: str  # the fingerprint of the embedding space
    kind: Kind
    plans: tuple[Plan, ...]  # by depth, ascending
    ids: np.ndarray  # int64 (N,), of each row
    index: FaissIndex
    records: Records

    def search(
        self, queries: np.ndarray, k: int, among: np.ndarray | None = None, *, least: bool = False
    ) -> Neighbors:
        """The nearest of the rows in ``among``, bool (N,), or of all: (Q, D) → (Q, k).

        With the ``least`` effort it finds copies, and may miss what is less near.

        An index is tuned to find what is near the query. Where few of those rows may be found, what
        it misses is not known, so every allowed row is compared.
        """
        if among is None:
            return self._nearest(queries, k, least=least)
        wide = 2 * k * len(among) // max(1, int(np.count_nonzero(among)))
        if wide > WIDEST * k:
            return self._compared(queries, k, among)
        near = self._nearest(queries, min(wide, len(among)), among, least=least)
        short = near.ids[:, k - 1] < 0 if near.ids.shape[1] >= k else np.ones(len(queries), bool)
        near = Neighbors(near.ids[:, :k], near.scores[:, :k])
        if short.any():
            exact = self._compared(queries[short], near.ids.shape[1], among)
            near.ids[short], near.scores[short] = exact
        return near

    def _nearest(
        self, queries: np.ndarray, k: int, among: np.ndarray | None = None, *, least: bool
    ) -> Neighbors:
        """Neighbors as the index finds them; in place of ids not ``among``, -1 at the end."""
        # the tenth score tells how hard to look; of fewer, an index also re-ranks too few
        rows, scores = self._looked(queries, min(max(k, TENTH + 1), len(self.ids)), least)
        if among is not None:
            order = np.argsort(~among[rows], axis=1, kind="stable")
            rows, scores = (np.take_along_axis(each, order, 1) for each in (rows, scores))
            return Neighbors(np.where(among[rows], self.ids[rows], -1)[:, :k], scores[:, :k])
        return Neighbors(self.ids[rows[:, :k]], scores[:, :k])

    def _looked(self, queries: np.ndarray, k: int, least: bool) -> tuple[np.ndarray, np.ndarray]:
        """Rows int64 (Q, k) and scores float32 (Q, k), after as many steps as each query needs.

        An answer that is short, since a part of the index was never reached, is compared with all.
        """
        steps = self.plan(k).steps
        steps = (Step(glance(self.plans[0])),) if least else steps
        (effort, enough), *others = (*steps, Step(ALL))
        scores, rows = self._look(queries, k, effort)
        left = insufficient(scores, rows, enough)
        for effort, enough in others:
            if not len(left):
                break
            scores[left], rows[left] = self._look(queries[left], k, effort)
            left = left[insufficient(scores[left], rows[left], enough)]
        return rows, scores

    def plan(self, k: int) -> Plan:
        """The plan for k neighbors."""
        for plan in self.plans:
            if plan.k >= k:
                return plan
        return self.plans[-1].deeper(k)

    @cached_property
    def _look(self) -> Look:
        return opened(self.kind, self.index)

    def _compared(self, queries: np.ndarray, k: int, among: np.ndarray) -> Neighbors:
        """The nearest of many rows, each compared by its float16 vector: (Q, D) → (Q, k)."""
        import faiss

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

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        """The rows of those ids that are here."""
        rows, here = self.places(ids)
        return rows[here]

    def places(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The row of each id, and which of them are here: int64 (I,) → int64 (I,), bool (I,)."""
        count = len(self.ids)
        if count == 0:
            return np.zeros(len(ids), np.int64), np.zeros(len(ids), bool)
        ascending, order = self._by_id
        gapless = ascending[-1] - ascending[0] < count  # then there is nothing to search
        places = ids - ascending[0] if gapless else np.searchsorted(ascending, ids)
        rows = order[np.where((places < 0) | (places >= count), 0, places)]
        return rows, self.ids[rows] == ids

    @cached_property
    def _by_id(self) -> tuple[np.ndarray, np.ndarray]:
        """All ids, ascending, and their rows, both int64 (N,)."""
        order = np.argsort(self.ids, kind="stable")
        return self.ids[order], order


def insufficient(scores: np.ndarray, rows: np.ndarray, enough: float) -> np.ndarray:
    """The queries whose answers are too far away, or short: both (Q, k) → int64."""
    return np.flatnonzero((scores[:, : TENTH + 1][:, -1] < enough) | (rows[:, -1] < 0))


@contextmanager
def building(folder: Path, wait_seconds: float) -> Iterator[None]:
    """The exclusive right to write snapshots (GalleryLocked)."""
    from filelock import FileLock, Timeout

    make_folder(folder)
    try:
        with FileLock(folder / LOCK, timeout=wait_seconds):
            yield
    except Timeout:
        raise GalleryLocked(
            f"another process is building the index of {folder.parent}; try again when it is done"
        ) from None


def save(folder: Path, snapshot: Snapshot, vouch: Callable[[str], None]) -> None:
    """Write a snapshot inside ``building``, complete or not at all; delete all others.

    ``vouch`` is told the sha256 that ``load`` will ask for.
    """
    import faiss

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
        "plans": [plan._asdict() for plan in snapshot.plans],
        "sha256": hashes,
    }


def clear(folder: Path) -> None:
    """Delete all snapshots."""
    for file in folder.glob("*"):
        file.unlink(missing_ok=True)


def load(folder: Path, space: str, vouched: Collection[str]) -> Snapshot | None:
    """The newest intact snapshot whose hash the catalog has; others are logged."""
    for file in sorted(folder.glob("*.json"), reverse=True):
        try:
            return read(file, space, vouched)
        except ValueError as error:
            log.warning("the index %s is not used and will be built again: %s", file, error)
    return None


def read(file: Path, space: str, vouched: Collection[str]) -> Snapshot:
    """The snapshot of a JSON file (ValueError says what is wrong with it)."""
    import faiss

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
        plans = tuple(map(Plan.read, facts["plans"]))
        kind = KINDS[facts["kind"]]
        return Snapshot(facts["sequence"], space, kind, plans, ids, index, records)
    except FileNotFoundError as error:
        raise ValueError(f"{Path(error.filename).name} is missing") from None
    except (OSError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"it cannot be read: {error}") from None
