"""The share of sure matches that a cut-off by chance keeps."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kkcv.errors import RequestError
from kkcv.search.engine.projection import Projection
from kkcv.search.gallery import Gallery
from kkcv.search.learning.adapt import adopt
from kkcv.search.quality.calibrate import calibrate

Paint = Callable[..., Path]


def test_a_stricter_cut_off_keeps_fewer_copies_and_lets_through_fewer_strangers(
    gallery: Gallery, paint: Paint
) -> None:
    for n in range(40):
        gallery.add(paint(f"{n}.png", n))

    found = calibrate(gallery, sample=10)

    assert found.calibration.pictures == 40
    assert found.copies % 10 == 0
    assert [each.rate for each in found.cut_offs][:3] == [1e-1, 1e-2, 1e-3]
    assert found.cut_offs[1].mistakes == pytest.approx(0.4)
    kept = [each.kept for each in found.cut_offs]
    assert kept == sorted(kept, reverse=True)
    assert kept[0] > 0.5  # half of a picture of random colors is another picture


def test_a_gallery_that_has_learned_is_measured_in_its_own_space(
    gallery: Gallery, paint: Paint
) -> None:
    for n in range(40):
        gallery.add(paint(f"{n}.png", n))
    matrix = np.random.default_rng(0).normal(size=(48, 12)).astype(np.float16)
    before = gallery.search(paint("0.png", 0), ranking="best")
    adopt(gallery, Projection(matrix))

    found = calibrate(gallery, sample=5)

    assert found.calibration.space == gallery.space.fingerprint
    assert found.cut_offs[0].kept > 0.5
    assert gallery.search(paint("0.png", 0), ranking="best")[1:] != before[1:]


def test_a_gallery_that_is_too_small_says_so(gallery: Gallery, paint: Paint) -> None:
    gallery.add(paint("a.png"))

    with pytest.raises(RequestError, match=r"has 1 pictures; it takes 30"):
        calibrate(gallery)
