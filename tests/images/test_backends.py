"""Three libraries, one result: how close they land, on real pictures."""

import numpy as np
import pytest
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

from kkcv.images.backends import BACKENDS
from kkcv.images.decode import decode
from kkcv.images.folder import find_pictures
from kkcv.images.preprocess import Preprocess


def spec(interpolation: str = "bicubic", resize: int = 256) -> Preprocess:
    return Preprocess((224, 224), resize, interpolation, (0.5,) * 3, (0.5,) * 3)


@pytest.fixture(scope="module")
def photos(pictures):
    """Forty photographs of forty sizes, and one of two megapixels."""
    paths = list(find_pictures(pictures / "imagenet_sample_300"))[::8][:40]
    paths.append(pictures / "nasty/exif/Landscape_6_original.jpg")
    return [decode(path) for path in paths]


def difference(ours: list[np.ndarray], theirs: list[np.ndarray]) -> np.ndarray:
    """Mean absolute difference a picture, in levels of 0 to 255: (N,)."""
    pairs = zip(ours, theirs, strict=True)
    return np.array([np.abs(a.astype(int) - b).mean() for a, b in pairs])


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear", "nearest"])
@pytest.mark.parametrize("resize", [224, 256])
def test_pillow_is_to_the_bit_what_torchvision_makes_of_pillow_images(
    interpolation, resize, photos
):
    mode = InterpolationMode(interpolation)
    oracle = Compose([Resize(resize, mode), CenterCrop(224)])

    for pixels in photos:
        expected = np.asarray(oracle(Image.fromarray(pixels)))

        assert np.array_equal(spec(interpolation, resize).crop(pixels, "pillow"), expected)


@pytest.mark.parametrize(
    ("backend", "interpolation", "most"),
    [
        ("opencv", "bicubic", 0.01),
        ("opencv", "bilinear", 0.01),
        ("torchvision", "bicubic", 0.01),
        ("torchvision", "bilinear", 0.01),
        # A rounding error picks the neighbor: few pixels, but those by far.
        ("opencv", "nearest", 0.05),
        ("torchvision", "nearest", 0.05),
    ],
)
def test_the_other_backends_land_on_pillow(backend, interpolation, most, photos):
    ours = [spec(interpolation).crop(pixels, backend) for pixels in photos]

    reference = [spec(interpolation).crop(pixels, "pillow") for pixels in photos]
    assert difference(ours, reference).mean() < most
    if interpolation != "nearest":
        pairs = zip(ours, reference, strict=True)
        worst = max(int(np.abs(a.astype(int) - b).max()) for a, b in pairs)
        assert worst <= 8  # Pillow takes the rows of some tall pictures first


@pytest.mark.parametrize("backend", BACKENDS)
def test_shrinking_does_not_alias(backend):
    """A fine checkerboard is grey from afar: without antialiasing it shows bands or a pattern."""
    board = np.indices((2000, 2000)).sum(0) % 2 * 255
    pixels = np.repeat(board[..., np.newaxis], 3, axis=2).astype(np.uint8)

    crop = spec().crop(pixels, backend)

    assert crop.min() >= 120
    assert crop.max() <= 135


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_center_is_what_is_kept(backend):
    pixels = np.zeros((512, 512, 3), np.uint8)
    pixels[32:480, 32:480] = 255  # 448 of 512 is 224 of 256

    crop = spec().crop(pixels, backend)

    assert crop.min() > 200


def test_scaled_decoding_keeps_the_crop(pictures):
    """``decode(target=...)`` changes pixels by less than half a level."""
    path = pictures / "nasty/exif/Landscape_6_original.jpg"

    whole = spec().crop(decode(path))
    scaled = spec().crop(decode(path, target=spec().target))

    assert difference([whole], [scaled])[0] < 0.5
