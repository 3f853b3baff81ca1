"""Groups of duplicates, on real near duplicates."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from kkcv.search.duplicates import UnionFind, duplicates, summary_of
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures

Paint = Callable[..., Path]


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


def test_groups_grow_together_whatever_the_order() -> None:
    groups = UnionFind()
    for a, b, score in ((5, 6, 0.99), (1, 2, 0.97), (2, 5, 0.96), (8, 9, 1.0)):
        groups.join(a, b, score)

    found = {frozenset(ids): score for ids, score in groups.all()}

    assert found == {frozenset({1, 2, 5, 6}): 0.96, frozenset({8, 9}): 1.0}


@pytest.mark.parametrize("count", [0, 1])
def test_a_gallery_of_one_or_none_has_no_duplicates(
    gallery: Gallery, paint: Paint, count: int
) -> None:
    for n in range(count):
        gallery.add(paint(f"{n}.png", n))

    assert duplicates(gallery) == []
