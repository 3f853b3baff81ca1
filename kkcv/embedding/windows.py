"""Parts of a picture as vectors of their own: ``efficientnet_lite0+parts``.

    picture ─cut▶ whole + 5 windows ─network▶ 6 unit vectors ─sketch▶ (D,) + 5 x (256,) = one row

A crop, or a photograph with the thing somewhere in it, is unlike the whole picture and like one of
its parts. Each window is half as wide and half as high as the picture: its quarters and its center.
Nine windows in place of five find a little more and take nearly twice the time; 128 numbers find
less, and 512 no more. What these five find: docs/quality.md, ``python -m benchmarks.copies found``.

The sketch is a random projection to 256 numbers: signs in place of a Gaussian are as good
(Achlioptas: Database-friendly random projections, JCSS 2003). The signs come from a hash, so that
they are the same on every machine, forever.
"""

import hashlib
from collections.abc import Iterator
from functools import cache

import numpy as np

Window = tuple[float, float, float, float]  # left, top, width, height as fractions of the picture

CENTER: Window = (0.25, 0.25, 0.5, 0.5)
QUARTERS: tuple[Window, ...] = (
    (0.0, 0.0, 0.5, 0.5),
    (0.5, 0.0, 0.5, 0.5),
    (0.0, 0.5, 0.5, 0.5),
    (0.5, 0.5, 0.5, 0.5),
)
WINDOWS = (*QUARTERS, CENTER)
NUMBERS = 256  # of a part
LAYOUT = f"{len(WINDOWS)}x{NUMBERS}"  # names it in an embedding space
CLOSER = 2  # times as many pixels are decoded: a window is half of a side


def size(layout: str) -> int:
    """How many numbers the parts take behind the whole; 0 without any."""
    return len(WINDOWS) * NUMBERS if layout else 0


def cut(pixels: np.ndarray) -> Iterator[np.ndarray]:
    """The picture, then its windows: uint8 (H, W, 3) → six of uint8 (h, w, 3)."""
    yield pixels
    for window in WINDOWS:
        yield within(pixels, window)


def within(pixels: np.ndarray, window: Window) -> np.ndarray:
    """The pixels of a window, one at least: (H, W, 3) → (h, w, 3)."""
    height, width = pixels.shape[:2]
    left, top, wide, tall = window
    first, start = int(top * height), int(left * width)
    last = max(first + 1, round((top + tall) * height))
    return pixels[first:last, start : max(start + 1, round((left + wide) * width))]


def joined(views: np.ndarray) -> np.ndarray:
    """One row a picture: unit vectors float32 (N, 6, D) → float32 (N, D + 5 · 256)."""
    parts = sketch(views[:, 1:])
    return np.concatenate([views[:, 0], parts.reshape(len(views), -1)], axis=1)


def parts_of(rows: np.ndarray, dim: int) -> np.ndarray:
    """The vectors of the parts behind those of ``dim`` numbers: rows (N, …) → (N, 5, 256)."""
    return rows[:, dim:].reshape(len(rows), -1, NUMBERS)


def sketch(vectors: np.ndarray) -> np.ndarray:
    """Unit vectors whose products are nearly those of the given: (…, D) → float32 (…, 256)."""
    short = vectors @ signs(vectors.shape[-1])
    length = np.linalg.norm(short, axis=-1, keepdims=True)
    return (short / np.maximum(length, np.finfo(np.float32).tiny)).astype(np.float32)


@cache
def signs(dim: int) -> np.ndarray:
    """float32 (dim, 256) of 1 and -1, the same for ever."""
    # other bytes would make vectors that are not to be compared with those that are stored
    bits = hashlib.shake_256(b"kkcv parts").digest(dim * NUMBERS // 8)
    drawn = np.unpackbits(np.frombuffer(bits, np.uint8)).reshape(dim, NUMBERS)
    return 2 * drawn.astype(np.float32) - 1


def corners(window: Window) -> tuple[tuple[float, float], ...]:
    """Clockwise from the top left, (x, y) as fractions of width and height."""
    left, top, wide, tall = window
    right, bottom = left + wide, top + tall
    return (left, top), (right, top), (right, bottom), (left, bottom)
