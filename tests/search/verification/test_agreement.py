"""Copies are told from other photographs of the same things, of which points alone cannot."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from kkcv.images.decode import decode
from kkcv.images.disturb import (
    Change,
    brightened,
    captioned,
    compressed,
    cropped_anywhere,
    grey,
    mirrored,
    on_a_page,
    pasted_into,
    turned,
)
from kkcv.search.verification.agreement import as_copy
from kkcv.search.verification.features import features
from kkcv.search.verification.geometry import Match, match

SHELVES = (  # photographed twice: the same things lie there, seen from another place, or
    ("Aubergine/Aubergine_019", "Aubergine/Aubergine_011"),  # a hand holds another one
    ("Asparagus/Asparagus_010", "Asparagus/Asparagus_001"),
    ("Cabbage/Cabbage_018", "Cabbage/Cabbage_012"),
    ("Mushroom-Brown-Cap-Mushroom/Brown-Cap-Mushroom_017", "Brown-Cap-Mushroom_007"),
    ("Apple-Golden-Delicious/Golden-Delicious_018", "Golden-Delicious_011"),
    ("Tomato-Vine-Tomato/Vine-Tomato_009", "Vine-Tomato_008"),
)


@pytest.fixture(scope="module")
def shelves(pictures: Path) -> list[list[np.ndarray]]:
    found = []
    for first, second in SHELVES:
        folder = pictures / "produce" / Path(first).parent
        found.append([decode(folder / f"{Path(name).name}.jpg") for name in (first, second)])
    return found


def made_of(hit: np.ndarray, query: np.ndarray) -> Match | None:
    how = match(features(query), features(hit))
    return None if how is None else as_copy(how, query, hit)


def test_another_photograph_of_a_shelf_is_no_copy(shelves: list[list[np.ndarray]]) -> None:
    for first, second in shelves:
        how = match(features(first), features(second))

        assert how is not None
        assert len(how) > 50
        assert made_of(second, first) is None


@pytest.mark.parametrize(
    "change",
    [
        cropped_anywhere(0.5),
        turned(90),
        turned(15),
        grey,
        compressed(5),
        captioned,
        on_a_page,
        lambda picture: picture.resize((300, 200)),
    ],
    ids=["crop", "turned", "aslant", "grey", "JPEG 5", "caption", "page", "squashed"],
)
def test_copies_of_the_same_shelves_are_copies(
    shelves: list[list[np.ndarray]], change: Change
) -> None:
    for first, _ in shelves:
        assert made_of(first, np.array(change(Image.fromarray(first)))) is not None


def test_what_two_screenshots_of_an_app_share_makes_none_a_copy_of_the_other(
    shelves: list[list[np.ndarray]],
) -> None:
    screens = [in_an_app(photograph) for photograph, _ in shelves]

    for first, second in pairwise(screens):
        how = match(features(first), features(second))

        assert how is not None
        assert len(how) > 20
        assert made_of(second, first) is None
    brighter = in_an_app(brightened(1.2)(Image.fromarray(shelves[0][0])))
    assert made_of(screens[0], brighter) is not None


def in_an_app(photograph: np.ndarray | Image.Image) -> np.ndarray:
    """A photograph in the middle of a screen, half of which is the same for all."""
    screen = Image.new("RGB", (400, 720), "white")
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 40, 400, 90), fill=(58, 90, 153))
    lines = [(14, 8, "09:41"), (320, 8, "5G  87%"), (14, 52, "picturebook"), (64, 110, "Jane Doe")]
    lines += [(14, 546, "Like    Comment    Share"), (14, 580, "128 people like this")]
    lines += [(14, 610, "View all comments"), (14, 640, "Tom: wonderful!"), (14, 680, "Write ...")]
    for x, y, text in lines:
        draw.text((x, y), text, (30, 30, 30), ImageFont.load_default(18))
    picture = photograph if isinstance(photograph, Image.Image) else Image.fromarray(photograph)
    screen.paste(ImageOps.fit(picture, (400, 380)), (0, 156))
    return np.array(screen)


def test_a_picture_that_was_pasted_into_a_shelf_is_copied_there(
    shelves: list[list[np.ndarray]],
) -> None:
    pasted = shelves[0][0]
    for _, shelf in shelves[1:]:
        assert made_of(
            pasted, np.array(pasted_into(Image.fromarray(shelf))(Image.fromarray(pasted)))
        )


def test_a_mirrored_crop_is_a_copy_by_its_mirrored_points(shelves: list[list[np.ndarray]]) -> None:
    for first, _ in shelves:
        flipped = np.array(mirrored(Image.fromarray(first)))[:200, :200]
        how = match(features(flipped).mirrored(), features(first))

        assert how is not None
        assert as_copy(how, np.ascontiguousarray(flipped[:, ::-1]), first) is not None


def test_the_places_of_a_copy_are_parallelograms(shelves: list[list[np.ndarray]]) -> None:
    first = shelves[0][0]
    height, width = first.shape[:2]
    quarter = np.ascontiguousarray(first[: height // 2, width // 2 :])

    copy = made_of(first, quarter)

    assert copy is not None
    np.testing.assert_allclose(copy.place, [[0.5, 0], [1, 0], [1, 0.5], [0.5, 0.5]], atol=0.01)
    np.testing.assert_allclose(copy.query_place, [[-1, 0], [1, 0], [1, 2], [-1, 2]], atol=0.02)
    a, b, c, d = copy.place
    np.testing.assert_allclose(a + c, b + d, atol=1e-5)


def test_without_its_pixels_many_points_decide(shelves: list[list[np.ndarray]]) -> None:
    first, second = shelves[5]
    itself, other = (match(features(each), features(second)) for each in (second, first))

    assert itself is not None
    assert other is not None
    assert as_copy(itself, second, None) is not None
    assert as_copy(other, first, None) is None
