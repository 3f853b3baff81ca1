"""Folders into a gallery: only what is new is embedded, and no file stops the rest."""

import csv
import hashlib
import os
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kkcv.errors import PictureError
from kkcv.search.folder.catalog import Catalog
from kkcv.search.gallery import Gallery
from kkcv.search.importing import ImportReport, import_pictures

Paint = Callable[..., Path]


@pytest.fixture
def photos(paint: Paint) -> Path:
    """Three pictures, one of them in a folder below."""
    for seed, name in enumerate(("a.png", "b.png", "below/c.png")):
        paint(name, seed)
    return paint("a.png", 0).parent


def counts(report: ImportReport) -> dict[str, int]:
    kinds = ("added", "replaced", "moved", "copied", "unchanged")
    found = {kind: getattr(report, kind) for kind in kinds} | {"rejected": len(report.rejected)}
    return {kind: count for kind, count in found.items() if count}


def test_a_folder_comes_in_with_all_below_it(gallery: Gallery, photos: Path) -> None:
    report = import_pictures(gallery, [photos])

    assert counts(report) == {"added": 3}
    hit = gallery.search(photos / "below/c.png", k=1)[0]
    assert hit.path == str(photos / "below/c.png")


def test_what_did_not_change_is_not_embedded_again(gallery: Gallery, photos: Path) -> None:
    import_pictures(gallery, [photos])
    embedded = gallery.embedder.runtime.run
    gallery.embedder.runtime.run = pytest.fail  # type: ignore[method-assign]

    report = import_pictures(gallery, [photos])

    gallery.embedder.runtime.run = embedded  # type: ignore[method-assign]
    assert counts(report) == {"unchanged": 3}


def test_a_moved_file_keeps_its_id_and_metadata(gallery: Gallery, photos: Path) -> None:
    import_pictures(gallery, [photos])
    picture = gallery.find(str(photos / "a.png"))
    with gallery.catalog.writing() as writer:
        writer.update(picture.id, metadata={"who": "me"})
    (photos / "a.png").rename(photos / "below/renamed.png")

    report = import_pictures(gallery, [photos])

    assert counts(report) == {"moved": 1, "unchanged": 2}
    moved = gallery.find(str(photos / "below/renamed.png"))
    assert (moved.id, moved.metadata) == (picture.id, {"who": "me"})


def test_a_copied_file_is_a_picture_of_its_own(gallery: Gallery, photos: Path) -> None:
    import_pictures(gallery, [photos])
    shutil.copy(photos / "a.png", photos / "copy.png")

    report = import_pictures(gallery, [photos])

    assert counts(report) == {"copied": 1, "unchanged": 3}
    hits = gallery.search(photos / "a.png", k=2)
    assert {Path(hit.path).name for hit in hits} == {"a.png", "copy.png"}


def test_a_changed_file_is_embedded_again_under_its_id(
    gallery: Gallery, photos: Path, paint: Paint
) -> None:
    import_pictures(gallery, [photos])
    id = gallery.find(str(photos / "a.png")).id
    paint("a.png", 50)

    report = import_pictures(gallery, [photos])

    assert counts(report) == {"replaced": 1, "unchanged": 2}
    hit = gallery.search(paint("elsewhere.png", 50), k=1)[0]
    assert hit.id == id
    assert hit.score == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("swapped", [2, 3])
def test_files_may_swap_their_names(gallery: Gallery, photos: Path, swapped: int) -> None:
    """Metadata stay with their photograph, also where three names go round."""
    files = sorted(photos.rglob("*.png"))[:swapped]
    import_pictures(gallery, [photos])
    for picture in list(gallery.pictures()):
        gallery.describe(picture.id, {"sha256": picture.file.sha256.hex()})
    files[0].rename(photos / "between")
    for free, file in pairwise(files):
        file.rename(free)
    (photos / "between").rename(files[-1])

    report = import_pictures(gallery, [photos])

    assert (report.moved, report.files) == (swapped, 3)
    for file in photos.rglob("*.png"):
        picture, data = gallery.find(str(file)), file.read_bytes()
        assert gallery.read(picture) == data
        assert picture.metadata["sha256"] == hashlib.sha256(data).hexdigest()
        assert gallery.search(file, k=1)[0].path == str(file)
    assert counts(import_pictures(gallery, [photos])) == {"unchanged": 3}


def test_files_may_take_the_names_of_those_before_them(gallery: Gallery, photos: Path) -> None:
    """As when one is deleted and the rest are numbered again: each keeps its metadata."""
    files = sorted(photos.rglob("*.png"))
    import_pictures(gallery, [photos])
    for picture in list(gallery.pictures()):
        gallery.describe(picture.id, {"sha256": picture.file.sha256.hex()})
    deleted = gallery.find(str(files[0]))
    for free, file in pairwise(files):
        file.rename(free)

    report = import_pictures(gallery, [photos])

    assert (report.moved, report.files) == (2, 2)
    for file in files[:-1]:
        picture, data = gallery.find(str(file)), file.read_bytes()
        assert gallery.read(picture) == data
        assert picture.metadata["sha256"] == hashlib.sha256(data).hexdigest()
    left = gallery.get(deleted.id)
    assert (gallery.path(left), left.metadata) == (files[-1], deleted.metadata)
    assert counts(import_pictures(gallery, [photos])) == {"unchanged": 2}


@pytest.mark.parametrize("name", ["0.png", "z.png", "below/z.png"])
def test_a_renamed_file_whose_name_another_took_keeps_its_metadata(
    gallery: Gallery, photos: Path, name: str
) -> None:
    first, second, *_ = sorted(photos.rglob("*.png"))
    import_pictures(gallery, [photos])
    renamed, taking = gallery.find(str(second)), gallery.find(str(first))
    (photos / name).parent.mkdir(exist_ok=True)
    second.rename(photos / name)
    first.rename(second)

    report = import_pictures(gallery, [photos])

    assert (report.moved, report.files) == (2, 3)
    assert gallery.find(str(photos / name)).id == renamed.id
    assert gallery.find(str(second)).id == taking.id
    assert counts(import_pictures(gallery, [photos])) == {"unchanged": 3}
    assert len(gallery) == 3


def test_a_copy_kept_of_a_file_before_it_is_written_over_is_a_new_picture(
    gallery: Gallery, photos: Path, paint: Paint
) -> None:
    import_pictures(gallery, [photos])
    id = gallery.find(str(photos / "a.png")).id
    shutil.copy(photos / "a.png", photos / "a_original.png")
    paint("a.png", 50)

    report = import_pictures(gallery, [photos])

    assert counts(report)["replaced"] == 1
    assert gallery.find(str(photos / "a.png")).id == id
    assert gallery.find(str(photos / "a_original.png")).id != id


def test_a_file_and_a_folder_beside_it_make_no_new_root(
    gallery: Gallery, photos: Path, paint: Paint
) -> None:
    import_pictures(gallery, [photos])
    roots = list(gallery.library.roots)

    paint("d.png", 7)
    paint("below/e.png", 8)
    import_pictures(gallery, [photos / "d.png", photos / "below/e.png"])

    assert list(gallery.library.roots) == roots
    assert len(gallery) == 5


def test_a_touched_file_is_not_a_changed_one(gallery: Gallery, photos: Path) -> None:
    import_pictures(gallery, [photos])
    os.utime(photos / "a.png", (1, 1))

    assert counts(import_pictures(gallery, [photos])) == {"unchanged": 3}


def test_two_files_of_the_same_bytes_are_both_found(
    gallery: Gallery, photos: Path, paint: Paint
) -> None:
    paint("twin.png", 0)

    import_pictures(gallery, [photos])

    names = {Path(hit.path).name for hit in gallery.search(photos / "a.png", k=2)}
    assert names == {"a.png", "twin.png"}


def test_a_bad_file_is_skipped_and_listed_with_its_reason(gallery: Gallery, photos: Path) -> None:
    (photos / "broken.jpg").write_bytes(b"not a picture")
    (photos / "empty.png").touch()

    report = import_pictures(gallery, [photos])

    assert counts(report) == {"added": 3, "rejected": 2}
    with (gallery.folder / "rejects.csv").open(newline="", encoding="utf-8") as file:
        listed = {Path(row["path"]).name: row["reason"] for row in csv.DictReader(file)}
    assert listed == {"broken.jpg": "not-an-image", "empty.png": "empty"}
    assert all(reject.message.startswith(str(photos)) for reject in report.rejected)


def test_the_list_of_rejects_goes_when_they_are_mended(gallery: Gallery, photos: Path) -> None:
    (photos / "empty.png").touch()
    import_pictures(gallery, [photos])
    (photos / "empty.png").unlink()

    import_pictures(gallery, [photos])

    assert not (gallery.folder / "rejects.csv").exists()


def test_pictures_that_the_gallery_itself_stores_are_not_imported(
    gallery: Gallery, paint: Paint
) -> None:
    gallery.add(paint("a.png", 1))

    assert counts(import_pictures(gallery, [gallery.folder])) == {}


def test_a_path_that_does_not_exist_is_an_error(gallery: Gallery, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="there is no"):
        import_pictures(gallery, [tmp_path / "nowhere"])


def test_an_interrupted_import_keeps_what_it_committed_and_goes_on(
    gallery: Gallery, photos: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Catalog, "batch", 4)
    for seed in range(10, 20):
        paint(f"{seed}.png", seed)

    def interrupt(report: ImportReport) -> None:
        if report.files >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_pictures(gallery, [photos], progress=interrupt)
    assert len(gallery) == 8

    assert counts(import_pictures(gallery, [photos])) == {"added": 5, "unchanged": 8}


def test_names_that_are_not_utf8_are_names_as_others(gallery: Gallery, photos: Path) -> None:
    folder = os.fsencode(photos) + b"/\xc0lbum"
    os.mkdir(folder)
    odd = folder + b"/caf\xe9.png"
    shutil.move(photos / "a.png", odd)

    assert counts(import_pictures(gallery, [photos])) == {"added": 3}
    assert counts(import_pictures(gallery, [photos])) == {"unchanged": 3}

    hit = gallery.search(os.fsdecode(odd), 1)[0]
    assert (os.fsencode(hit.path), hit.missing) == (odd, False)
    assert gallery.find(os.fsdecode(odd)).id == hit.id
    assert gallery.read(gallery[hit.id]) == Path(hit.path).read_bytes()

    os.rename(folder, folder + b"\xff")
    assert counts(import_pictures(gallery, [photos])) == {"moved": 1, "unchanged": 2}
    assert os.fsencode(gallery.path(gallery[hit.id])) == folder + b"\xff/caf\xe9.png"


def test_reading_all_again_fills_in_what_an_older_kkcv_did_not_make(
    gallery: Gallery, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exif = Image.Exif()
    exif[0x0110] = "D90"
    fields = np.random.default_rng(0).integers(0, 256, (4, 16, 3), np.uint8)
    strip = Image.fromarray(fields).resize((256, 64), Image.Resampling.NEAREST)
    strip.save(photos / "panorama.jpg", exif=exif)
    with monkeypatch.context() as older:
        older.setattr("kkcv.embedding.panoramas.MOST", 1)
        older.setattr("kkcv.search.importing.looking.exif_of", lambda data: {})
        import_pictures(gallery, [photos])
    picture = gallery.find(str(photos / "panorama.jpg"))
    gallery.describe(picture.id, {"label": "view"})

    assert import_pictures(gallery, [photos], rehash=True).unchanged == 4

    metadata = gallery.get(picture.id).metadata
    assert (metadata["label"], metadata["exif"]["camera"]) == ("view", "D90")
    assert gallery.search(photos / "panorama.jpg", 1)[0].score == pytest.approx(1, abs=1e-3)
