"""The index kept in step with the catalog, by whichever process the catalog was changed."""

import dataclasses
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

from .catalog import Catalog, Reader
from .index import kinds, snapshot
from .index.exact import inner_products
from .index.kinds import Kind
from .index.layered import LayeredIndex
from .index.snapshot import Snapshot

EXACT_MILLISECONDS = 5.0  # what comparing with every vector may take
SAMPLE = 100_000  # vectors that train an index
RECALL = 0.99  # of the exact top 10
UNSEEN = -1
VOUCHED = "snapshots"  # a setting of the catalog
PAUSE_SECONDS = 60.0  # after a rebuild in the background that failed
log = logging.getLogger(__name__)


class LiveIndex:
    """The newest snapshot of a gallery, and what its catalog has since. Safe for many threads."""

    def __init__(self, catalog: Catalog, folder: Path, space: str, dim: int) -> None:
        self._catalog = catalog
        self._folder = folder
        self._space = space
        self._dim = dim
        # the index, and the last change that it has seen: replaced together
        self._seen = (LayeredIndex(dim), UNSEEN)
        self._refreshing = threading.Lock()
        self._building = threading.Lock()
        self._paused_until = 0.0

    def refreshed(self) -> LayeredIndex:
        """The index with every change that is committed now: one cheap look when there is none."""
        with self._catalog.reading() as rows:
            if rows.sequence() != self._seen[1] and not rows.superseded():
                with self._refreshing:
                    index, seen = self._seen
                    if seen == UNSEEN or rows.sequence() < seen:  # the catalog was restored
                        index, seen = self._begun(self._loaded(rows))
                    self._seen = caught_up(index, seen, rows)
            return self._seen[0]

    def describe(self) -> dict[str, Any]:
        """What answers, with its measured recall and time, as plain values."""
        index = self.refreshed()
        if index.snapshot is None:
            return {"kind": "exact", "recall": 1.0, "compared_one_by_one": index.unindexed}
        files = self._folder.glob(f"{index.snapshot.sequence:017d}.*")
        return {
            "kind": index.snapshot.kind.name,
            "recall": index.snapshot.curve[-1].recall,
            "effort": index.snapshot.effort,
            "milliseconds": index.snapshot.curve[-1].milliseconds,
            "curve": [dataclasses.asdict(point) for point in index.snapshot.curve],
            "bytes_a_picture": sum(f.stat().st_size for f in files) / len(index.snapshot.ids),
            "compared_one_by_one": index.unindexed,
        }

    @property
    def wants_rebuild(self) -> bool:
        """True when too much is compared one by one for a quick answer."""
        index = self.refreshed()
        covered = len(index.snapshot.ids) if index.snapshot else 0
        if index.unindexed <= max(1000, covered // 5):
            return False
        return index.unindexed > exact_limit(self._dim)

    def rebuild(self, recall: float = RECALL, kind: Kind | None = None) -> Snapshot | None:
        """Build a snapshot of all rows and use it; searches go on. None when there are no rows.

        Raises GalleryLocked when another process is building one, GalleryError when the disk
        refuses.
        """
        wait = self._catalog.wait_seconds
        try:
            with self._building, snapshot.building(self._folder, wait):
                built = self._built(recall, kind)
                if built is not None:
                    snapshot.save(self._folder, built, self._vouch)
                    self._use(built)
                return built
        except OSError as error:
            raise GalleryError(
                f"the index in {self._folder} cannot be written ({error.strerror or error}); "
                "the gallery answers without it, more slowly"
            ) from None

    def renew(self) -> None:
        """A new snapshot where one is wanted, and none of another network."""
        if self.wants_rebuild:
            self.rebuild()
        else:
            snapshot.clear(self._folder)

    def rebuild_in_background(self) -> None:
        """Start ``rebuild`` when it is wanted and not under way."""
        paused = time.monotonic() < self._paused_until
        if not paused and not self._building.locked() and self.wants_rebuild:
            threading.Thread(target=self._rebuild_quietly, name="kkcv-rebuild", daemon=True).start()

    def _rebuild_quietly(self) -> None:
        """Use what another process has built meanwhile, or build; a failure is logged."""
        try:
            if not self._adopted():
                self.rebuild()
        except KkcvError as error:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            log.warning("%s", error)

    def _adopted(self) -> bool:
        """Whether another process has built a newer snapshot, which is used from now on."""
        mine = self.refreshed().snapshot
        with self._catalog.reading() as rows:
            found = self._loaded(rows)
        if found is None or (mine is not None and found.sequence <= mine.sequence):
            return False
        self._use(found)
        return not self.wants_rebuild

    def _built(self, recall: float, kind: Kind | None) -> Snapshot | None:
        with self._catalog.reading(frozen=True) as rows:

            def chunks() -> Iterator[np.ndarray]:
                return (vectors for _, vectors in rows.vectors())

            sequence = rows.sequence()
            if rows.superseded():
                return None
            ids, sample = self._ids_and_sample([ids for ids, _ in rows.vectors()], chunks)
            if not len(ids):
                return None
            kind = kind or kinds.kind_for(len(ids))
            index = kinds.build(kind, len(ids), sample, chunks)
            curve = kinds.tune(kind, index, sample, chunks, recall)
        return Snapshot(sequence, self._space, kind, curve, ids, index)

    def _use(self, found: Snapshot) -> None:
        with self._refreshing, self._catalog.reading() as rows:
            self._seen = caught_up(*self._begun(found), rows)

    def _vouch(self, sha256: str) -> None:
        """The catalog shall know a snapshot; the one before may still be the one on the disk."""
        with self._catalog.writing() as writer:
            writer.set(VOUCHED, json.dumps([*vouched(writer), sha256][-2:]))

    def _loaded(self, rows: Reader) -> Snapshot | None:
        """The snapshot on the disk; another process may be replacing it just now."""
        while True:
            known = vouched(rows)
            found = snapshot.load(self._folder, self._space, known)
            if found is not None or vouched(rows) == known:
                return found

    def _begun(self, found: Snapshot | None) -> tuple[LayeredIndex, int]:
        return LayeredIndex(self._dim, found), found.sequence if found else 0

    def _ids_and_sample(
        self, ids: list[np.ndarray], chunks: "kinds.Chunks"
    ) -> tuple[np.ndarray, np.ndarray]:
        """All ids, ascending, and at most SAMPLE of their vectors in random order."""
        if not ids:
            return np.empty(0, np.int64), np.empty((0, self._dim), np.float32)
        together = np.concatenate(ids)
        generator = np.random.default_rng(0)
        chosen = np.zeros(len(together), bool)
        chosen[generator.permutation(len(together))[:SAMPLE]] = True
        sample, start = [], 0
        for vectors in chunks():
            sample.append(vectors[chosen[start : start + len(vectors)]])
            start += len(vectors)
        return together, generator.permutation(np.concatenate(sample))


def vouched(rows: Reader) -> list[str]:
    """The sha256 of the snapshots that were made of this catalog, the newest last."""
    return json.loads(rows.setting(VOUCHED, "[]"))


def caught_up(index: LayeredIndex, seen: int, rows: Reader) -> tuple[LayeredIndex, int]:
    """The index with all changes after ``seen``, and the last of them."""
    changes = rows.changes(seen)
    index.update(changes.removed, changes.ids, changes.vectors)
    return index, changes.sequence


@cache
def exact_limit(dim: int) -> int:
    """How many vectors this machine compares with a query in EXACT_MILLISECONDS, measured."""
    rows = np.random.default_rng(0).normal(size=(8192, dim)).astype(np.float32)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        inner_products(rows[:1], rows, 10)
        took.append(time.perf_counter() - began)
    return int(len(rows) * EXACT_MILLISECONDS / 1000 / min(took))
