"""Page by page through a gallery, and other metadata for what is in it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kkcv.errors import FileMissing, UnknownPicture
from kkcv.search.gallery import Gallery

Paint = Callable[..., Path]


@pytest.fixture
def ids(gallery: Gallery, paint: Paint) -> list[int]:
    return [gallery.add(paint(f"{seed}.png", seed)).id for seed in range(5)]


def test_pages_end_to_end_are_the_whole_gallery(gallery: Gallery, ids: list[int]) -> None:
    first = gallery.page(2)
    second = gallery.page(2, first[-1].id)
    third = gallery.page(2, second[-1].id)

    assert [p.id for p in [*first, *second, *third]] == ids
    assert len(third) == 1
    assert gallery.page(2, third[-1].id) == []


def test_the_newest_come_first_when_asked_for(gallery: Gallery, ids: list[int]) -> None:
    first = gallery.page(3, newest=True)
    second = gallery.page(3, first[-1].id, newest=True)

    assert [p.id for p in [*first, *second]] == ids[::-1]


def test_a_removed_picture_is_on_no_page_and_shifts_none(gallery: Gallery, ids: list[int]) -> None:
    first = gallery.page(2)
    gallery.remove([ids[0], ids[2]])

    assert [p.id for p in gallery.page(9, first[-1].id)] == ids[3:]


def test_other_metadata_take_the_place_of_the_old(gallery: Gallery, ids: list[int]) -> None:
    gallery.describe(ids[1], {"title": "猫", "stars": 4})
    described = gallery.describe(ids[1], {"title": "dog"})

    assert described.metadata == {"title": "dog"}
    assert gallery.get(ids[1]) == described


def test_what_is_not_there_cannot_be_described(gallery: Gallery) -> None:
    with pytest.raises(UnknownPicture, match="no picture with id 7 in"):
        gallery.describe(7, {})


def test_adding_tells_whether_the_picture_is_new(gallery: Gallery, paint: Paint) -> None:
    picture, new = gallery.find_or_add(paint("a.png", 1), {"n": 1})
    same, again = gallery.find_or_add(paint("a.png", 1).read_bytes(), {"n": 2})

    assert (new, again) == (True, False)
    assert same == picture


def test_a_file_is_read_as_it_was_indexed(gallery: Gallery, paint: Paint) -> None:
    path = paint("a.png", 1)
    picture = gallery.get(gallery.add(path).id)

    assert gallery.read(picture) == path.read_bytes()


@pytest.mark.parametrize("how", ["gone", "overwritten", "link", "folder", "pipe"])
def test_another_file_at_the_place_of_a_picture_is_never_read(
    gallery: Gallery, paint: Paint, tmp_path: Path, how: str
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("a password")
    picture = gallery.add(paint("a.png", 1))
    path = gallery.path(picture)
    path.unlink()
    {
        "gone": lambda: None,
        "overwritten": lambda: path.write_bytes(secret.read_bytes()),
        "link": lambda: path.symlink_to(secret),
        "folder": lambda: path.mkdir(),
        "pipe": lambda: os.mkfifo(path),
    }[how]()

    with pytest.raises(FileMissing, match="the file of picture 1 has gone or changed since"):
        gallery.read(picture)


def test_a_file_that_the_system_cannot_read_is_not_called_gone(
    gallery: Gallery, paint: Paint
) -> None:
    picture = gallery.add(paint("a.png", 1))
    path = gallery.path(picture)
    path.unlink()
    path.symlink_to(path)

    with pytest.raises(FileMissing, match="the file of picture 1 cannot be read now"):
        gallery.read(picture)
