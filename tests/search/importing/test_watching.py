"""Changes to the files of a library reach its gallery within seconds."""

import faulthandler
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from kkcv.cli.library import in_a_line
from kkcv.search.gallery import Gallery
from kkcv.search.importing import ImportReport, Reject, import_pictures, watching
from kkcv.search.importing.watching import Followed, Watching
from kkcv.search.library import changes
from kkcv.search.library.changes import outermost

Paint = Callable[..., Path]


class Follower:
    """A gallery that is followed in a thread, and what was told of it."""

    def __init__(
        self, gallery: Gallery, poll: bool = False, warn: Callable[[str], None] = pytest.fail
    ) -> None:
        self.gallery = gallery
        self.told: list[Followed] = []
        self.stop = threading.Event()
        followed = Watching(gallery, self.stop, self.told.append, warn, poll=poll)
        self.thread = threading.Thread(target=followed.run)
        self.thread.start()

    def end(self) -> None:
        self.stop.set()
        self.thread.join(30)
        if self.thread.is_alive():
            faulthandler.dump_traceback()  # shows where it waits
            pytest.fail("it does not stop")

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(600):
            if condition():
                return
            time.sleep(0.05)
        pytest.fail(f"not within 30 s; told were {self.told}")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits of people are long; tests need not share them."""
    monkeypatch.setattr(watching, "LOOK_FOR_ROOTS", 0.2)
    monkeypatch.setattr(changes, "QUIET", 100)
    monkeypatch.setattr(changes, "PAUSE", 0.5)
    monkeypatch.setattr(changes, "LOOK_AGAIN", 1100)  # polling misses what changes twice a second


@pytest.fixture(params=["told", "polled"])
def follower(request: pytest.FixtureRequest, gallery: Gallery, paint: Paint) -> Iterator[Follower]:
    for seed in range(3):
        paint(f"{seed}.png", seed)
    import_pictures(gallery, [paint("0.png", 0).parent])
    followed = Follower(gallery, poll=request.param == "polled")
    yield followed
    followed.end()


def test_a_library_is_followed(follower: Follower, paint: Paint, tmp_path: Path) -> None:
    gallery, photos = follower.gallery, tmp_path / "photos"
    paint("late.png", 7)
    follower.until(lambda: len(gallery) == 4)

    id = gallery.find(str(photos / "late.png")).id
    (photos / "late.png").rename(photos / "moved.png")
    follower.until(lambda: str(photos / "moved.png") in gallery)
    assert gallery.find(str(photos / "moved.png")).id == id

    before = gallery.find(str(photos / "1.png")).file.sha256
    paint("1.png", 20)
    follower.until(lambda: gallery.find(str(photos / "1.png")).file.sha256 != before)

    (photos / "2.png").unlink()
    # the old name of the rename may have been told as missing before its new one was seen
    follower.until(lambda: [str(photos / "2.png")] in [done.missing for done in follower.told])
    assert len(gallery) == 4

    shutil.copytree(photos, tmp_path / "outside")
    (photos / "trip").mkdir()
    shutil.copy(tmp_path / "outside/0.png", photos / "trip/copy.png")
    follower.until(lambda: len(gallery) == 5)


def test_names_that_are_not_utf8_are_followed_too(follower: Follower, tmp_path: Path) -> None:
    odd = os.fsencode(tmp_path) + b"/photos/\xc0lbum"
    os.mkdir(odd)
    shutil.copy(tmp_path / "photos/0.png", odd + b"/caf\xe9.png")
    follower.until(lambda: os.fsdecode(odd + b"/caf\xe9.png") in follower.gallery)

    shutil.copy(tmp_path / "photos/1.png", tmp_path / "photos/after.png")
    follower.until(lambda: str(tmp_path / "photos/after.png") in follower.gallery)


def test_what_is_hidden_or_excluded_is_not_taken(
    follower: Follower, paint: Paint, tmp_path: Path
) -> None:
    import_pictures(follower.gallery, [tmp_path / "photos"], exclude=["raw/"])

    for name in (".hidden/a.png", "#recycle/b.png", "raw/c.png", "d.txt.png", "e.png"):
        paint(name, 30 + len(name))
    follower.until(lambda: len(follower.gallery) >= 5)

    names = {follower.gallery.path(p).name for p in follower.gallery.pictures()}
    assert names == {"0.png", "1.png", "2.png", "d.txt.png", "e.png"}


def test_changes_that_could_not_be_imported_are_tried_again(
    gallery: Gallery, paint: Paint, tmp_path: Path
) -> None:
    import_pictures(gallery, [paint("0.png", 0).parent])
    warned: list[str] = []
    other = apsw.Connection(str(gallery.folder / "catalog.sqlite"))
    with Gallery.open(gallery.folder, gallery.embedder, wait_seconds=0.2) as hasty:
        follower = Follower(hasty, warn=warned.append)
        try:
            other.execute("BEGIN IMMEDIATE")
            paint("1.png", 1)
            follower.until(lambda: bool(warned))
            other.execute("ROLLBACK")
            follower.until(lambda: str(tmp_path / "photos/1.png") in hasty)
        finally:
            other.close()
            follower.end()
    assert len(warned) == 1
    assert "another process has been writing" in warned[0]


def test_what_polling_finds_is_looked_at_again_a_second_later(tmp_path: Path) -> None:
    """It compares whole seconds, so a file that was written to in between would stay as it was."""
    polled = changes.Changes([str(tmp_path)], poll=True)
    try:
        (tmp_path / "a.png").write_bytes(b"half")
        for _ in range(2):
            assert str(tmp_path / "a.png") in polled.next(30)
    finally:
        polled.close()


def test_a_folder_within_another_is_watched_once() -> None:
    assert outermost(["/a/b", "/a", "/ab", "/a/b/c"]) == ["/a", "/ab"]


def test_the_line_of_a_round_names_three_files_and_counts_the_others() -> None:
    rejected = [Reject(name, "empty", f"{name}: empty") for name in "abcde"]

    line = in_a_line(Followed(ImportReport(rejected=rejected), []))

    assert line.endswith("rejected 5: a: empty; b: empty; c: empty; … 2 more")
