"""A library's life against a model: disks come and go, files move, and no word of them is lost.

Two disks are mounted and unmounted. Their files are written, replaced with their time kept,
renamed, copied, linked and deleted; folders are renamed and reached by other names; imports,
removals and undos come in any order, and the gallery is dropped as a kill does. What a person said
of a picture is a word in its metadata; the model knows at which file it must be.
"""

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from PIL import Image

from kkcv.checkpoint import Checkpoint
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.runtimes import RUNTIMES
from kkcv.errors import FileMissing, RequestError
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.library.absence import removable
from kkcv.search.maintenance.doctor import examine
from kkcv.search.picture import Picture
from tests.search.conftest import PREPROCESS, GridOfColors

DISKS = st.sampled_from(["one", "two"])
FILES = st.sampled_from(["a.bmp", "b.bmp", "trip/c.bmp", "trip/d.bmp", "trip/deep/e.bmp"])
SEEDS = st.integers(0, 4)


def painted(seed: int) -> bytes:
    """A BMP: all of them have the same size."""
    fields = np.random.default_rng(seed).integers(0, 250, (4, 4, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(fields).resize((16, 16), Image.Resampling.NEAREST).save(out, "BMP")
    return out.getvalue()


PICTURES = [painted(seed) for seed in range(5)]


@pytest.fixture(autouse=True, scope="module")
def runtime() -> Iterator[None]:
    RUNTIMES["grid"] = lambda *_: GridOfColors()
    yield
    del RUNTIMES["grid"]


class Life(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="kkcv-life-"))
        self.embedder = Embedder(Checkpoint("grid", "grid", None, PREPROCESS), runtime="grid")
        self.gallery = Gallery.create(self.home / "gallery", self.embedder)
        self.mounted = {"one": True, "two": True}
        self.words: dict[Path, str] = {}  # by the file, on its disk, that it was said of
        self.said = 0
        for disk in self.mounted:
            self.on(disk, "a.bmp").parent.mkdir(parents=True)
            (self.home / f"{disk}-link").symlink_to(self.place(disk))
            for seed, name in enumerate(("a.bmp", "b.bmp", "trip/c.bmp")):
                self.write(disk, name, seed)
            self.import_disk(disk, False)

    def teardown(self) -> None:
        if hasattr(self, "home"):
            self.gallery.close()
            shutil.rmtree(self.home)

    def place(self, disk: str) -> Path:
        return self.home / "mnt" / disk

    def on(self, disk: str, name: str) -> Path:
        return self.place(disk) / name

    def rows_of(self, disk: str) -> list[Picture]:
        start = f"{self.place(disk)}/"
        return [p for p in self.gallery.pictures() if p.file.path.startswith(start)]

    def forget_words(self, file: Path) -> None:
        """The file of the word has gone: it stays in the gallery, wherever its bytes turn up."""
        self.words.pop(file, None)

    # What happens to files, on disks that are mounted

    @rule(disk=DISKS, name=FILES, seed=SEEDS, keep_time=st.booleans())
    def write_file(self, disk: str, name: str, seed: int, keep_time: bool) -> None:
        if self.mounted[disk]:
            self.write(disk, name, seed, keep_time)

    def write(self, disk: str, name: str, seed: int, keep_time: bool = False) -> None:
        file = self.on(disk, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        before = file.stat() if file.exists() else None
        file.unlink(missing_ok=True)  # linked twins keep their bytes
        file.write_bytes(PICTURES[seed])
        if before and keep_time:
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    @rule(disk=DISKS, name=FILES)
    def delete(self, disk: str, name: str) -> None:
        if self.mounted[disk] and self.on(disk, name).exists():
            self.on(disk, name).unlink()
            self.forget_words(self.on(disk, name))

    @rule(disk=DISKS, name=FILES, to=FILES)
    def rename(self, disk: str, name: str, to: str) -> None:
        old, new = self.on(disk, name), self.on(disk, to)
        if self.mounted[disk] and old.exists() and not new.exists():
            new.parent.mkdir(parents=True, exist_ok=True)
            old.rename(new)
            self.forget_words(old)  # a row may still be at the new path

    @rule(disk=DISKS)
    def rename_folder(self, disk: str) -> None:
        """Names that nothing had before: each file keeps what was said of it."""
        old = self.on(disk, "trip")
        if self.mounted[disk] and old.exists():
            self.said += 1
            new = old.rename(self.on(disk, f"trip{self.said}"))
            for file, word in list(self.words.items()):
                if file.is_relative_to(old):
                    del self.words[file]
                    self.words[new / file.relative_to(old)] = word
            self.import_disk(disk, False)
            shutil.copytree(new, old)  # rules know the old name: copies are there again
            self.import_disk(disk, False)

    @rule(disk=DISKS, name=FILES, other=DISKS, to=FILES, link=st.booleans())
    def copy(self, disk: str, name: str, other: str, to: str, link: bool) -> None:
        source, target = self.on(disk, name), self.on(other, to)
        if self.mounted[disk] and self.mounted[other] and source.exists() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            (os.link if link else shutil.copy2)(source, target)

    # What happens to disks and to the gallery

    @rule(disk=DISKS)
    def unmount(self, disk: str) -> None:
        if self.mounted[disk]:
            self.place(disk).rename(self.home / disk)
            self.place(disk).mkdir()
            self.mounted[disk] = False

    @rule(disk=DISKS)
    def mount(self, disk: str) -> None:
        if not self.mounted[disk]:
            self.place(disk).rmdir()
            (self.home / disk).rename(self.place(disk))
            self.mounted[disk] = True

    @rule(disk=DISKS, by_link=st.booleans())
    def import_disk(self, disk: str, by_link: bool) -> None:
        away = {each: self.rows_of(each) for each, there in self.mounted.items() if not there}
        before = {p.metadata["word"] for p in self.gallery.pictures() if p.metadata}

        path = self.home / f"{disk}-link" if by_link else self.place(disk)
        report = import_pictures(self.gallery, [path], threads=1)

        assert report.rejected == []
        assert {each: self.rows_of(each) for each in away} == away
        assert {p.metadata["word"] for p in self.gallery.pictures() if p.metadata} == before
        if self.mounted[disk]:
            self.catalog_is_the_disk(disk)

    def catalog_is_the_disk(self, disk: str) -> None:
        rows = {p.file.path: p for p in self.rows_of(disk)}
        files = list(self.place(disk).rglob("*.bmp"))
        for file in files:
            assert self.gallery.read(rows[str(file)]) == file.read_bytes()
            if file in self.words:
                assert rows[str(file)].metadata == {"word": self.words[file]}
        for file in files[:1]:
            found = self.gallery.search(file, k=len(self.gallery))
            alike = [hit for hit in found if hit.score > 0.9999]
            assert str(file) in {hit.path for hit in alike}

    @precondition(lambda self: len(self.gallery))
    @rule(data=st.data())
    def say(self, data: st.DataObject) -> None:
        picture = data.draw(st.sampled_from(list(self.gallery.pictures())))
        self.said += 1
        word = f"word {self.said}"
        self.gallery.describe(picture.id, {"word": word})
        file = Path(picture.file.path)
        self.words.pop(file, None)
        try:
            self.gallery.read(picture)
        except FileMissing:
            return  # the row is of other bytes, or of a file that has moved
        self.words[file] = word

    @rule(insist=st.booleans())
    def remove_missing_and_undo(self, insist: bool) -> None:
        before = list(self.gallery.pictures())
        away = any(self.rows_of(disk) for disk, there in self.mounted.items() if not there)
        try:
            ids = removable(self.gallery.library, before, insist)
        except RequestError:
            assert not insist
            return
        assert insist or not away
        gone = {p.id for p in before if not Path(p.file.path).exists()}
        assert set(ids) == gone
        if ids:
            self.gallery.remove(ids, at_least=1)
            assert {p.id for p in self.gallery.pictures()} == {p.id for p in before} - gone

            assert self.gallery.undo().pictures == len(ids)
            assert list(self.gallery.pictures()) == before

    @rule()
    def kill(self) -> None:
        """The object is dropped, nothing is closed."""
        self.gallery = Gallery.open(self.gallery.address, self.embedder)

    @invariant()
    def a_row_a_path_and_nothing_is_damaged(self) -> None:
        if hasattr(self, "gallery"):
            paths = [p.file.path for p in self.gallery.pictures()]
            assert len(set(paths)) == len(paths)
            found = {finding.kind for finding in examine(self.gallery)}
            assert found <= {"missing-file", "changed-file"}


class LongLife(Life):
    """The same, for longer."""


QUICK = {"deadline": None, "suppress_health_check": list(HealthCheck)}
TestLife = Life.TestCase
TestLife.settings = settings(max_examples=6, stateful_step_count=15, **QUICK)
TestLongLife = pytest.mark.slow(LongLife.TestCase)
TestLongLife.settings = settings(max_examples=60, stateful_step_count=40, **QUICK)
