"""Pictures longer than 3:1 are embedded by all of what they show."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kkcv.embedding.embedder import Embedder
from kkcv.embedding.explainer import explain
from kkcv.embedding.panoramas import count
from kkcv.images.decode import decode


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load()


@pytest.fixture(scope="module")
def photos(pictures: Path) -> list[np.ndarray]:
    """Four squares of different things."""
    paths = sorted((pictures / "imagenet_sample_300").glob("*.JPEG"))[:40:10]
    squares = (Image.fromarray(decode(path)).resize((240, 240)) for path in paths)
    return [np.asarray(square) for square in squares]


@pytest.mark.parametrize("axis", [0, 1])
def test_each_part_of_a_panorama_finds_it(
    embedder: Embedder, photos: list[np.ndarray], axis: int
) -> None:
    panorama = embedder.embed([np.concatenate(photos, axis)])[0]

    alike = embedder.embed(photos) @ panorama

    assert np.linalg.norm(panorama) == pytest.approx(1, abs=1e-5)
    assert alike.min() > 0.35  # that of its middle is below 0.2 to the outer ones
    assert embedder.embed_picture(np.concatenate(photos, axis)) @ panorama > 0.999


@pytest.mark.parametrize(
    ("height", "width", "squares"),
    [(100, 300, 1), (100, 301, 3), (300, 100, 1), (401, 100, 4), (1, 3000, 8), (5, 5, 1)],
)
def test_pictures_up_to_three_to_one_are_one_square(
    embedder: Embedder, height: int, width: int, squares: int
) -> None:
    crop = embedder.crop(np.zeros((height, width, 3), np.uint8))

    assert count(height, width) == squares
    assert crop.shape == (224 * squares, 224, 3)
    assert embedder.embed_crops([crop, crop[:224]]).shape == (2, 1280)


@pytest.mark.parametrize("shape", [(100, 301), (1, 13), (301, 100)])
def test_parts_of_panoramas_are_embedded_as_they_are(shape: tuple[int, int]) -> None:
    embedder = Embedder.load("efficientnet_lite0+parts")
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)

    assert embedder.embed_row(pixels).shape == (embedder.space.row,)


def test_what_explains_a_score_of_a_panorama_adds_up_to_it(
    embedder: Embedder, photos: list[np.ndarray]
) -> None:
    panorama = np.concatenate(photos, 1)

    found = explain(photos[3], panorama, embedder.checkpoint)

    score = float(np.prod(embedder.embed([photos[3], panorama]), 0).sum())
    assert found.score == pytest.approx(score, abs=0.01)
    assert found.hit.heat.sum() + found.hit.rest == pytest.approx(found.score, abs=1e-4)
    assert found.hit.heat.shape == (7, 28)
    assert found.hit.heat[:, 21:].sum() > 0.6 * found.hit.heat.sum()  # where the query is
    left, top, width, height = found.hit.seen
    assert left + width / 2 == pytest.approx(0.5)
    assert 0.9 < width < 1
    assert (top, height) == pytest.approx((1 / 16, 7 / 8))
