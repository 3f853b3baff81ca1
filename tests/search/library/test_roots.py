"""One folder has one name in a gallery, whatever path leads to it, and keeps its pictures."""

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kkcv import answering
from kkcv.errors import FileMissing, RequestError
from kkcv.search.gallery import Gallery
from kkcv.search.importing import ImportReport, import_pictures
from kkcv.search.library import library
from kkcv.search.library.absence import standings
from kkcv.search.library.forgetting import forget
from kkcv.search.library.moving import moved_by_hand
from kkcv.search.library.places import presence

Paint = Callable[..., Path]
KINDS = ("added", "replaced", "moved", "copied", "unchanged")


def counts(report: ImportReport) -> dict[str, int]:
    found = {kind: getattr(report, kind) for kind in KINDS} | {"rejected": len(report.rejected)}
    return {kind: count for kind, count in found.items() if count}


def names_and_metadata(gallery: Gallery) -> dict[str, dict]:
    return {gallery.path(p).name: p.metadata for p in gallery.pictures()}


@pytest.fixture
def photos(paint: Paint) -> Path:
    """Four pictures, one of them in a folder below."""
    for seed, name in enumerate(("a.png", "b.png", "c.png", "below/d.png")):
        paint(name, seed)
    return paint("a.png", 0).parent


@pytest.fixture
def described(gallery: Gallery, photos: Path) -> Gallery:
    """The photos, each of which has its name as metadata."""
    import_pictures(gallery, [photos])
    for picture in list(gallery.pictures()):
        gallery.describe(picture.id, {"name": gallery.path(picture).name})
    return gallery


@pytest.mark.parametrize("first", ["link", "real"])
def test_a_folder_by_two_names_is_one(gallery: Gallery, photos: Path, first: str) -> None:
    link = photos.with_name("link")
    link.symlink_to(photos)
    names = (link, photos) if first == "link" else (photos, link)

    import_pictures(gallery, [names[0]])
    report = import_pictures(gallery, [names[1]])

    assert counts(report) == {"unchanged": 4}
    assert len(gallery.library.roots) == 1


def test_a_relative_path_and_a_folder_below_are_of_the_same_root(
    gallery: Gallery, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_pictures(gallery, [photos])
    monkeypatch.chdir(photos / "below")

    assert counts(import_pictures(gallery, ["."])) == {"unchanged": 1}
    assert counts(import_pictures(gallery, [".."])) == {"unchanged": 4}
    assert [root.path for root in gallery.library.roots] == [str(photos)]


def test_a_folder_that_is_linked_in_another_has_its_pictures_once(
    gallery: Gallery, photos: Path, tmp_path: Path
) -> None:
    album = tmp_path / "album"
    album.mkdir()
    (album / "trip").symlink_to(photos)

    assert counts(import_pictures(gallery, [album])) == {"added": 4}
    assert counts(import_pictures(gallery, [photos])) == {"unchanged": 4}
    assert counts(import_pictures(gallery, [album, photos])) == {"unchanged": 4}


def test_a_link_to_a_disk_that_is_away_or_into_a_root_is_of_that_root(
    gallery: Gallery, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(photos)
    (tmp_path / "deep").symlink_to(photos / "below")
    import_pictures(gallery, [photos])
    away = photos.rename(tmp_path / "away")
    photos.mkdir()

    assert counts(import_pictures(gallery, [tmp_path / "link"])) == {}
    photos.rmdir()
    away.rename(photos)

    assert counts(import_pictures(gallery, [tmp_path / "link"])) == {"unchanged": 4}
    assert counts(import_pictures(gallery, [tmp_path / "deep"])) == {"unchanged": 1}
    assert [root.path for root in gallery.library.roots] == [str(photos)]


def test_a_renamed_root_keeps_its_ids_and_each_twin_its_metadata(
    described: Gallery, photos: Path
) -> None:
    shutil.copy(photos / "a.png", photos / "-twin.png")
    import_pictures(described, [photos])
    described.describe(described.find(str(photos / "-twin.png")).id, {"name": "-twin.png"})
    before = {p.id: p.metadata for p in described.pictures()}
    renamed = photos.rename(photos.with_name("renamed"))

    report = import_pictures(described, [renamed])

    assert counts(report) == {"moved": 5}
    assert {p.id: p.metadata for p in described.pictures()} == before
    assert all(name == each["name"] for name, each in names_and_metadata(described).items())
    assert described.find(str(renamed / "a.png")).metadata == {"name": "a.png"}


def test_twins_that_were_removed_and_came_back_are_still_told_apart_by_their_files(
    described: Gallery, photos: Path
) -> None:
    shutil.copy(photos / "a.png", photos / "twin.png")
    import_pictures(described, [photos])
    ids = [described.find(str(photos / name)).id for name in ("a.png", "twin.png")]
    described.describe(ids[1], {"name": "twin.png"})

    assert described.remove(ids) == ids
    described.undo()
    (photos / "a.png").rename(photos / "last.png")  # the twin's new name comes before it
    (photos / "twin.png").rename(photos / "first.png")

    assert counts(import_pictures(described, [photos])) == {"moved": 2, "unchanged": 3}
    assert described.find(str(photos / "last.png")).metadata == {"name": "a.png"}
    assert described.find(str(photos / "first.png")).metadata == {"name": "twin.png"}


def test_a_root_on_a_mount_that_fails_has_not_moved(
    described: Gallery, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = photos.rename(photos.with_name("again"))

    def fails(function: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        def answer(path: str, **more: bool) -> os.stat_result:
            if str(path) == str(photos):
                raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
            return function(path, **more)

        return answer

    for name in ("stat", "lstat"):
        monkeypatch.setattr(os, name, fails(getattr(os, name)))

    import_pictures(described, [again])
    assert [root.path for root in described.library.roots] == [str(photos), str(again)]


def test_twins_in_a_renamed_folder_within_a_root_keep_what_is_theirs(
    described: Gallery, photos: Path
) -> None:
    (photos / "trip").mkdir()
    for name in ("z.png", "-y.png", "x.png"):
        shutil.copy(photos / "a.png", photos / "trip" / name)
    import_pictures(described, [photos])
    for picture in list(described.pictures()):
        described.describe(picture.id, {"name": described.path(picture).name})
    (photos / "trip").rename(photos / "summer")

    report = import_pictures(described, [photos])

    assert counts(report) == {"moved": 3, "unchanged": 4}
    assert all(name == each["name"] for name, each in names_and_metadata(described).items())


def test_twins_that_are_copied_to_another_disk_and_deleted_are_told_by_their_names(
    described: Gallery, photos: Path
) -> None:
    for name in ("z.png", "-y.png"):
        shutil.copy(photos / "a.png", photos / "below" / name)
    import_pictures(described, [photos])
    for picture in list(described.pictures()):
        described.describe(picture.id, {"name": described.path(picture).name})
    shutil.copytree(photos / "below", photos / "aaa")  # other inodes, as on another disk
    shutil.rmtree(photos / "below")

    assert counts(import_pictures(described, [photos])) == {"moved": 3, "unchanged": 3}
    assert all(name == each["name"] for name, each in names_and_metadata(described).items())


def test_a_folder_that_got_the_number_of_a_deleted_root_is_not_that_root(
    described: Gallery, photos: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = next(iter(described.library.roots)).identity
    shutil.rmtree(photos)
    stranger = paint("stranger.png", 50).parent.rename(photos.with_name("strange"))
    monkeypatch.setattr("kkcv.search.library.naming.seen", lambda folder: identity)

    report = import_pictures(described, [stranger])

    assert counts(report) == {"added": 1}
    assert sorted(root.path for root in described.library.roots) == [str(photos), str(stranger)]


def test_a_root_is_moved_by_hand_and_keeps_what_it_had(described: Gallery, photos: Path) -> None:
    ids = {p.id: p.metadata for p in described.pictures()}
    elsewhere = photos.with_name("elsewhere")
    shutil.copytree(photos, elsewhere)  # other numbers of files, as on another disk
    shutil.rmtree(photos)

    assert moved_by_hand(described.library, str(photos), str(elsewhere)) == 4

    assert {p.id: p.metadata for p in described.pictures()} == ids
    assert all(described.path(picture).exists() for picture in described.pictures())
    assert described.search(elsewhere / "a.png", k=1)[0].path == str(elsewhere / "a.png")
    assert counts(import_pictures(described, [elsewhere])) == {"unchanged": 4}


def test_where_the_new_place_was_indexed_already_pictures_become_one(
    described: Gallery, photos: Path
) -> None:
    ids = {p.id for p in described.pictures()}
    elsewhere = photos.with_name("elsewhere")
    shutil.copytree(photos, elsewhere)
    import_pictures(described, [elsewhere])
    described.describe(described.find(str(elsewhere / "b.png")).id, {"new": 1})
    shutil.rmtree(photos)

    moved_by_hand(described.library, str(photos), str(elsewhere))

    assert {p.id for p in described.pictures()} == ids
    assert described.find(str(elsewhere / "b.png")).metadata == {"name": "b.png", "new": 1}
    assert [root.path for root in described.library.roots] == [str(elsewhere)]


def test_a_folder_without_the_pictures_is_no_place_to_move_to(
    described: Gallery, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match="none of the pictures"):
        moved_by_hand(described.library, str(photos), str(tmp_path / "empty"))
    with pytest.raises(RequestError, match="is no folder"):
        moved_by_hand(described.library, str(photos), str(tmp_path / "nowhere"))
    with pytest.raises(RequestError, match="is no root of"):
        moved_by_hand(described.library, str(tmp_path / "other"), str(photos))


def test_a_forgotten_root_comes_back_with_all_that_it_had(described: Gallery, photos: Path) -> None:
    before = {p.id: (p.file, p.metadata, p.added) for p in described.pictures()}

    assert forget(described.library, str(photos)) == 4
    assert (len(described), len(described.library.roots)) == (0, 0)
    assert described.undo().pictures == 4

    assert {p.id: (p.file, p.metadata, p.added) for p in described.pictures()} == before
    assert [root.path for root in described.library.roots] == [str(photos)]
    assert described.search(photos / "c.png", k=1)[0].metadata == {"name": "c.png"}


def test_states_of_roots(gallery: Gallery, paint: Paint, tmp_path: Path) -> None:
    for name in ("kept", "emptied", "unplugged"):
        paint(f"{name}/a.png", len(name))
        import_pictures(gallery, [tmp_path / "photos" / name])
    (tmp_path / "photos/emptied/a.png").unlink()
    shutil.rmtree(tmp_path / "photos/unplugged")

    found = standings(gallery.library, gallery.pictures())

    states = {os.path.basename(s.place.path): (s.place.state, s.pictures, s.missing) for s in found}
    assert states == {
        "emptied": ("empty", 1, 1),
        "kept": ("there", 1, 0),
        "unplugged": ("unreachable", 1, 1),
    }


def test_a_hit_says_that_its_file_is_missing(described: Gallery, photos: Path) -> None:
    query = (photos / "a.png").read_bytes()
    assert [hit.missing for hit in described.search(query, k=2)] == [False, False]

    (photos / "a.png").unlink()

    assert described.search(query, k=1)[0].missing is True


def test_a_slow_disk_is_waited_for_as_long_as_each_file_answers_in_time(
    described: Gallery, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(path: str) -> str:
        time.sleep(0.05)
        return presence(path)

    monkeypatch.setattr(answering, "SECONDS", 0.2)
    monkeypatch.setattr(library, "presence", slow)
    (photos / "b.png").unlink()
    paths = [str(photos / name) for name in ("a.png", "b.png", "c.png", *map(str, range(7)))]

    missing = described.library.missing(paths)

    assert set(paths) - missing == {str(photos / "a.png"), str(photos / "c.png")}
    assert not answering.is_stuck(photos)


def test_the_root_is_asked_before_its_files(
    described: Gallery, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [described.get(picture.id) for picture in described.pictures()]
    described.path(pictures[0])  # where the root is, is remembered for moments
    over = threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(answering, "SECONDS", 0.1)
        patch.setattr(answering, "touched", lambda path: over.wait(60))
        for picture in pictures:
            with pytest.raises(FileMissing, match="cannot be read now"):
                described.read(picture)
    stuck = [path for path in answering.stuck if path.is_relative_to(photos)]
    over.set()

    assert stuck == [photos]
