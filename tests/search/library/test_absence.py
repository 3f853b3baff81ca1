"""Missing files may come back: a disk that is away is not taken for deleted pictures."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kkcv.errors import RequestError
from kkcv.search.describing.describing import label_by_folder
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.library.absence import removable
from kkcv.search.maintenance.doctor import examine

from .test_roots import counts

Paint = Callable[..., Path]


@pytest.fixture
def disk(paint: Paint) -> Path:
    for seed in range(6):
        paint(f"disk/{seed}.png", seed)
    return paint("disk/0.png", 0).parent


@pytest.fixture
def indexed(gallery: Gallery, disk: Path) -> Gallery:
    import_pictures(gallery, [disk])
    for picture in list(gallery.pictures()):
        gallery.describe(picture.id, {"n": picture.id})
    return gallery


def removable_of(gallery: Gallery, insist: bool = False) -> list[int]:
    return removable(gallery.library, gallery.pictures(), insist)


def unplug(disk: Path, mount_point: bool) -> None:
    disk.rename(disk.with_name("unplugged"))
    if mount_point:
        disk.mkdir()


@pytest.mark.parametrize("mount_point", [True, False], ids=["empty", "unreachable"])
def test_a_backup_that_is_indexed_while_the_original_is_away_is_copies(
    indexed: Gallery, disk: Path, tmp_path: Path, mount_point: bool
) -> None:
    shutil.copytree(disk, tmp_path / "backup")
    before = list(indexed.pictures())
    unplug(disk, mount_point)

    report = import_pictures(indexed, [tmp_path / "backup"])

    assert counts(report) == {"copied": 6}
    assert list(indexed.pictures())[:6] == before
    with pytest.raises(RequestError, match="is empty" if mount_point else "is unreachable"):
        removable_of(indexed)
    assert len(removable_of(indexed, insist=True)) == 6
    if mount_point:
        disk.rmdir()
    disk.with_name("unplugged").rename(disk)
    assert removable_of(indexed) == []
    assert counts(import_pictures(indexed, [disk])) == {"unchanged": 6}


def test_most_of_a_root_is_not_deleted_at_once(indexed: Gallery, disk: Path) -> None:
    for seed in range(3):
        (disk / f"{seed}.png").unlink()
    assert len(removable_of(indexed)) == 3

    (disk / "3.png").unlink()

    with pytest.raises(RequestError, match="has lost 4 of 6 pictures"):
        removable_of(indexed)


@pytest.mark.parametrize("mount_point", [True, False], ids=["empty", "unreachable"])
def test_a_link_to_a_picture_on_a_disk_that_is_away_is_not_deleted(
    gallery: Gallery, disk: Path, paint: Paint, mount_point: bool
) -> None:
    here = paint("here/own.png", 7).parent
    (here / "link.png").symlink_to(disk / "0.png")
    import_pictures(gallery, [here])
    unplug(disk, mount_point)

    assert removable_of(gallery) == []

    if mount_point:
        disk.rmdir()
    disk.with_name("unplugged").rename(disk)
    (disk / "0.png").unlink()
    assert removable_of(gallery) == [gallery.find(str(here / "link.png")).id]


def test_a_file_that_is_moved_to_another_root_is_the_same_picture(
    indexed: Gallery, disk: Path, tmp_path: Path
) -> None:
    (tmp_path / "album").mkdir()
    shutil.copy(disk / "2.png", tmp_path / "album/other.png")  # another inode
    (disk / "2.png").unlink()

    assert counts(import_pictures(indexed, [tmp_path / "album"])) == {"moved": 1}
    assert indexed.find(str(tmp_path / "album/other.png")).metadata == {"n": 3}


def test_all_files_that_are_moved_on_one_disk_are_the_same_pictures(
    indexed: Gallery, disk: Path, tmp_path: Path
) -> None:
    (tmp_path / "album").mkdir()
    for file in sorted(disk.iterdir()):
        file.rename(tmp_path / "album" / f"new{file.name}")

    assert counts(import_pictures(indexed, [tmp_path / "album"])) == {"moved": 6}
    assert indexed.find(str(tmp_path / "album/new4.png")).metadata == {"n": 5}


def test_pictures_come_back_from_an_undo_after_their_files_were_indexed_again(
    indexed: Gallery, disk: Path
) -> None:
    before = list(indexed.pictures())
    unplug(disk, mount_point=False)
    indexed.remove(removable_of(indexed, insist=True))
    disk.with_name("unplugged").rename(disk)
    import_pictures(indexed, [disk])
    indexed.describe(indexed.find(str(disk / "1.png")).id, {"since": True})

    assert indexed.undo().pictures == 6

    assert [p.id for p in indexed.pictures()] == [p.id for p in before]
    assert [p.metadata for p in indexed.pictures()] == [
        p.metadata | ({"since": True} if p.file.path.endswith("1.png") else {}) for p in before
    ]
    assert indexed.search(disk / "5.png", k=1)[0].id == 6
    with pytest.raises(RequestError, match="nothing to undo"):
        indexed.undo()
    assert examine(indexed) == []


def test_pictures_that_a_gallery_holds_itself_come_back_with_their_bytes(
    gallery: Gallery, paint: Paint
) -> None:
    kept = [gallery.add(paint(f"{seed}.png", seed)) for seed in range(3)]
    data = [gallery.read(picture) for picture in kept]

    gallery.remove([picture.id for picture in kept])
    assert len(gallery) == 0
    assert examine(gallery) == []  # the files wait for the undo
    gallery.undo()

    assert list(gallery.pictures()) == kept
    assert [gallery.read(picture) for picture in kept] == data


def test_the_files_of_what_can_no_longer_come_back_are_deleted(
    gallery: Gallery, paint: Paint
) -> None:
    first = [gallery.add(paint(f"{seed}.png", seed)) for seed in range(2)]
    second = [gallery.add(paint(f"{seed}.png", seed)) for seed in range(5, 7)]
    gallery.remove([picture.id for picture in first])

    gallery.remove([picture.id for picture in second])

    assert not any(gallery.path(picture).exists() for picture in first)
    assert all(gallery.path(picture).exists() for picture in second)


def test_a_description_of_many_can_be_undone(indexed: Gallery) -> None:
    before = list(indexed.pictures())
    indexed.describe_many({picture.id: {"label": "wrong"} for picture in before})

    label_by_folder(indexed, [Path("/")])  # only adds labels that are missing, so undo skips it
    assert indexed.undo().what == "described"

    assert list(indexed.pictures()) == before
    assert indexed.count("n >= 1") == 6


def test_the_doctor_does_not_advise_to_remove_what_is_away(indexed: Gallery, disk: Path) -> None:
    unplug(disk, mount_point=True)

    advice = {finding.advice for finding in examine(indexed)}

    assert advice == {f"its disk may be elsewhere: kkcv roots {indexed.folder}"}
