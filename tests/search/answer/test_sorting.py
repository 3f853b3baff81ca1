"""Hits by date: inside of a cut-off all of them, else the nearest k; newest first."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kkcv.errors import RequestError
from kkcv.search.gallery import Gallery
from kkcv.search.picture import PictureFile


@pytest.fixture
def filled(gallery: Gallery) -> Gallery:
    """Forty vectors, each farther from the query; some have been taken, in no order."""
    days = np.random.default_rng(0).permutation(40)
    with gallery.catalog.writing() as writer:
        for n, day in enumerate(days.tolist()):
            vector = np.zeros(48, np.float32)
            vector[:2] = np.cos(n / 40), np.sin(n / 40)
            taken = {"exif": {"taken": f"2024-{day // 28 + 1:02}-{day % 28 + 1:02}T00:00:00"}}
            file = PictureFile(f"/{n}.png", False, n.to_bytes(32, "big"), 1, 1)
            writer.add(file, vector, taken if n % 4 else {}, 1000.0 - day)
    return gallery


QUERY = np.eye(48, dtype=np.float32)[0]


def test_the_nearest_hits_are_sorted_by_date(filled: Gallery) -> None:
    nearest = filled.search_vector(QUERY, 10)

    by_added = filled.search_vector(QUERY, 10, sort="added")
    by_taken = filled.search_vector(QUERY, 10, sort="taken")

    assert by_added == sorted(nearest, key=lambda hit: -filled.get(hit.id).added_seconds)
    dated = [hit for hit in nearest if hit.metadata]
    assert by_taken[: len(dated)] == sorted(
        dated, key=lambda hit: hit.metadata["exif"]["taken"], reverse=True
    )
    assert by_taken[len(dated) :] == [hit for hit in nearest if not hit.metadata]


def test_inside_of_a_cut_off_all_hits_are_sorted(filled: Gallery) -> None:
    inside = filled.search_vector(QUERY, 1000, min_score=0.8)
    assert 10 < len(inside) < 40

    newest = filled.search_vector(QUERY, 3, min_score=0.8, sort="added")

    assert newest == sorted(inside, key=lambda hit: -filled.get(hit.id).added_seconds)[:3]


def test_a_photograph_of_the_shell_is_sorted_and_filtered(
    gallery: Gallery, tmp_path: Path, paint: Callable[..., Path]
) -> None:
    for n, year in enumerate((2021, 2024, 2019)):
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = f"{year}:01:02 03:04:05"
        file = tmp_path / f"{year}.jpg"
        Image.open(paint(f"{n}.png", n)).save(file, exif=exif)
        gallery.add(file, {"label": "cat"})

    hits = gallery.search(paint("0.png", 0), sort="taken")

    assert [hit.metadata["exif"]["taken"][:4] for hit in hits] == ["2024", "2021", "2019"]
    assert gallery.count('exif.taken >= "2021" and exif.taken < "2024"') == 1


def test_another_order_is_refused(gallery: Gallery) -> None:
    with pytest.raises(RequestError, match="no sort 'size'; there are: added, taken"):
        gallery.search_vector(QUERY, sort="size")


def test_exif_follows_the_bytes_and_spares_what_people_said(
    gallery: Gallery, tmp_path: Path, paint: Callable[..., Path]
) -> None:
    exif = Image.Exif()
    exif[0x0110] = "Box"
    Image.open(paint("a.png", 0)).save(tmp_path / "a.jpg", exif=exif)
    id = gallery.add(tmp_path / "a.jpg", {"label": "cat"}).id
    told = {"camera": "Box", "width": 64, "height": 64}
    assert gallery.get(id).metadata == {"label": "cat", "exif": told}

    assert gallery.replace(id, paint("b.png", 1)).metadata == {"label": "cat"}
    assert gallery.replace(id, tmp_path / "a.jpg", {"n": 1}).metadata == {"n": 1, "exif": told}
    assert gallery.describe(id, {"exif": {}}).metadata == {"exif": {}}
