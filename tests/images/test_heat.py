"""Heat maps over pictures."""

import numpy as np

from kkcv.images.heat import SIDE, WHOLE, merged, overlaid, side_by_side
from kkcv.images.preprocess import Preprocess

GREY = np.full((60, 120, 3), 128, np.uint8)


def test_the_hottest_place_is_the_brightest_and_the_unseen_is_dark() -> None:
    heat = np.zeros((3, 3))
    heat[0, 2] = 2.5

    drawn = overlaid(GREY, heat, (0.25, 0, 0.5, 1))

    brightness = drawn.astype(int).sum(2)
    assert drawn.shape == GREY.shape
    assert np.unravel_index(brightness.argmax(), brightness.shape) >= (0, 70)
    assert brightness[:20, 70:90].mean() > 1.2 * brightness[40:, 30:50].mean()
    assert (drawn[:, :30] == round(128 * 0.35)).all()
    assert (drawn[:, 90:] == round(128 * 0.35)).all()


def test_a_map_without_heat_is_cold_everywhere() -> None:
    drawn = overlaid(GREY, np.zeros((7, 7)))

    assert (drawn == drawn[0, 0]).all()


def test_heats_of_two_views_are_averaged_each_at_its_place() -> None:
    center, whole = np.full((2, 2), 4.0), np.full((2, 2), 1.0)

    heat = merged(np.stack([center, whole]), [(0.25, 0, 0.5, 1), WHOLE], 10, 20)

    assert (heat[:, :5] == 0.5).all()
    assert (heat[:, 5:15] == 2.5).all()
    assert (heat[:, 15:] == 0.5).all()


def test_a_line_joins_the_points_that_match() -> None:
    square = np.full((100, 100, 3), 255, np.uint8)

    plain = side_by_side(square, square)
    joined = side_by_side(square, square, matches=[((0.5, 0.5), (0.5, 0.5))])

    changed = np.argwhere((plain != joined).any(2))
    (top, left), (bottom, right) = changed.min(0), changed.max(0)
    assert bottom - top <= 8  # a level line with a ring at each end
    assert right - left >= SIDE


def test_what_is_seen_is_the_window_of_the_crop() -> None:
    spec = Preprocess((224, 224), 256, "bicubic", (0.5,) * 3, (0.5,) * 3)
    pixels = np.zeros((256, 512, 3), np.uint8)
    left, top, width, height = spec.seen(256, 512)
    columns = slice(round(left * 512), round((left + width) * 512))
    rows = slice(round(top * 256), round((top + height) * 256))

    pixels[rows, columns] = 255

    assert spec.crop(pixels).min() > 250
    assert pixels.mean() == 255 * 224 * 224 / (256 * 512)


def test_of_a_strip_the_middle_is_seen() -> None:
    spec = Preprocess((224, 224), 224, "bicubic", (0.5,) * 3, (0.5,) * 3)

    left, top, width, height = spec.seen(10, 1000)

    assert (top, height) == (0, 1)
    assert left + width / 2 == 0.5
    assert round(width * 1000) == 10
