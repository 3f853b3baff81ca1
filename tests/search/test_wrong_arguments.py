"""What is no id, no address and no option: the library says what is taken, in its own errors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kkcv.errors import KkcvError, RequestError, UnknownPicture
from kkcv.search.gallery import Gallery

Paint = Callable[..., Path]


@pytest.mark.parametrize("id", [0, -1, 2**63, 10**30])
def test_an_id_that_no_picture_can_have_is_unknown(gallery: Gallery, id: int) -> None:
    ask: list[Callable[[], Any]] = [
        lambda: gallery.get(id),
        lambda: gallery.search(id),
        lambda: gallery.search_id(id),
        lambda: gallery.describe(id, {}),
        lambda: gallery.replace(id, b""),
    ]
    for each in ask:
        with pytest.raises(UnknownPicture, match=f"no picture with id {id}"):
            each()
    assert gallery.remove([id]) == []


@pytest.mark.parametrize("text", ["9" * 30, "id:" + "9" * 5000, "٣"])
def test_text_that_is_no_id_finds_nothing(gallery: Gallery, paint: Paint, text: str) -> None:
    for n in range(3):
        gallery.add(paint(f"{n}.png", n))

    with pytest.raises(UnknownPicture):
        gallery.find(text)


def test_numbers_of_numpy_are_ids_and_truth_is_none(gallery: Gallery, paint: Paint) -> None:
    first, second = (gallery.add(paint(f"{n}.png", n)).id for n in range(2))

    assert [hit.id for hit in gallery.search(np.int64(first))] == [second]
    with pytest.raises(RequestError, match="an id is a whole number, such as 17, got True"):
        gallery.search(True)
    assert gallery.remove(np.array([first])) == [first]


@pytest.mark.parametrize("ids", [5, "x", b"x", [None], ["1"], [True]])
def test_what_are_no_ids_are_not_removed(gallery: Gallery, ids: Any) -> None:
    with pytest.raises(RequestError, match="whole number"):
        gallery.remove(ids)


@pytest.mark.parametrize("address", [None, 1, b"x"])
def test_what_is_no_address_is_refused(address: Any) -> None:
    with pytest.raises(RequestError, match="a gallery is at a folder or an address"):
        Gallery.open(address)


@pytest.mark.parametrize("words", [{"zz": 1}, {"options": {"where": "a"}}, {"where": 5}])
def test_an_option_that_is_none_is_named(
    gallery: Gallery, paint: Paint, words: dict[str, Any]
) -> None:
    picture = paint("a.png")
    gallery.add(picture)

    with pytest.raises(
        KkcvError, match=r"no option 'zz'; there are: where|options are|a filter is"
    ):
        gallery.search(picture, **words)
