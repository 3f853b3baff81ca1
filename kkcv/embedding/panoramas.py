"""Pictures longer than 3:1: all of a panorama counts, not its middle alone.

    panorama ─cut▶ squares side by side ─crop▶ (n·H, W, C) ─network▶ n unit vectors ─mean▶ (D,)

Their crops lie one below the other, as one tall crop, until they are embedded. What this finds and
what a letterboxed or folded whole would find: docs/library.md, ``python -m benchmarks.panoramas``.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from kkcv.images.preprocess import Preprocess

from .explanation import Parts, unit_length
from .space import unit

LONGER = 3  # times as long as wide
MOST = 8  # squares; of what is longer, each piece is seen in its middle
Fractions = tuple[float, float, float, float]  # left, top, width, height


def count(height: int, width: int) -> int:
    """How many squares a picture is embedded by; 1 unless it is a panorama."""
    ratio = max(height, width) / min(height, width)
    return min(round(ratio), MOST) if ratio > LONGER else 1


def squares(pixels: np.ndarray, n: int | None = None) -> list[np.ndarray]:
    """The squares of a panorama, or the picture itself: uint8 (H, W, 3) → n of (h, w, 3)."""
    n = n or count(*pixels.shape[:2])
    axis = int(np.argmax(pixels.shape[:2]))
    edges = np.linspace(0, pixels.shape[axis], n + 1).astype(int).tolist()
    ranges = [range(start, max(start + 1, end)) for start, end in pairwise(edges)]
    return [pixels.take(each, axis) for each in ranges] if n > 1 else [pixels]


def seen(preprocess: Preprocess, height: int, width: int) -> Fractions:
    """As Preprocess.seen, of all squares: from the first one's beginning to the last one's end."""
    n = count(height, width)
    if width >= height:
        left, top, wide, tall = preprocess.seen(height, max(1, width // n))
        return left / n, top, (n - 1 + wide) / n, tall
    left, top, wide, tall = preprocess.seen(max(1, height // n), width)
    return left, top / n, wide, (n - 1 + tall) / n


def joined(vectors: np.ndarray, counts: Sequence[int]) -> np.ndarray:
    """A unit vector a picture from those of its squares: float32 (sum of counts, D) → (N, D)."""
    if max(counts, default=1) == 1:
        return vectors
    ends = np.cumsum(counts)
    return np.stack(
        [
            vectors[end - 1] if count == 1 else unit(vectors[None, end - count : end].mean(1))[0]
            for count, end in zip(counts, ends, strict=True)
        ]
    )


def parts_joined(squares: Sequence[Parts], axis: int) -> Parts:
    """The parts of a panorama's embedding from those of its squares along an axis, 0 or 1."""
    units = [unit_length(each) for each in squares]
    parts = np.concatenate([each.parts for each in units], axis)
    rest = np.sum([each.rest for each in units], 0)
    return Parts(parts / np.float32(len(units)), rest / np.float32(len(units)))
