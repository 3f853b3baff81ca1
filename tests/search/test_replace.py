"""Another picture under the same id."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kkcv.errors import AlreadyThere, PictureError, UnknownPicture
from kkcv.search.gallery import Gallery

Paint = Callable[..., Path]


def files(gallery: Gallery) -> int:
    return len([p for p in (gallery.folder / "pictures").rglob("*") if p.is_file()])


def test_the_new_picture_is_found_in_place_of_the_old(gallery: Gallery, paint: Paint) -> None:
    old, new = paint("red.png", 1).read_bytes(), paint("blue.png", 2).read_bytes()
    id = gallery.add(old, {"title": "red"}).id

    replaced = gallery.replace(id, new)

    assert replaced.metadata == {"title": "red"}
    assert gallery.search(new, k=1)[0].score == pytest.approx(1, abs=1e-3)
    assert gallery.search(old, k=1)[0].score < 0.99
    assert gallery.read(replaced) == new
    assert (len(gallery), files(gallery)) == (1, 1)


def test_metadata_comes_with_it_when_there_is_some(gallery: Gallery, paint: Paint) -> None:
    red = paint("red.png", 1)
    id = gallery.add(red, {"title": "red"}).id

    same = gallery.replace(id, red, {"title": "crimson"})

    assert same.metadata == {"title": "crimson"}
    assert files(gallery) == 1


def test_a_file_outside_of_the_gallery_is_left_alone(gallery: Gallery, paint: Paint) -> None:
    from kkcv.search.importing import import_pictures

    red = paint("red.png", 1)
    import_pictures(gallery, [red])
    id = next(gallery.pictures()).id

    gallery.replace(id, paint("blue.png", 2).read_bytes())

    assert red.exists()
    assert files(gallery) == 1


def test_what_cannot_replace_it_changes_nothing(gallery: Gallery, paint: Paint) -> None:
    red, blue = paint("red.png", 1), paint("blue.png", 2)
    first, second = gallery.add(red).id, gallery.add(blue).id

    with pytest.raises(AlreadyThere, match=f"the gallery has this picture, with id {second}"):
        gallery.replace(first, blue)
    with pytest.raises(PictureError):
        gallery.replace(first, b"no picture")
    with pytest.raises(UnknownPicture, match="no picture with id 99"):
        gallery.replace(99, paint("green.png", 3))

    assert gallery.search(red, k=1)[0].id == first
    assert (len(gallery), files(gallery)) == (2, 2)
