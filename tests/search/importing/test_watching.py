"""Changes to the files of a library reach its gallery within seconds."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.importing.watching import Followed, Watching
from kkcv.search.library.changes import outermost

Paint = Callable[..., Path]


class Follower:
    """A gallery that is followed in a thread, and what was told of it."""

    def __init__(self, gallery: Gallery, poll: bool) -> None:
        self.gallery = gallery
        self.told: list[Followed] = []
        self.stop = threading.Event()
        watching = Watching(gallery, self.stop, self.told.append, pytest.fail, poll=poll)
        self.thread = threading.Thread(target=watching.run)
        self.thread.start()

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(600):
            if condition():
                return
            time.sleep(0.05)
        pytest.fail(f"not within 30 s; told were {self.told}")


@pytest.fixture(params=["told", "polled"])
def follower(request: pytest.FixtureRequest, gallery: Gallery, paint: Paint) -> Iterator[Follower]:
    for seed in range(3):
        paint(f"{seed}.png", seed)
    import_pictures(gallery, [paint("0.png", 0).parent])
    followed = Follower(gallery, poll=request.param == "polled")
    yield followed
    followed.stop.set()
    followed.thread.join(30)
    assert not followed.thread.is_alive()


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
    follower.until(lambda: any(done.missing for done in follower.told))
    assert follower.told[-1].missing == [str(photos / "2.png")]
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


def test_a_folder_within_another_is_watched_once() -> None:
    assert outermost(["/a/b", "/a", "/ab", "/a/b/c"]) == ["/a", "/ab"]
