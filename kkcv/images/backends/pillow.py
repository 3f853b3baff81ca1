"""Pillow: the reference, bit-identical to torchvision's PIL transforms."""

import numpy as np


def resize_crop(
    pixels: np.ndarray,
    scaled: tuple[int, int],
    window: tuple[int, int, int, int],
    interpolation: str,
) -> np.ndarray:
    """Resize the whole picture, then crop.

    To resize the window alone (``resize(box=...)``) would be faster, but the box is kept in single
    precision, so the result would not be bit-identical to what torchvision's transforms give.
    """
    from PIL import Image

    filters = {
        "bicubic": Image.Resampling.BICUBIC,
        "bilinear": Image.Resampling.BILINEAR,
        "nearest": Image.Resampling.NEAREST,
    }
    top, left, height, width = window
    grey = pixels.shape[2] == 1
    image = Image.fromarray(pixels[..., 0] if grey else pixels)
    resized = np.asarray(image.resize(scaled[::-1], filters[interpolation]))
    crop = resized[top : top + height, left : left + width]
    return np.ascontiguousarray(crop[..., np.newaxis] if grey else crop)
