"""The index of a folder, kept up to date with its catalog, whichever process changed that."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from kkcv.errors import GalleryError, KkcvError
from kkcv.search import engine
from kkcv.search.engine import CHUNK
from kkcv.search.engine.entries import Entries, Held
from kkcv.search.engine.tuning import GOAL, Goal
from kkcv.search.filters.conditions import Condition
from kkcv.search.index import snapshot
from kkcv.search.index.build import built
from kkcv.search.index.exact import inner_products
from kkcv.search.index.kind import Kind
from kkcv.search.index.kinds import in_8_bits
from kkcv.search.index.layered import LayeredIndex
from kkcv.search.index.neighbors import Neighbors
from kkcv.search.index.outside import held_out
from kkcv.search.index.records import Records
from kkcv.search.index.snapshot import Snapshot

from .catalog import Catalog
from .reader import Reader, path_and_metadata

EXACT_MILLISECONDS = 5.0  # that comparing with every vector may take
SAMPLE = 100_000  # vectors that train an index
TOGETHER = 25_000  # rows given to an index at a time: with fewer, HNSW builds a worse graph
UNSEEN = -1  # less than any sequence number
VOUCHED = "snapshots"  # a setting of the catalog
PAUSE_SECONDS = 60.0  # after a failed rebuild in the background
log = logging.getLogger(__name__)


class FolderIndex(engine.Index):
    """The newest snapshot of a gallery and the changes since. Safe to use from several threads."""

    parts: "FolderIndex | None" = None

    def __init__(self, catalog: Catalog, folder: Path, space: str, entries: Entries) -> None:
        """An index of these ``entries``, whose snapshots are in ``folder``."""
        self._catalog = catalog
        self.entries = entries
        self.folder = folder
        self._space = space
        self._dim = entries.dim
        # the index and the last change that it has seen, replaced together
        self._seen = (LayeredIndex(entries.dim), UNSEEN)
        self._refreshing = threading.Lock()
        self._building = threading.Lock()
        self._paused_until = 0.0

    def refreshed(self) -> LayeredIndex:
        """The index with all changes committed until now; cheap if there are none."""
        with self._catalog.reading() as rows:
            return self._refreshed(rows)

    def _refreshed(self, rows: engine.Reader) -> LayeredIndex:
        assert isinstance(rows, Reader)  # of the catalog beside this index
        if rows.sequence() != self._seen[1] and not rows.superseded():
            with self._refreshing:
                self._seen = self._caught_up(*self._opened(rows), rows)
        return self._seen[0]

    def _opened(self, rows: Reader) -> tuple[LayeredIndex, int]:
        """The index and the last change it has seen; at first, of the snapshot on the disk."""
        index, seen = self._seen
        if seen == UNSEEN or rows.sequence() < seen:  # the catalog was restored
            self._seen = index, seen = self._begun(self._loaded(rows))
        return index, seen

    def search(
        self, rows: engine.Reader, vectors: np.ndarray, k: int, where: Condition | None = None
    ) -> Neighbors:
        return self._refreshed(rows).search(vectors, k, self._allowed(rows, where))

    def glance(
        self, rows: engine.Reader, vectors: np.ndarray, k: int, where: Condition | None = None
    ) -> Neighbors:
        allowed = self._allowed(rows, where)
        return self._refreshed(rows).search(vectors, k, allowed, least=True)

    def _allowed(self, rows: engine.Reader, where: Condition | None) -> np.ndarray | None:
        return None if where is None else self.entries.keys(rows.ids(where))

    def shown(self, rows: engine.Reader, ids: np.ndarray) -> dict[int, tuple[str, dict[str, Any]]]:
        """From the snapshot, or from the catalog for those that it does not have."""
        kept, others = self._seen[0].records(ids)
        found = {id: path_and_metadata(id, record) for id, record in kept.items()}
        return found | rows.shown(others) if len(others) else found

    def describe(self) -> dict[str, Any]:
        """Also with the measured recall and time."""
        index = self.refreshed()
        if index.snapshot is None:
            return {
                "kind": "exact",
                "recall": 1.0,
                "recall_worst_tenth": 1.0,
                "memory_a_picture": 4 * self._dim + 8,
                "compared_one_by_one": index.unindexed,
            }
        files = self.folder.glob(f"{index.snapshot.sequence:017d}.*")
        plans = index.snapshot.plans
        return {
            "kind": index.snapshot.kind.name,
            **{key: fact for key, fact in plans[0].described().items() if key != "k"},
            "plans": [plan.described() for plan in plans],
            "curve": [point._asdict() for plan in plans for point in plan.curve],
            "memory_a_picture": index.snapshot.kind.resident(self._dim),
            "bytes_a_picture": sum(f.stat().st_size for f in files) / len(index.snapshot.ids),
            "compared_one_by_one": index.unindexed,
        }

    @property
    def wants_rebuild(self) -> bool:
        """Whether too many vectors are compared one by one; no vector is read for this."""
        return self._is_late or (self.parts is not None and self.parts.wants_rebuild)

    @property
    def _is_late(self) -> bool:
        with self._catalog.reading() as rows, self._refreshing:
            index, seen = self._opened(rows)
            if rows.sequence() == seen:
                late = index.unindexed
            elif index.snapshot is None:
                late = rows.count() * self.entries.each
            else:
                late = rows.late(index.snapshot.sequence) * self.entries.each
        covered = len(index.snapshot.ids) if index.snapshot else 0
        # a fifth: growing takes some six builds of the last size in all
        return late > max(1000, covered // 5) and late > exact_limit(self._dim)

    def tune(self, goal: Goal) -> Snapshot | None:
        """Raises RequestError for an impossible goal, and as ``rebuild``."""
        with self._catalog.reading() as rows:
            goal.kind_for(rows.count(), self._dim)  # it must be possible
        with self._catalog.writing() as writer:
            writer.set(GOAL, goal.to_text())
        return self.rebuild()

    def rebuild(self, recall: float | None = None, kind: Kind | None = None) -> Snapshot | None:
        """Build a snapshot of all rows and use it, and one of their parts; searches go on.

        None if there are no rows.

        Recall and kind are those of the gallery's goal, if not given.

        Raises GalleryLocked when another process is building one, GalleryError when the disk
        refuses.
        """
        if self.parts:
            self.parts.rebuild(recall, kind)
        return self._rebuild(recall, kind)

    def _rebuild(self, recall: float | None = None, kind: Kind | None = None) -> Snapshot | None:
        wait = self._catalog.wait_seconds
        try:
            with self._building, snapshot.building(self.folder, wait):
                built = self._built(recall, kind)
                if built is not None:
                    snapshot.save(self.folder, built, self._vouch)
                    self._use(self._newest() or built)  # mapped, it takes less memory and time
                return built
        except OSError as error:
            raise GalleryError(
                f"the index in {self.folder} cannot be written ({error.strerror or error}); "
                "the gallery answers without it, more slowly"
            ) from None

    def renew(self) -> None:
        """Build a snapshot if one is wanted, and delete those of another network."""
        if self._is_late:
            self._rebuild()
        else:
            snapshot.clear(self.folder)
        if self.parts:
            self.parts.renew()

    def rebuild_in_background(self) -> None:
        if self.parts:
            self.parts.rebuild_in_background()
        paused = time.monotonic() < self._paused_until
        if not paused and not self._building.locked() and self._is_late:
            threading.Thread(target=self._rebuild_quietly, name="kkcv-rebuild", daemon=True).start()

    def _rebuild_quietly(self) -> None:
        """Use another process's snapshot, or build one; a failure is logged."""
        try:
            if not self._adopted():
                self._rebuild()
        except KkcvError as error:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            log.warning("%s", error)

    def _adopted(self) -> bool:
        """Use a newer snapshot of another process; whether that is good enough."""
        mine = self.refreshed().snapshot
        found = self._newest()
        if found is None or (mine is not None and found.sequence <= mine.sequence):
            return False
        self._use(found)
        return not self._is_late

    def _built(self, recall: float | None, kind: Kind | None) -> Snapshot | None:
        with self._catalog.reading(frozen=True) as rows:

            def chunks() -> Iterator[np.ndarray]:
                return (some.vectors for some in held_by(rows, self.entries, TOGETHER))

            sequence, goal = rows.sequence(), Goal.from_text(rows.setting(GOAL))
            if rows.superseded():
                return None
            held = held_out(rows.count() * self.entries.each)
            ids, sample = keys_and_sample(rows, self.entries, held)
            if not len(ids):
                return None
            kind = kind or goal.nearest_kind(len(ids), self._dim)
            kind = in_8_bits(kind) if self.entries.small else kind
            # rows whose vector is damaged are in no index
            index, plans, order = built(
                kind, sample, chunks, held[: len(ids)], recall or goal.recall
            )
            ids = ids[order]
            records = Records.of([b""] * len(ids)) if self.entries.name else records_of(rows, ids)
        return Snapshot(sequence, self._space, kind, plans, ids, index, records)

    def _use(self, found: Snapshot) -> None:
        with self._refreshing, self._catalog.reading() as rows:
            self._seen = self._caught_up(*self._begun(found), rows)

    def _vouch(self, sha256: str) -> None:
        """Store a snapshot's hash in the catalog, beside that of the one still on the disk."""
        with self._catalog.writing() as writer:
            name = f"{VOUCHED}{self.entries.name}"
            writer.set(name, json.dumps([*self.vouched(writer), sha256][-2:]))

    def vouched(self, rows: Reader) -> list[str]:
        """The sha256 of the snapshots built from this catalog, the newest last."""
        return json.loads(rows.setting(f"{VOUCHED}{self.entries.name}", "[]"))

    def _newest(self) -> Snapshot | None:
        with self._catalog.reading() as rows:
            return self._loaded(rows)

    def _loaded(self, rows: Reader) -> Snapshot | None:
        """The snapshot on the disk; another process may be replacing it meanwhile."""
        while True:
            known = self.vouched(rows)
            found = snapshot.load(self.folder, self._space, known)
            if found is not None or self.vouched(rows) == known:
                return found

    def _begun(self, found: Snapshot | None) -> tuple[LayeredIndex, int]:
        return LayeredIndex(self._dim, found), found.sequence if found else 0

    def _caught_up(self, index: LayeredIndex, seen: int, rows: Reader) -> tuple[LayeredIndex, int]:
        """The index with all changes after ``seen``, and the last of them."""
        changes = rows.changes(seen, self.entries)
        index.update(changes.removed, changes.keys, changes.vectors, changes.edited)
        return index, changes.sequence


def held_by(rows: Reader, entries: Entries, chunk: int = CHUNK) -> Iterator[Held]:
    """All entries, of at most ``chunk`` rows at a time."""
    return (entries.of(rows, *some) for some in rows.stored_vectors(chunk))


def keys_and_sample(
    rows: Reader, entries: Entries, held: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """All keys, ascending, and at most SAMPLE vectors of those that are not held out, bool (N,)."""
    free = np.flatnonzero(~held)
    chosen = np.zeros(len(held), bool)
    chosen[np.random.default_rng(0).permutation(free)[:SAMPLE]] = True
    sample = np.empty((int(chosen.sum()), entries.dim), np.float32)
    ids, start, filled = [np.empty(0, np.int64)], 0, 0
    for some, vectors in held_by(rows, entries):
        taken = vectors[chosen[start : start + len(some)]]
        sample[filled : filled + len(taken)] = taken
        ids.append(some)
        start += len(some)
        filled += len(taken)
    return np.concatenate(ids), sample[:filled]


def records_of(rows: Reader, ids: np.ndarray) -> Records:
    """The records of what hits show of these ids, in their order."""
    place = {id: number for number, id in enumerate(ids.tolist())}
    records = [b""] * len(place)
    for id, record in rows.records():
        if id in place:  # not rows with a damaged vector
            records[place[id]] = record
    return Records.of(records)


@cache
def exact_limit(dim: int) -> int:
    """How many vectors this machine can compare with a query in EXACT_MILLISECONDS, measured."""
    # too many for the caches of a core at usual widths
    rows = np.random.default_rng(0).normal(size=(8192, dim)).astype(np.float32)
    took = []
    for _ in range(5):  # the quickest counts: others may be using the machine
        began = time.perf_counter()
        inner_products(rows[:1], rows, 10)
        took.append(time.perf_counter() - began)
    return int(len(rows) * EXACT_MILLISECONDS / 1000 / min(took))
