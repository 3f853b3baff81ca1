"""Small versions of pictures: upright, bounded, made once."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kkcv.errors import PictureError
from kkcv.images.thumbnails import Thumbnails


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("size", [128, 256])
def test_the_longer_side_has_the_size_and_the_shape_stays(pictures: Path, size: int) -> None:
    data = (pictures / "nasty" / "exif" / "Landscape_6_original.jpg").read_bytes()

    small = opened(Thumbnails().make(b"hash", size, data))

    assert small.format == "JPEG"
    assert small.size == (size, round(size * 1200 / 1800))  # upright: it is 1200 × 1800 on disk


def test_a_small_picture_is_not_enlarged(pictures: Path) -> None:
    data = (pictures / "nasty" / "generated" / "one_pixel.png").read_bytes()

    assert opened(Thumbnails().make(b"hash", 256, data)).size == (1, 1)


def test_it_looks_like_the_picture(pictures: Path) -> None:
    path = pictures / "nasty" / "generated" / "photo_lossless.webp"
    whole = Image.open(path).convert("RGB").resize((128, 128), Image.Resampling.LANCZOS)

    small = opened(Thumbnails().make(b"hash", 128, path.read_bytes()))

    assert np.abs(np.asarray(small, float) - np.asarray(whole, float)).mean() < 8


def test_what_was_made_is_kept_and_the_least_used_goes(pictures: Path) -> None:
    data = (pictures / "nasty" / "webp" / "flower.webp").read_bytes()
    bytes_of_one = len(Thumbnails().make(b"a", 128, data))
    kept = Thumbnails(max_bytes=2 * bytes_of_one)

    first = kept.make(b"a", 128, data)
    kept.make(b"b", 128, data)
    assert kept.find(b"a", 128) == first  # now b is the least used
    kept.make(b"c", 128, data)

    assert kept.find(b"a", 128) == first
    assert kept.find(b"b", 128) is None
    assert kept.find(b"a", 256) is None


def test_what_is_no_picture_is_refused(pictures: Path) -> None:
    data = (pictures / "nasty" / "generated" / "text_as.jpg").read_bytes()

    with pytest.raises(PictureError, match="of no image format that is known"):
        Thumbnails().make(b"hash", 128, data)
