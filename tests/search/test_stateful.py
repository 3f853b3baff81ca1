"""A whole gallery against brute force: whatever is done to it in whatever order, it is right.

Pictures come as bytes and as files, are changed, moved, deleted, removed and described; indexes are
built; the gallery is closed, dropped as a crash does, restored from a backup and looked at by a
doctor; and a second reader sees every change at its next search.
"""

import hashlib
import io
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from PIL import Image

from kkcv.checkpoint import Checkpoint
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.runtimes import RUNTIMES
from kkcv.search.exchange.loading import import_parquet
from kkcv.search.exchange.parquet import export
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.index.kinds import KINDS
from kkcv.search.maintenance.backup import backup, restore
from kkcv.search.maintenance.doctor import examine

from .conftest import PREPROCESS, GridOfColors

pytestmark = pytest.mark.slow

LABELS = st.sampled_from(["cat", "dog", None])
SEEDS = st.integers(0, 11)
FILES = st.sampled_from(["a.png", "b.png", "below/c.png", "below/d.png"])


def painted(seed: int) -> bytes:
    """Every third looks nearly like the one before."""
    fields = np.random.default_rng(seed // 3).integers(0, 250, (4, 4, 3), np.uint8)
    fields[seed % 3, 0, 0] += 5
    out = io.BytesIO()
    Image.fromarray(fields).resize((64, 64), Image.Resampling.NEAREST).save(out, "PNG")
    return out.getvalue()


PICTURES = [painted(seed) for seed in range(12)]


@pytest.fixture(autouse=True, scope="module")
def runtime() -> Iterator[None]:
    RUNTIMES["grid"] = lambda *_: GridOfColors()
    yield
    del RUNTIMES["grid"]


@dataclass(frozen=True)
class Known:
    """A picture as the model knows it."""

    seed: int
    path: Path | None  # None: stored in the gallery
    metadata: dict[str, Any] = field(default_factory=dict)


class GalleryAgainstBruteForce(RuleBasedStateMachine):
    kind: str | None = None  # of the snapshots
    in_a_folder = True

    @initialize(float32=st.booleans())
    def begin(self, float32: bool) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="kkcv-"))
        self.photos = self.home / "photos"
        self.embedder = Embedder(Checkpoint("grid", "grid", None, PREPROCESS), runtime="grid")
        stored = np.float32 if float32 else np.float16
        embedded = [self.embedder.embed_picture(data) for data in PICTURES]
        self.vectors = [vector.astype(stored).astype(np.float32) for vector in embedded]
        self.model: dict[int, Known] = {}
        self.newest = 0  # the largest id so far
        kind = "float32" if float32 else "float16"
        self.gallery = Gallery.create(self.new_address(), self.embedder, vectors=kind)
        self.reader = Gallery.open(self.gallery.address, self.embedder)
        self.restored = 0
        for seed in range(0, 12, 2):
            self.add(seed, "cat" if seed % 4 else "dog")
        if self.kind:
            self.rebuild()

    def new_address(self) -> str:
        return str(self.home / "g0")

    def teardown(self) -> None:
        if hasattr(self, "home"):
            self.gallery.close()
            self.reader.close()
            shutil.rmtree(self.home)

    # Changes

    @rule(seed=SEEDS, label=LABELS)
    def add(self, seed: int, label: str | None) -> None:
        known = [id for id, picture in self.model.items() if picture.seed == seed]

        picture, new = self.gallery.find_or_add(PICTURES[seed], {"label": label})

        assert new == (not known)
        if new:
            self.came(picture.id, Known(seed, None, {"label": label}))
        else:
            assert picture.id == min(known)

    @rule(name=FILES, seed=SEEDS)
    def write_file(self, name: str, seed: int) -> None:
        file = self.photos / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(PICTURES[seed])

    @rule(name=FILES)
    def delete_file(self, name: str) -> None:
        (self.photos / name).unlink(missing_ok=True)

    @rule(name=FILES)
    def import_file(self, name: str) -> None:
        file = self.photos / name
        assume(file.exists())
        seed = PICTURES.index(file.read_bytes())
        here = next((id for id, p in self.model.items() if p.path == file), None)
        same = [id for id, p in sorted(self.model.items()) if p.seed == seed]
        gone = [id for id in same if (path := self.model[id].path) and not path.exists()]

        report = import_pictures(self.gallery, [file], threads=1)

        assert (report.files, report.rejected) == (1, [])
        if here is not None:
            before = self.model[here].seed
            assert report.unchanged == (before == seed)
            self.model[here] = replace(self.model[here], seed=seed)
            self.nearest_are_right(self.gallery, before, 3)
        elif gone:
            assert report.moved == 1
            self.model[gone[0]] = replace(self.model[gone[0]], path=file)
        else:
            assert (report.added, report.copied) == (not same, bool(same))
            self.came(self.gallery.find(str(file)).id, Known(seed, file))
        self.nearest_are_right(self.reader, seed, 3)

    @precondition(lambda self: self.model)
    @rule(data=st.data(), label=LABELS)
    def describe(self, data: st.DataObject, label: str | None) -> None:
        id = data.draw(st.sampled_from(sorted(self.model)))
        self.gallery.describe(id, {"label": label})
        self.model[id] = replace(self.model[id], metadata={"label": label})

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        ids = data.draw(st.lists(st.sampled_from([*sorted(self.model), 999]), unique=True))

        assert self.gallery.remove(ids) == [id for id in ids if id in self.model]

        gone = [known.seed for id in ids if (known := self.model.pop(id, None))]
        for seed in gone:
            self.nearest_are_right(self.gallery, seed, 2)

    def came(self, id: int, known: Known) -> None:
        assert id > self.newest  # never used twice
        self.newest = id
        self.model[id] = known

    # What happens to a gallery in its life

    @precondition(lambda self: self.kind)
    @rule()
    def rebuild(self) -> None:
        assert self.kind is not None
        self.gallery.generation.index.rebuild(recall=1.0, kind=KINDS[self.kind])

    @rule()
    def reopen(self) -> None:
        self.gallery.close()
        self.gallery = Gallery.open(self.gallery.address, self.embedder)

    @rule()
    def crash(self) -> None:
        """The object is dropped, nothing is closed; a process that dies is in test_crashes."""
        self.gallery = Gallery.open(self.gallery.address, self.embedder)

    @precondition(lambda self: self.in_a_folder)
    @rule()
    def restore_a_backup(self) -> None:
        self.restored += 1
        file, folder = self.home / f"{self.restored}.zip", self.home / f"g{self.restored}"
        assert backup(self.gallery, file) == len(self.model)
        for gallery in (self.gallery, self.reader):
            gallery.close()
        shutil.rmtree(self.gallery.folder)
        restore(file, folder).close()
        self.gallery = Gallery.open(folder, self.embedder)
        self.reader = Gallery.open(folder, self.embedder)

    @rule()
    def export_and_import(self) -> None:
        file = self.home / "e.parquet"
        file.unlink(missing_ok=True)

        assert export(self.gallery, file) == len(self.model)
        assert import_parquet(self.gallery.address, file) == (0, len(self.model))

    @precondition(lambda self: self.in_a_folder)
    @rule()
    def see_the_doctor(self) -> None:
        wrong = {
            id: "missing-file" if not p.path.exists() else "changed-file"
            for id, p in self.model.items()
            if p.path and (not p.path.exists() or p.path.read_bytes() != PICTURES[p.seed])
        }

        found = examine(self.gallery, repair=True)

        assert sorted((f.kind, f.what.rpartition("(")[2]) for f in found) == sorted(
            (kind, f"id {id})") for id, kind in wrong.items()
        )

    # Questions

    @rule(
        seed=SEEDS,
        k=st.integers(1, 3) | st.integers(1, 30),
        label=st.none() | st.sampled_from(["cat", "dog"]),
        min_score=st.sampled_from([-1.0, 0.5, 0.99]),
        other=st.booleans(),
    )
    def search(self, seed: int, k: int, label: str | None, min_score: float, other: bool) -> None:
        self.nearest_are_right(self.reader if other else self.gallery, seed, k, label, min_score)

    def nearest_are_right(
        self,
        gallery: Gallery,
        seed: int,
        k: int,
        label: str | None = None,
        min_score: float = -1.0,
    ) -> None:
        where = None if label is None else f"label == {label!r}"
        query = self.embedder.embed_picture(PICTURES[seed])

        hits = gallery.search(PICTURES[seed], k, where=where, min_score=min_score)

        among = {
            id: float(query @ self.vectors[p.seed])
            for id, p in self.model.items()
            if label is None or p.metadata.get("label") == label
        }
        best = sorted((s for s in among.values() if s >= min_score - 2e-3), reverse=True)[:k]
        sure = sum(score >= min_score + 2e-3 for score in best)  # float16 decides the others
        assert sure <= len(hits) <= len(best)
        assert len({hit.id for hit in hits}) == len(hits)
        np.testing.assert_allclose([hit.score for hit in hits], best[: len(hits)], atol=2e-3)
        for hit in hits:
            assert hit.score == pytest.approx(among[hit.id], abs=2e-3)
            assert hit.metadata == self.model[hit.id].metadata

    @rule(seed=SEEDS)
    def search_many(self, seed: int) -> None:
        """All at once, and each alone: the same hits."""
        together = self.gallery.search_vectors(np.stack(self.vectors), 3)

        alone = self.gallery.search_vector(self.vectors[seed], 3)
        scores = [hit.score for hit in together[seed]]
        assert scores == pytest.approx([hit.score for hit in alone], abs=1e-5)

    @invariant()
    def the_catalog_is_the_model(self) -> None:
        if not hasattr(self, "gallery"):
            return
        for gallery in (self.gallery, self.reader):
            assert len(gallery) == len(self.model)
            for picture in gallery.pictures():
                known = self.model[picture.id]
                assert picture.metadata == known.metadata
                assert picture.file.sha256 == hashlib.sha256(PICTURES[known.seed]).digest()
                if known.path is None:
                    assert gallery.read(picture) == PICTURES[known.seed]
                else:
                    assert gallery.path(picture) == known.path


class OverHnsw(GalleryAgainstBruteForce):
    kind = "hnsw"


class OverIvf(GalleryAgainstBruteForce):
    kind = "ivf"


class OverRabitq(GalleryAgainstBruteForce):
    kind = "rabitq"


TestExact = GalleryAgainstBruteForce.TestCase
TestOverHnsw = OverHnsw.TestCase
TestOverIvf = OverIvf.TestCase
TestOverRabitq = OverRabitq.TestCase
for case in (TestExact, TestOverHnsw, TestOverIvf, TestOverRabitq):
    case.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
del case  # or it would run twice
