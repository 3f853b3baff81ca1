"""kkcv roots, undo, and remove --missing as they are typed."""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from .conftest import Said

Kkcv = Callable[..., Said]


@pytest.fixture
def disk(album: list[Path], tmp_path: Path) -> Path:
    folder = tmp_path / "disk"
    folder.mkdir()
    for path in album[:6]:
        shutil.copy(path, folder / f"{path.parent.name}-{path.name}")
    return folder


def test_an_unplugged_disk_is_no_deletion(kkcv: Kkcv, disk: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "g.kkcv"
    kkcv("index", gallery, disk)
    disk.rename(tmp_path / "unplugged")
    disk.mkdir()

    told = kkcv("index", gallery, disk)
    refused = kkcv("remove", gallery, "--missing")
    hits = kkcv("search", gallery, "id:1", "-k", 2, "--json").json["hits"]

    assert "--missing" not in told.err
    assert f"{disk} is empty; its pictures stay in the gallery: kkcv roots {gallery}" in told.err
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert f"nothing was removed: {disk} is empty" in refused.err
    assert [hit["missing"] for hit in hits] == [True, True]
    (root,) = kkcv("roots", gallery, "--json").json["roots"]
    assert (root["state"], root["pictures"], root["missing"]) == ("empty", 6, 6)

    assert kkcv("remove", gallery, "--missing", "--yes", "--json").json["pictures"] == 0
    assert kkcv("undo", gallery, "--json").json == {
        "undone": "removed",
        "pictures": 6,
        "in_all": 6,
    }
    assert kkcv("undo", gallery).code == 2
    disk.rmdir()
    (tmp_path / "unplugged").rename(disk)
    assert kkcv("index", gallery, disk, "--json").json["unchanged"] == 6


def test_the_next_steps_can_be_typed_and_one_of_a_kind_is_told_as_one(
    kkcv: Kkcv, disk: Path, tmp_path: Path
) -> None:
    bin = tmp_path / "more pictures/#recycle"
    bin.mkdir(parents=True)
    (bin / "a.jpg").write_bytes(next(disk.glob("*.*")).read_bytes())

    for name in ("a.txt", "b.TXT", "c.docx", "notes"):
        (bin.parent / name).touch()

    told = kkcv("index", tmp_path / "my gallery", disk, bin.parent).err

    assert "passed over: 2 .TXT, 1 recycle bin, 1 .DOCX, 1 other file\n" in told
    assert f"kkcv index '{tmp_path}/my gallery' {disk} '{bin.parent}' " in told


def test_a_folder_that_a_link_leads_to_is_told_once_and_no_picture_at_all_is_a_failure(
    kkcv: Kkcv, disk: Path, tmp_path: Path
) -> None:
    gallery, mine = tmp_path / "g.kkcv", tmp_path / "mine"
    mine.mkdir()
    (mine / "broken.jpg").write_bytes(b"no picture")

    failed = kkcv("index", gallery, mine)
    (mine / "neighbors").symlink_to(disk)
    told = kkcv("index", gallery, mine)
    again = kkcv("index", gallery, mine, "--json")

    assert (failed.code, told.code, again.code) == (1, 0, 0)
    assert f"indexed too, by a link or a mount: {mine}/neighbors; all: kkcv roots" in told.err
    assert (again.json["linked"], again.json["unchanged"], again.json["rejected"]) == ([], 6, 1)


def test_roots_are_moved_and_forgotten(kkcv: Kkcv, disk: Path, tmp_path: Path) -> None:
    gallery, elsewhere = tmp_path / "g.kkcv", tmp_path / "elsewhere"
    kkcv("index", gallery, disk, "--exclude", "raw/")
    shutil.copytree(disk, elsewhere)
    shutil.rmtree(disk)

    moved = kkcv("roots", gallery, "--move", disk, elsewhere, "--json")

    assert moved.json == {"moved": 6, "root": str(elsewhere)}
    (root,) = kkcv("roots", gallery, "--json").json["roots"]
    assert (root["root"], root["state"], root["exclude"]) == (str(elsewhere), "there", ["raw/"])
    assert str(elsewhere) in kkcv("roots", gallery).out
    (elsewhere / "below").mkdir()
    shutil.copy(next(elsewhere.glob("*.*")), elsewhere / "below" / "copy.jpg")
    kkcv("index", gallery, elsewhere)
    told = kkcv("roots", gallery, "--forget", elsewhere / "below").err
    assert f"they come in again with {elsewhere}" in told
    advice = shlex.split(told.partition(": kkcv ")[2])
    assert kkcv(*advice, "--json").json["pictures"] == 6
    assert kkcv("roots", gallery, "--forget", elsewhere, "--json").json["removed"] == 6
    again = kkcv("roots", gallery, "--forget", elsewhere)
    assert (again.code, "is no root of" in again.err) == (2, True)


def test_the_removal_of_one_picture_is_undone_and_nothing_else(
    kkcv: Kkcv, disk: Path, tmp_path: Path
) -> None:
    gallery = tmp_path / "g.kkcv"
    kkcv("index", gallery, disk, "--labels", "folder")
    kkcv("describe", gallery, "--where", "id == 1", "checked=true")
    before = kkcv("list", gallery, "--json").json

    removed = kkcv("remove", gallery, "id:2")

    assert removed.err.startswith("the next kkcv index adds 1 picture again")
    assert kkcv("undo", gallery, "--json").json["undone"] == "removed"
    assert kkcv("list", gallery, "--json").json == before


def test_removed_pictures_are_left_out_by_the_command_of_each_folder(
    kkcv: Kkcv, disk: Path, tmp_path: Path
) -> None:
    gallery, other = tmp_path / "g.kkcv", tmp_path / "other"
    shutil.copytree(disk, other)
    for picture in other.iterdir():
        Image.open(picture).rotate(90).save(picture)
    kkcv("index", gallery, disk, other)

    removed = kkcv("remove", gallery, *sorted(disk.iterdir())[:4], *sorted(other.iterdir())[:1])

    for line, count in zip(removed.err.splitlines(), (4, 1), strict=True):
        assert f"adds {count} picture" in line
        advice = shlex.split(line.partition(": kkcv ")[2])
        assert kkcv(*advice, "--json").json["passed"] == {"excluded": count}
