"""Copies that differ from their original in ways that a person can check."""

import numpy as np
import pytest

from kkcv.images.disturb import (
    DISTURBANCES,
    brightened,
    compressed,
    cropped,
    grey,
    mirrored,
    shrunk,
    tinted,
    turned,
)
from kkcv.images.disturb import Disturbance as Way

RED, GREEN, BLUE, WHITE = (200, 0, 0), (0, 200, 0), (0, 0, 200), (255, 255, 255)
FOUR = np.repeat(np.repeat(np.array([[RED, GREEN], [BLUE, WHITE]], np.uint8), 40, 0), 60, 1)


def fields(pixels: np.ndarray) -> list[list[tuple[int, ...]]]:
    """The colors in the middle of the four fields."""
    height, width = pixels.shape[:2]
    return [
        [tuple(pixels[y, x].tolist()) for x in (width // 4, width * 3 // 4)]
        for y in (height // 4, height * 3 // 4)
    ]


def made(change: object) -> np.ndarray:
    return Way("", "", change)(FOUR)


def test_a_quarter_turn_is_clockwise_and_loses_nothing() -> None:
    copy = made(turned(90))

    assert copy.shape == (120, 80, 3)
    assert fields(copy) == [[BLUE, RED], [WHITE, GREEN]]


def test_a_small_turn_leaves_white_corners() -> None:
    copy = made(turned(15))

    assert copy.shape[0] > 80
    assert tuple(copy[0, 0]) == WHITE


def test_a_mirror_exchanges_left_and_right() -> None:
    assert fields(made(mirrored)) == [[GREEN, RED], [WHITE, BLUE]]


def test_a_crop_keeps_its_share_of_each_side() -> None:
    copy = made(cropped(0.5))

    assert copy.shape == (40, 60, 3)
    assert (copy == WHITE).all()


def test_colors_change_as_said() -> None:
    assert fields(made(brightened(0.5)))[0][0] == (100, 0, 0)
    assert fields(made(tinted(120)))[0][0][1] > 190  # red has become green
    assert np.ptp(made(grey), axis=2).max() == 0


def test_the_longest_side_is_shrunk_and_never_enlarged() -> None:
    assert made(shrunk(30)).shape == (20, 30, 3)
    assert made(shrunk(500)).shape == FOUR.shape


def test_a_lower_quality_is_further_from_the_original() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)

    off = [
        np.abs(Way("", "", compressed(q))(noise).astype(int) - noise).mean() for q in (95, 50, 5)
    ]

    assert off == sorted(off)


@pytest.mark.parametrize("way", DISTURBANCES, ids=lambda way: f"{way.name} {way.strength}")
def test_every_disturbance_bears_the_smallest_picture(way: Way) -> None:
    assert way(np.zeros((1, 1, 3), np.uint8)).shape[2] == 3
