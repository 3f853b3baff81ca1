"""Where a picture hangs in a photograph, and that it hangs in no other."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.scenes import backgrounds, originals, scene
from kkcv.search.verification.features import MOST, Features, features, low_frequencies
from kkcv.search.verification.geometry import FEWEST, match, pairs, plausible


def test_a_picture_is_found_where_it_hangs_and_nowhere_else(pictures: Path) -> None:
    random = np.random.default_rng(0)
    shown = originals(pictures, 5)
    scenes = [scene(s, b, random) for s, b in zip(shown, backgrounds(pictures, 5), strict=True)]
    queries = [features(each) for each in shown]
    photos = [features(photo) for photo, _ in scenes]

    found = [[match(query, photo) for photo in photos] for query in queries]

    right = [found[n][n] for n in range(5)]
    assert sum(each is not None for each in right) >= 4
    assert all(found[n][m] is None for n in range(5) for m in range(5) if n != m)
    for each, (_, place) in zip(right, scenes, strict=True):
        if each is not None:
            np.testing.assert_allclose(each.place, place, atol=0.02)
            assert len(each) >= FEWEST


def test_matches_lie_where_the_homography_puts_them(pictures: Path) -> None:
    (shown,) = originals(pictures, 1)
    height, width = shown.shape[:2]
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    half = cv2.resize(shown, (width // 2, height // 2), interpolation=cv2.INTER_AREA)

    found = match(features(shown), features(half))

    assert found is not None
    np.testing.assert_allclose(found.place, corners, atol=0.01)
    np.testing.assert_allclose(found.query, found.hit, atol=0.03)


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_picture_without_anything_on_it_matches_nothing(shade: int, pictures: Path) -> None:
    blank = features(np.full((50, 70, 3), shade, np.uint8))
    (shown,) = originals(pictures, 1)

    assert blank.points.shape == (0, 2)
    assert match(blank, features(shown)) is None
    assert match(blank, blank) is None


def test_next_to_blank_pictures_few_points_match_nothing() -> None:
    random = np.random.default_rng(0)

    def some(points: int) -> np.ndarray:
        return np.abs(random.normal(size=(points, 8))).astype(np.float32)

    for counts in ([1, 0], [0, 1, 0], [0], [2, 0, 1]):
        hits = [some(count) for count in counts]
        _, which, second = pairs(some(30), hits)
        assert all(number < counts[hit] for hit, number in zip(which, second, strict=True))


def test_pairs_are_each_others_nearest_and_clearly_so() -> None:
    """An oracle that compares one by one."""
    random = np.random.default_rng(0)
    second = random.integers(0, 60, (50, 128))
    first = np.clip(second[:30] + random.integers(-25, 26, (30, 128)), 0, 255)
    first, second = (d / np.linalg.norm(d, axis=1, keepdims=True) for d in (first, second))

    query, which, hit = (each.tolist() for each in pairs(first, [second[:0], second]))
    found = list(zip(query, hit, strict=True))

    expected = []
    for n, row in enumerate(first):
        there = np.linalg.norm(second - row, axis=1)
        best, other = np.argsort(there)[:2]
        back = np.linalg.norm(first - second[best], axis=1)
        if back.argmin() == n and there[best] < 0.9 * there[other]:
            expected.append((n, int(best)))
    assert len(expected) > 20
    assert found == expected
    assert set(which) == {1}


@pytest.mark.parametrize(
    ("place", "possible"),
    [
        ([[0, 0], [1, 0], [1, 1], [0, 1]], True),
        ([[1, 0], [0, 0], [0, 1], [1, 1]], False),  # mirrored
        ([[0, 0], [1, 1], [1, 0], [0, 1]], False),  # crossed
        ([[0, 0], [0.01, 0], [0.01, 0.01], [0, 0.01]], False),  # a speck
        ([[0, 0], [float("nan"), 0], [1, 1], [0, 1]], False),
    ],
)
def test_what_a_picture_can_look_like(place: list[list[float]], possible: bool) -> None:
    assert plausible(np.array(place, np.float32)) is possible


def test_the_low_frequencies_hold_most_of_a_descriptor(pictures: Path) -> None:
    (shown,) = originals(pictures, 1)
    here = features(shown)
    back, whole = here.low @ low_frequencies().T, here.descriptors.astype(float)
    back, whole = (d / np.linalg.norm(d, axis=1, keepdims=True) for d in (back, whole))

    np.testing.assert_allclose(np.linalg.norm(here.low, axis=1), 1, atol=1e-5)
    assert np.median((back * whole).sum(axis=1)) > 0.9


def test_no_more_features_than_are_kept(pictures: Path) -> None:
    random = np.random.default_rng(0)
    squares = np.kron(
        random.integers(0, 256, (30, 40, 3), np.uint8), np.ones((10, 10, 1), np.uint8)
    )

    found = features(squares)

    assert isinstance(found, Features)
    assert len(found.points) == len(found.descriptors) == MOST
    assert found.shape == (300, 400)
    assert found.points.min() >= 0
    assert found.points.max() <= 1


def test_small_pictures_are_enlarged_and_found(pictures: Path) -> None:
    """Thumbnails of 160 pixels: the same object is found, another is not."""
    random = np.random.default_rng(0)
    shown = originals(pictures, 8)
    photos = [scene(s, b, random)[0] for s, b in zip(shown, backgrounds(pictures, 8), strict=True)]
    first = [features(cv2.resize(each, (160, 160))) for each in shown]
    second = [features(cv2.resize(each, (160, 120))) for each in photos]

    found = [[match(query, photo) for photo in second] for query in first]

    assert sum(found[n][n] is not None for n in range(8)) >= 5
    assert all(found[n][m] is None for n in range(8) for m in range(8) if n != m)
    assert max(first[0].shape) == 320
