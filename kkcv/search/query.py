"""What can be asked for: one picture or several with weights, whole or a region of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from kkcv.embedding.space import unit
from kkcv.errors import RequestError
from kkcv.images.source import Source

from .picture import whole

MAX_K = 1000
LENGTH_TOLERANCE = 0.01  # of vectors that were kept in 16 bits


@dataclass(frozen=True)
class Region:
    """A part of a picture, as fractions from 0 to 1 of its width and height."""

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        inside = 0 <= self.left < 1 and 0 <= self.top < 1
        if not (inside and 0 < self.width <= 1 - self.left and 0 < self.height <= 1 - self.top):
            raise RequestError(
                "a region is left, top, width and height as fractions from 0 to 1, inside of the "
                f"picture, got {self.left:g}, {self.top:g}, {self.width:g}, {self.height:g}"
            )

    def of(self, pixels: np.ndarray) -> np.ndarray:
        """That part of a picture, one pixel at least: (H, W, 3) → (h, w, 3)."""
        height, width = pixels.shape[:2]
        top, left = int(self.top * height), int(self.left * width)
        bottom = max(top + 1, round((self.top + self.height) * height))
        right = max(left + 1, round((self.left + self.width) * width))
        return pixels[top:bottom, left:right]


class Text(NamedTuple):
    """Words that say what is to be seen, for networks that read."""

    text: str


@dataclass(frozen=True)
class Like:
    """A picture (path, bytes, file, Pillow image), the id of one, or Text, and its weight.

    A negative ``weight`` asks for what is unlike it.
    """

    picture: "Source | int | Text"
    weight: float = 1.0
    region: Region | None = None

    def __post_init__(self) -> None:
        if isinstance(self.picture, bool | np.integer):
            object.__setattr__(self, "picture", whole(self.picture))


def combined(vectors: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """One query of several: float32 (N, D) → unit vector (D,).

    Raises RequestError when no weight is positive, or the vectors cancel out.
    """
    if not any(weight > 0 for weight in weights) or not np.isfinite(weights).all():
        raise RequestError("at least one picture must count with a positive weight")
    total = np.asarray(weights, np.float32) @ vectors
    if np.linalg.norm(total) < 1e-6:
        raise RequestError("the pictures cancel each other out; use other weights")
    return unit(total[None])[0]


def checked_k(k: int) -> int:
    """Raises RequestError for what is no sensible number of hits."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= MAX_K:
        raise RequestError(f"k must be a whole number from 1 to {MAX_K}, got {k!r}")
    return int(k)


def checked_vectors(vectors: ArrayLike, dim: int) -> np.ndarray:
    """Queries as float32 (Q, D) (RequestError for those that are no unit vectors)."""
    try:
        queries = np.asarray(vectors, np.float32)
    except (TypeError, ValueError):
        raise RequestError(f"a query is {dim} numbers, got {vectors!r:.60}") from None
    if queries.ndim != 2 or queries.shape[1] != dim:
        raise RequestError(f"a query here has {dim} numbers, got {queries.shape}")
    lengths = np.linalg.norm(queries, axis=1)
    if not (np.abs(lengths - 1) < LENGTH_TOLERANCE).all():  # NaN is not either
        off = lengths[~(np.abs(lengths - 1) < LENGTH_TOLERANCE)][0]
        raise RequestError(f"a query has length 1, got {off:g}: divide it by its length")
    return queries
