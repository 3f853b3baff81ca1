"""Groups of duplicates, on real near duplicates."""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from kkcv.embedding.embedder import Embedder
from kkcv.errors import RequestError
from kkcv.search.duplicates import duplicates, forget_decisions, keep_both, summary_of
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures

Paint = Callable[..., Path]
WORDS = [
    "alpha",
    "bravo",
    "charlie",
    "delta",
    "echo",
    "foxtrot",
    "golf",
    "hotel",
    "india",
    "juliet",
    "kilo",
    "lima",
]


def names_of(gallery: Gallery, **options: object) -> list[set[str]]:
    return [{Path(p.file.path).name for p in g.pictures} for g in duplicates(gallery, **options)]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gallery]:
    """An empty gallery of the default network."""
    with Gallery.create(tmp_path_factory.mktemp("real") / "gallery") as made:
        yield made


@pytest.fixture
def empty(real: Gallery) -> Gallery:
    real.remove([picture.id for picture in real.pictures()])
    forget_decisions(real)
    return real


def test_pages_of_text_and_logos_of_white_are_different_pictures(
    empty: Gallery, tmp_path: Path
) -> None:
    """To the network each kind is one picture: they score 0.95 and more."""
    chosen = random.Random(1)
    for n in range(6):
        page = Image.new("RGB", (827, 1169), "white")
        for y in range(80, 1080, 28):
            line = " ".join(chosen.choices(WORDS, k=9))
            ImageDraw.Draw(page).text((70, y), line, "black", ImageFont.load_default(16))
        page.save(tmp_path / f"page{n}.png")
        logo = Image.new("RGBA", (400, 400), (255, 255, 255, 0))
        ImageDraw.Draw(logo).text((100, 50), "ABCDEF"[n], "white", ImageFont.load_default(280))
        logo.save(tmp_path / f"logo{n}.png")
    Image.open(tmp_path / "page0.png").save(tmp_path / "again.jpg", quality=60)
    Image.open(tmp_path / "logo0.png").resize((300, 300)).save(tmp_path / "small.png")
    import_pictures(empty, [tmp_path])

    assert sorted(map(sorted, names_of(empty))) == [
        ["again.jpg", "page0.png"],
        ["logo0.png", "small.png"],
    ]


def test_resized_copies_are_found_and_nothing_else(empty: Gallery, pictures: Path) -> None:
    import_pictures(empty, [pictures / "near_dup_caltech"])

    groups = duplicates(empty, min_score=0.85)

    kinds = [{Path(p.file.path).parent.name for p in group.pictures} for group in groups]
    assert all(len(kind) == 1 for kind in kinds)
    assert len(groups) == 17
    assert sum(len(group.pictures) for group in groups) == len(empty)


def test_changed_copies_are_found_where_they_are_asked_for_and_other_photographs_are_none(
    empty: Gallery, pictures: Path, tmp_path: Path
) -> None:
    """Of each shelf there are two photographs, which share as many points as a crop does."""
    changes: dict[str, Callable[[Image.Image], Image.Image]] = {
        "turned by 90": lambda p: p.transpose(Image.Transpose.ROTATE_270),
        "turned by 180": lambda p: p.transpose(Image.Transpose.ROTATE_180),
        "mirrored": ImageOps.mirror,
        "other colors": lambda p: p.convert("L"),
        "a part": lambda p: p.crop((p.width // 5, p.height // 5, p.width, p.height)),
        "with more around it": lambda p: ImageOps.expand(p, p.width // 4, "white"),
        "mirrored, with more around it": lambda p: ImageOps.expand(
            ImageOps.mirror(p), p.width // 4, "white"
        ),
        "a mirrored part": lambda p: ImageOps.mirror(p.crop((20, 20, p.width, p.height))),
    }
    produce = pictures / "produce"
    shelves = [
        *(produce / f"Aubergine/Aubergine_{number}.jpg" for number in ("011", "019")),
        *(produce / f"Cabbage/Cabbage_{number}.jpg" for number in ("012", "018")),
        *(produce / f"Asparagus/Asparagus_{number}.jpg" for number in ("001", "010")),
    ]
    import_pictures(empty, shelves)
    with Image.open(shelves[0]) as photo:
        for how, change in changes.items():
            change(photo).save(tmp_path / f"{how}.jpg", quality=80)
    import_pictures(empty, [tmp_path])

    (group,) = duplicates(empty, copies=True)

    oldest, *copies = (Path(picture.file.path) for picture in group.pictures)
    assert oldest == shelves[0]
    assert list(group.how) == [copy.stem for copy in copies]
    assert set(group.how) == set(changes)
    assert not group.exact


def test_the_oldest_file_is_the_first_whichever_was_indexed_first(
    gallery: Gallery, paint: Paint
) -> None:
    original, copy = paint("original.png", 0), paint("a_copy.png", 0)
    with Image.open(original) as picture:
        picture.convert("RGB").save(copy.with_name("b_saved_again.jpg"), quality=60)
    os.utime(original, (1e9, 1e9))
    gallery.add(copy)
    import_pictures(gallery, [original.parent])

    (group,) = duplicates(gallery)

    assert Path(group.pictures[0].file.path) == original
    assert set(group.how) == {"the same bytes", "the same"}


def test_a_crop_is_found_by_the_parts_of_its_original_also_where_the_crop_is_older(
    pictures: Path, tmp_path: Path
) -> None:
    names = "n02097474_Tibetan_terrier", "n02860847_bobsled", "n02417914_ibex"
    photographs = [pictures / "imagenet_sample_300" / f"{name}.JPEG" for name in names]
    for path in photographs[:2]:
        with Image.open(path) as photograph:
            half = photograph.width // 2, photograph.height // 2
            photograph.crop((0, 0, *half)).save(tmp_path / path.name)
    os.utime(tmp_path / photographs[1].name, (1e9, 1e9))
    embedder = Embedder.load("efficientnet_lite0+parts")
    with Gallery.create(tmp_path / "gallery", embedder) as with_parts:
        import_pictures(with_parts, [*photographs, tmp_path])

        groups = duplicates(with_parts, copies=True)

    assert [[Path(p.file.path) for p in group.pictures] for group in groups] == [
        [photographs[0], tmp_path / photographs[0].name],
        [tmp_path / photographs[1].name, photographs[1]],
    ]


def test_no_chain_of_small_steps_joins_different_pictures(gallery: Gallery, tmp_path: Path) -> None:
    """Each is nearly the one before it, and the last is not the first."""
    first, last = (np.random.default_rng(n).integers(0, 256, (32, 32, 3)) for n in (1, 2))
    for step in range(8):
        mixed = (first * (1 - step / 7) + last * step / 7).astype(np.uint8)
        Image.fromarray(mixed).resize((256, 256)).save(tmp_path / f"{step}.png")
        gallery.add(tmp_path / f"{step}.png", {"step": step})

    groups = duplicates(gallery, min_score=0.0)

    for group in groups:
        steps = [picture.metadata["step"] for picture in group.pictures]
        assert max(steps) - min(steps) <= 4


def test_what_is_kept_does_not_come_back(gallery: Gallery, paint: Paint) -> None:
    photos = paint("0.png", 0).parent
    shutil.copy(photos / "0.png", photos / "copy.png")
    with Image.open(photos / "0.png") as picture:
        picture.convert("RGB").save(photos / "again.jpg", quality=60)
    import_pictures(gallery, [photos])
    assert names_of(gallery) == [{"0.png", "copy.png", "again.jpg"}]

    keep_both(gallery, [p.id for p in gallery.pictures()])
    assert names_of(gallery) == []

    with Gallery.open(gallery.folder, gallery.embedder) as again:
        assert names_of(again) == []
        again.remove([p.id for p in again.pictures()])
        import_pictures(again, [photos])  # under other ids
        assert names_of(again) == []
        assert forget_decisions(again) == 1
        assert len(names_of(again)) == 1


def test_one_picture_alone_cannot_be_both(gallery: Gallery, paint: Paint) -> None:
    id = gallery.add(paint("0.png", 0)).id

    with pytest.raises(RequestError, match="at least two pictures"):
        keep_both(gallery, [id, id])


def test_a_picture_that_cannot_be_read_is_told_of(gallery: Gallery, paint: Paint) -> None:
    photos = paint("0.png", 0).parent
    with Image.open(photos / "0.png") as picture:
        picture.convert("RGB").save(photos / "again.jpg", quality=60)
    import_pictures(gallery, [photos])
    (photos / "again.jpg").unlink()
    told: list[int] = []

    assert duplicates(gallery, unread=told.append) == []
    assert told == [1]


def test_copies_and_nearly_the_same_are_grouped_and_others_left_alone(
    gallery: Gallery, paint: Paint
) -> None:
    for n in range(6):
        paint(f"{n}.png", n)
    photos = paint("0.png", 0).parent
    shutil.copy(photos / "1.png", photos / "copy.png")
    with Image.open(photos / "2.png") as picture:
        picture.convert("RGB").save(photos / "again.jpg", quality=60)
    import_pictures(gallery, [photos])

    groups = duplicates(gallery, min_score=0.95)

    found = {frozenset(Path(p.file.path).name for p in g.pictures): g.exact for g in groups}
    assert found == {
        frozenset({"1.png", "copy.png"}): True,
        frozenset({"2.png", "again.jpg"}): False,
    }
    assert all(group.similarity >= 0.95 for group in groups)
    assert summary_of(groups) == {
        "exact_groups": 1,
        "near_groups": 1,
        "spare_pictures": 2,
        "spare_bytes": sum(p.file.bytes for g in groups for p in g.pictures[1:]),
    }


@pytest.mark.parametrize("count", [0, 1])
def test_a_gallery_of_one_or_none_has_no_duplicates(
    gallery: Gallery, paint: Paint, count: int
) -> None:
    for n in range(count):
        gallery.add(paint(f"{n}.png", n))

    assert duplicates(gallery) == []
