"""Disturbed copies of pictures: turned, mirrored, cropped, recolored, compressed, shrunk."""

import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageEnhance

Change = Callable[[Image.Image], Image.Image]


class Disturbance(NamedTuple):
    """A kind of disturbance at a given strength."""

    name: str
    strength: str
    change: Change

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """A disturbed copy: uint8 (H, W, 3) → uint8 (H', W', 3)."""
        return np.array(self.change(Image.fromarray(pixels)))


def turned(degrees: float) -> Change:
    """Clockwise, with white corners, nothing cut off."""
    return lambda picture: picture.rotate(
        -degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white"
    )


def mirrored(picture: Image.Image) -> Image.Image:
    """Left and right exchanged."""
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def cropped(share: float) -> Change:
    """The lower right part, ``share`` of the width and of the height."""

    def change(picture: Image.Image) -> Image.Image:
        width, height = picture.size
        left = min(round(width * (1 - share)), width - 1)
        top = min(round(height * (1 - share)), height - 1)
        return picture.crop((left, top, width, height))

    return change


def brightened(factor: float) -> Change:
    """Each channel times a factor, cut off at white."""
    return lambda picture: ImageEnhance.Brightness(picture).enhance(factor)


def grey(picture: Image.Image) -> Image.Image:
    """Without color."""
    return picture.convert("L").convert("RGB")


def tinted(degrees: float) -> Change:
    """All hues shifted around the color circle."""

    def change(picture: Image.Image) -> Image.Image:
        hue, saturation, value = picture.convert("HSV").split()
        step = round(degrees / 360 * 256)
        moved = hue.point([(level + step) % 256 for level in range(256)])
        return Image.merge("HSV", (moved, saturation, value)).convert("RGB")

    return change


def compressed(quality: int) -> Change:
    """Through a JPEG of a quality from 1 to 95."""

    def change(picture: Image.Image) -> Image.Image:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        return Image.open(file, formats=["JPEG"]).convert("RGB")

    return change


def shrunk(side: int) -> Change:
    """Scaled down: the longest side has at most so many pixels."""

    def change(picture: Image.Image) -> Image.Image:
        scale = min(1.0, side / max(picture.size))
        size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
        return picture.resize(size, Image.Resampling.LANCZOS)

    return change


DISTURBANCES = (
    Disturbance("as it is", "", lambda picture: picture),
    *(Disturbance("turned", f"{d}°", turned(d)) for d in (5, 15, 90, 180)),
    Disturbance("mirrored", "", mirrored),
    *(Disturbance("cropped", f"to {s:.0%} of each side", cropped(s)) for s in (0.9, 0.7, 0.5)),
    *(Disturbance("recolored", f"{f:.0%} bright", brightened(f)) for f in (0.5, 1.5)),
    Disturbance("recolored", "hues by 30°", tinted(30)),
    Disturbance("recolored", "grey", grey),
    *(Disturbance("compressed", f"JPEG quality {q}", compressed(q)) for q in (50, 20, 5)),
    *(Disturbance("resized", f"to {s} pixels", shrunk(s)) for s in (256, 128, 64)),
)
