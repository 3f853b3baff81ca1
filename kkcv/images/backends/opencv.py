"""OpenCV, with an antialiased cubic resize, which it lacks.

``cv2.resize`` with INTER_AREA, the closest that it has, changes embeddings (docs/preprocessing.md).
So the resize is written out, as Pillow's Resample.c has it: each output row is a weighted sum of a
few input rows. The weights of a block of output rows are a small
matrix, and the resize is a product with each, once for the columns and once for the rows.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

BLOCK = 16  # output rows per product: fewer waste less on zeros, more need fewer calls


def resize_crop(
    pixels: np.ndarray,
    scaled: tuple[int, int],
    window: tuple[int, int, int, int],
    interpolation: str,
) -> np.ndarray:
    """Columns first, then rows, rounded to uint8 in between, as Pillow does; the window only."""
    top, left, height, width = window
    rows = _bands(pixels.shape[0], scaled[0], top, height, interpolation)
    columns = _bands(pixels.shape[1], scaled[1], left, width, interpolation)
    first, last = rows[0].start, rows[-1].stop  # the input rows that the window needs
    narrow = _weigh(_transposed(pixels[first:last]), columns)
    return _weigh(_transposed(narrow), rows, first)


class Band(NamedTuple):
    """The weights (outputs, inputs) of a few output rows on the input rows from start to stop."""

    start: int
    stop: int
    weights: np.ndarray


@lru_cache(maxsize=64)
def _bands(
    length: int, scaled: int, offset: int, count: int, interpolation: str
) -> tuple[Band, ...]:
    """Bands for ``count`` output rows from ``offset`` on, of ``length`` rows made ``scaled``."""
    scale = length / scaled
    center = (np.arange(offset, offset + count) + 0.5) * scale
    if interpolation == "nearest":
        start, taps = center.astype(int), 1
        stop, stretch = start + 1, 1.0
    else:
        stretch = max(scale, 1.0)  # a wider filter when shrinking: the antialiasing
        reach = SUPPORT[interpolation] * stretch
        start = np.maximum((center - reach + 0.5).astype(int), 0)
        stop = np.minimum((center + reach + 0.5).astype(int), length)
        taps = int((stop - start).max())
    source = start[:, np.newaxis] + np.arange(taps)
    weights = FILTER[interpolation]((source + 0.5 - center[:, np.newaxis]) / stretch)
    weights[source >= stop[:, np.newaxis]] = 0
    weights /= weights.sum(1, keepdims=True)
    return tuple(_band(start, stop, weights, at) for at in range(0, count, BLOCK))


def _band(start: np.ndarray, stop: np.ndarray, weights: np.ndarray, at: int) -> Band:
    outputs = slice(at, at + BLOCK)
    first, last = int(start[outputs].min()), int(stop[outputs].max())
    columns = start[outputs, np.newaxis] - first + np.arange(weights.shape[1])
    dense = np.zeros((len(columns), last - first + weights.shape[1]), np.float32)
    np.put_along_axis(dense, columns, weights[outputs], axis=1)
    return Band(first, last, np.ascontiguousarray(dense[:, : last - first]))


def _weigh(rows: np.ndarray, bands: tuple[Band, ...], first: int = 0) -> np.ndarray:
    """Input rows from ``first`` on, uint8 (n, m, C) → weighted sums, uint8 (count, m, C)."""
    import cv2

    _, width, channels = rows.shape
    count = sum(len(band.weights) for band in bands)
    flat = rows.reshape(len(rows), -1)
    out = np.empty((count, flat.shape[1]), np.float32)
    for at, band in zip(range(0, count, BLOCK), bands, strict=True):
        block = flat[band.start - first : band.stop - first].astype(np.float32)
        np.matmul(band.weights, block, out=out[at : at + BLOCK])
    # Rounds, and clips to 0..255. (OpenCV's type stubs do not know of scalars.)
    rounded = cv2.multiply(out, 1, dtype=cv2.CV_8U)  # type: ignore[call-overload]
    return rounded.reshape(count, width, channels)


def _transposed(pixels: np.ndarray) -> np.ndarray:
    import cv2

    height, width, channels = pixels.shape
    return cv2.transpose(pixels).reshape(width, height, channels)


def _bicubic(x: np.ndarray) -> np.ndarray:
    """Keys 1981, with a = -1/2 as Pillow has it (OpenCV's own has -3/4)."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _bilinear(x: np.ndarray) -> np.ndarray:
    return np.maximum(1 - np.abs(x), 0)


FILTER: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bicubic": _bicubic,
    "bilinear": _bilinear,
    "nearest": np.ones_like,
}
SUPPORT = {"bicubic": 2.0, "bilinear": 1.0}  # pixels to each side, at full size
