"""Pixels to the tensor that a network was trained on: one specification, three backends."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from math import isfinite
from typing import Any

import numpy as np
from PIL import Image

from kkcv.errors import PreprocessError

from .backends import BACKENDS

INTERPOLATIONS = ("bicubic", "bilinear", "nearest")
LONGEST = 8  # longest side over shortest; of longer pictures only the center is used


@dataclass(frozen=True)
class Preprocess:
    """The preprocessing of a network, which is kept with its weights.

    The picture is resized with antialiasing until its shortest side is ``resize``, and of that the
    center of ``size`` is kept; ``resize=None`` instead squashes it to ``size`` whatever its shape.
    Each channel is then scaled to 0..1, its ``mean`` taken off, and divided by its ``std``.

    Args:
        size: height and width of the tensor.
        channels: 3 for RGB; 1 for grey (luma of ITU-R 601, as Pillow has it).
    """

    size: tuple[int, int]
    resize: int | None
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    channels: int = 3

    def __post_init__(self) -> None:
        for name in ("size", "mean", "std"):  # JSON has only lists
            object.__setattr__(self, name, _as_tuple(name, getattr(self, name)))
        _check(self)

    @property
    def crop_ratio(self) -> float:
        """Share of the resized picture's shortest side that is kept."""
        return 1.0 if self.resize is None else max(self.size) / self.resize

    @property
    def target(self) -> int:
        """The shortest side that the picture is resized to, for ``decode``."""
        return max(self.size) if self.resize is None else self.resize

    def of_whole(self) -> "Preprocess":
        """The same for the whole picture, squashed to ``size``: nothing is cropped away."""
        return replace(self, resize=None)

    def __call__(self, pixels: np.ndarray, backend: str = "pillow") -> np.ndarray:
        """Pixels, uint8 (H, W, 3) → tensor, float32 (C, height, width)."""
        return self.normalize(self.crop(pixels, backend)[np.newaxis])[0]

    def crop(self, pixels: np.ndarray, backend: str = "pillow") -> np.ndarray:
        """Pixels, uint8 (H, W, 3) → resized and cropped, uint8 (height, width, C)."""
        if backend not in BACKENDS:
            raise PreprocessError(f"no backend {backend!r}; there are: {', '.join(BACKENDS)}")
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            shape = f"{pixels.dtype} {pixels.shape}"
            raise PreprocessError(f"pixels must be uint8 (height, width, 3), got {shape}")
        if self.resize is not None:
            pixels = _without_far_ends(pixels)
        if self.channels == 1:
            pixels = _luma(pixels)
        scaled, window = self.geometry(*pixels.shape[:2])
        return BACKENDS[backend](pixels, scaled, window, self.interpolation)

    def normalize(self, crops: np.ndarray) -> np.ndarray:
        """Crops, uint8 (N, height, width, C) → tensors, float32 (N, C, height, width)."""
        count, height, width, channels = crops.shape
        mean = np.array(self.mean, np.float32).reshape(-1, 1, 1)
        std = np.array(self.std, np.float32).reshape(-1, 1, 1)
        tensors = np.empty((count, channels, height, width), np.float32)
        for crop, tensor in zip(crops, tensors, strict=True):  # one at a time stays in the cache
            np.divide(crop.transpose(2, 0, 1), np.float32(255), out=tensor)
            tensor -= mean
            tensor /= std
        return tensors

    def to_dict(self) -> dict[str, Any]:
        """A dictionary for JSON, which ``from_dict`` reads."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Preprocess":
        """The specification that ``to_dict`` wrote; an unknown or missing key is an error."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise PreprocessError(
                f"unknown key {unknown[0]!r}; there are: {', '.join(sorted(known))}"
            )
        if missing := sorted(known - set(values) - {"channels"}):
            raise PreprocessError(f"the preprocessing has no {missing[0]!r}")
        return cls(**values)

    def seen(self, height: int, width: int) -> tuple[float, float, float, float]:
        """The part of a picture that reaches the network, as fractions: left, top, width, height.

        ``height`` and ``width`` are the picture's, in pixels.
        """
        rows, columns = height, width
        if self.resize is not None:
            rows, columns = min(height, LONGEST * width), min(width, LONGEST * height)
        scaled, (top, left, tall, wide) = self.geometry(rows, columns)
        across, down = columns / width, rows / height  # what is left of a strip
        return (
            (1 - across) / 2 + left / scaled[1] * across,
            (1 - down) / 2 + top / scaled[0] * down,
            wide / scaled[1] * across,
            tall / scaled[0] * down,
        )

    def geometry(
        self, height: int, width: int
    ) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
        """Size to resize to, and the window of it to keep: top, left, height, width.

        Rounded as torchvision's Resize (down) and CenterCrop (to even) do.
        """
        if self.resize is None:
            return self.size, (0, 0, *self.size)
        short, long = min(height, width), max(height, width)
        longer = int(self.resize * long / short)
        scaled = (self.resize, longer) if height <= width else (longer, self.resize)
        top = round((scaled[0] - self.size[0]) / 2)
        left = round((scaled[1] - self.size[1]) / 2)
        return scaled, (top, left, *self.size)


def _luma(pixels: np.ndarray) -> np.ndarray:
    """RGB → grey, uint8 (H, W, 1)."""
    return np.asarray(Image.fromarray(pixels).convert("L"))[..., np.newaxis]


def _without_far_ends(pixels: np.ndarray) -> np.ndarray:
    """Cut a long strip to its middle: resizing all of 3000 × 4 pixels would take gigabytes."""
    for axis in (0, 1):
        length, most = pixels.shape[axis], LONGEST * pixels.shape[1 - axis]
        if length > most:
            start = (length - most) // 2
            pixels = pixels.take(range(start, length - start), axis)
    return pixels


def _as_tuple(name: str, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, (tuple, list)):
        raise PreprocessError(f"{name} must be a list of numbers, got {value!r}")
    return tuple(value)


def _check(spec: Preprocess) -> None:
    def is_count(value: object) -> bool:
        return type(value) is int and value >= 1

    if len(spec.size) != 2 or not all(map(is_count, spec.size)):
        raise PreprocessError(f"size must be height and width in pixels, got {spec.size}")
    if spec.resize is not None and not (is_count(spec.resize) and spec.resize >= max(spec.size)):
        message = f"resize must be a whole number from {max(spec.size)} up or None (squash)"
        raise PreprocessError(f"{message}, got {spec.resize!r}")
    if spec.interpolation not in INTERPOLATIONS:
        names = ", ".join(INTERPOLATIONS)
        raise PreprocessError(f"no interpolation {spec.interpolation!r}; there are: {names}")
    if type(spec.channels) is not int or spec.channels not in (1, 3):
        raise PreprocessError(f"channels must be 3 (RGB) or 1 (grey), got {spec.channels!r}")
    for name, values in (("mean", spec.mean), ("std", spec.std)):
        numbers = all(type(v) in (int, float) and isfinite(v) for v in values)
        if len(values) != spec.channels or not numbers:
            message = f"{name} must be {spec.channels} numbers, one a channel, got {values}"
            raise PreprocessError(message)
    if min(spec.std) <= 0:
        raise PreprocessError(f"std must be above zero, got {spec.std}")
