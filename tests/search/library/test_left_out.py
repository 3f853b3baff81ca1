"""Files that are nobody's picture, files that are excluded, and odd paths of file systems."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kkcv.errors import RequestError
from kkcv.images.folder import find_pictures
from kkcv.images.sheet import save_png
from kkcv.search.folder.reader import Reader
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.maintenance.doctor import examine

from .test_roots import counts

Paint = Callable[..., Path]
NOBODYS = (
    *("$RECYCLE.BIN", "RECYCLER", "System Volume Information", "FOUND.000"),
    *("#recycle", "#snapshot", "@eaDir", "@Recycle", "@Recently-Snapshot", ".@__thumb"),
    *("__MACOSX", ".Trashes", ".Trash-1000", "lost+found", ".thumbnails"),
)


def names(gallery: Gallery) -> set[str]:
    return {gallery.path(picture).name for picture in gallery.pictures()}


@pytest.mark.parametrize("folder", NOBODYS)
def test_bins_and_folders_of_the_system_are_passed_over(
    gallery: Gallery, paint: Paint, folder: str
) -> None:
    paint("mine.png", 1)
    paint(f"{folder}/deleted.png", 2)
    paint(f"{folder.swapcase()}/deleted.png", 3)

    report = import_pictures(gallery, [paint("mine.png", 1).parent])

    assert counts(report) == {"added": 1}
    assert bool(report.passed) == (not folder.startswith("."))  # hidden ones are not counted


def test_galleries_are_passed_over_also_through_links(
    gallery: Gallery, paint: Paint, tmp_path: Path, embedder: object
) -> None:
    photos = paint("mine.png", 1).parent
    with Gallery.create(photos / "own.kkcv", embedder) as own:  # type: ignore[arg-type]
        own.add(paint("other.png", 2))
    (photos / "other.png").unlink()
    (photos / "link").symlink_to(own.folder / "pictures")
    (tmp_path / "by-link").symlink_to(photos)
    (photos / "elsewhere").mkdir()
    (photos / "elsewhere/catalog.sqlite").write_bytes(b"another program's")
    paint("elsewhere/c.png", 3)

    assert counts(import_pictures(gallery, [tmp_path / "by-link"])) == {"added": 2}
    assert names(gallery) == {"mine.png", "c.png"}
    assert counts(import_pictures(gallery, [own.folder / "pictures"])) == {}


def test_training_runs_are_passed_over(gallery: Gallery, paint: Paint) -> None:
    photos = paint("mine.png", 1).parent
    paint("run/plots/wrong.png", 2)
    paint("other/plots/mine-too.png", 3)
    for name in ("run/recipe.json", "run/split.csv", "other/split.csv"):
        (photos / name).touch()

    report = import_pictures(gallery, [photos])

    assert (counts(report), dict(report.passed)["training runs"]) == ({"added": 2}, 1)
    assert names(gallery) == {"mine.png", "mine-too.png"}


def test_a_contact_sheet_is_no_picture(gallery: Gallery, paint: Paint) -> None:
    photos = paint("mine.png", 1).parent
    save_png(photos / "sheet.png", np.zeros((50, 50, 3), np.uint8))

    report = import_pictures(gallery, [photos])

    assert (counts(report), dict(report.passed)) == (
        {"added": 1},
        {"contact sheets of kkcv": 1},
    )


def test_patterns_are_kept_by_the_root_and_taken_back(gallery: Gallery, paint: Paint) -> None:
    for name in ("a.png", "raw/b.png", "c.bmp", "deep/raw/d.png", "deep/e.bmp"):
        paint(name, len(name) + ord(name[-5]))
    photos = paint("a.png", 1).parent

    import_pictures(gallery, [photos], exclude=["raw/", "*.bmp"])
    assert names(gallery) == {"a.png"}
    import_pictures(gallery, [photos / "deep"])
    assert names(gallery) == {"a.png"}

    import_pictures(gallery, [photos / "deep"], exclude=["!raw/"])
    assert names(gallery) == {"a.png", "d.png"}
    with pytest.raises(RequestError, match="--exclude: Invalid git pattern"):
        import_pictures(gallery, [photos], exclude=["!"])


def test_a_blank_pattern_leaves_nothing_out(gallery: Gallery, paint: Paint) -> None:
    photos = paint("a.png", 1).parent
    paint("deep/below/b.png", 2)

    for folder in (photos, photos / "deep"):
        import_pictures(gallery, [folder], exclude=["", " "])

    assert names(gallery) == {"a.png", "b.png"}
    assert [root.excludes for root in gallery.library.roots] == [()]


def test_a_link_into_a_root_has_the_patterns_of_that_root(
    gallery: Gallery, paint: Paint, tmp_path: Path
) -> None:
    for name in ("a.png", "below/b.png", "below/raw/c.png", "below/out/d.png"):
        paint(name, len(name))
    photos = paint("a.png", 1).parent
    (photos / ".kkcvignore").write_text("/below/out/\n")
    (tmp_path / "deep").symlink_to(photos / "below")
    import_pictures(gallery, [photos], exclude=["/below/raw/"])

    paint("below/e.png", 5)
    for exclude in ([], ["*.bmp"]):
        import_pictures(gallery, [tmp_path / "deep"], exclude=exclude)

    assert names(gallery) == {"a.png", "b.png", "e.png"}
    (tmp_path / "one.png").symlink_to(photos / "a.png")
    assert counts(import_pictures(gallery, [tmp_path / "one.png"])) == {"copied": 1}
    assert [root.path for root in gallery.library.roots] == [str(photos)]


def test_the_innermost_file_of_patterns_decides(gallery: Gallery, paint: Paint) -> None:
    for name in ("a.png", "scan-1.png", "album/scan-2.png", "album/x.png", "out/y.png"):
        paint(name, len(name) + ord(name[-5]))
    photos = paint("a.png", 1).parent
    (photos / ".kkcvignore").write_text("# scans\nscan-*\n/out/\n")
    (photos / "album/.kkcvignore").write_text("!scan-2.png\n/x.png\n")

    import_pictures(gallery, [photos])

    assert names(gallery) == {"a.png", "scan-2.png"}


def test_a_file_that_is_replaced_with_its_time_kept_is_seen_by_all(
    gallery: Gallery, paint: Paint
) -> None:
    kept, other = paint("kept.bmp", 1), paint("other.bmp", 2)
    import_pictures(gallery, [kept.parent])
    id, status = gallery.find(str(kept)).id, kept.stat()
    shutil.copyfile(other, kept)
    os.utime(kept, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (kept.stat().st_size, kept.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)

    assert [finding.kind for finding in examine(gallery)] == ["changed-file"]
    assert counts(import_pictures(gallery, [kept.parent])) == {"replaced": 1, "unchanged": 1}
    assert gallery.search(other, k=2).ids == [id, gallery.find(str(other)).id]
    assert examine(gallery) == []


def test_a_gallery_without_stamps_gets_them_and_rehash_reads_all(
    gallery: Gallery, paint: Paint
) -> None:
    file, other = paint("a.bmp", 1), paint("b.bmp", 2)
    import_pictures(gallery, [file.parent])
    with gallery.catalog.writing() as writer:
        writer.execute("DROP TABLE stamps")  # as of an older kkcv
    status = file.stat()
    shutil.copyfile(other, file)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert counts(import_pictures(gallery, [file.parent])) == {"unchanged": 2}
    assert counts(import_pictures(gallery, [file.parent], rehash=True)) == {
        "replaced": 1,
        "unchanged": 1,
    }


@pytest.mark.parametrize("seconds", [13_569_465_600, 0, -11_644_473_600, 2**31])
def test_no_date_of_a_file_is_too_odd(gallery: Gallery, paint: Paint, seconds: int) -> None:
    file = paint("a.png", 1)
    os.utime(file, (seconds, seconds))

    assert counts(import_pictures(gallery, [file])) == {"added": 1}
    assert counts(import_pictures(gallery, [file])) == {"unchanged": 1}


def test_what_is_no_file_costs_its_path_alone(gallery: Gallery, paint: Paint) -> None:
    known = paint("0.png", 1)
    photos = known.parent
    os.utime(known, (0, 0))
    import_pictures(gallery, [photos])
    known.unlink()
    known.symlink_to("/nowhere")
    (photos / "circle.png").symlink_to(photos / "circle.png")
    os.mkfifo(photos / "pipe.png")
    shutil.copy(paint("1.png", 2), photos / f"{'x' * 251}.png")

    report = import_pictures(gallery, [photos])

    assert counts(report) == {"added": 2, "rejected": 3} or counts(report) == {
        "added": 1,
        "copied": 1,
        "rejected": 3,
    }
    assert {Path(r.path).name: r.reason for r in report.rejected} == {
        "0.png": "not-found",
        "circle.png": "unreadable",
        "pipe.png": "not-a-file",
    }


def test_a_tree_of_a_thousand_levels_is_walked(tmp_path: Path) -> None:
    folder = str(tmp_path)
    for _ in range(1000):
        folder += "/d"
        os.mkdir(folder)
    Path(folder, "deep.jpg").touch()

    found = [path.name for path in find_pictures(tmp_path)]

    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)  # too deep for Python's own
    assert found == ["deep.jpg"]


def test_files_of_the_same_bytes_ask_for_their_twins_once(
    gallery: Gallery, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = paint("0.png", 1)
    import_pictures(gallery, [first])
    for number in range(1, 300):
        shutil.copy(first, first.with_name(f"{number}.png"))
    asked: list[int | None] = []
    original = Reader.by_sha256

    def by_sha256(self: Reader, sha256: bytes, limit: int | None = None) -> list:
        asked.append(limit)
        return original(self, sha256, limit)

    monkeypatch.setattr(Reader, "by_sha256", by_sha256)

    assert counts(import_pictures(gallery, [first.parent])) == {"copied": 299, "unchanged": 1}
    assert asked.count(None) == 1  # all of them once, else only whether there is one
