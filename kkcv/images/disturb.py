"""Disturbed copies of pictures: turned, cropped, recolored, compressed, shrunk, pasted, …"""

import io
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

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
        moved = hue.point([(level + step) % 256 for level in range(256)])  # hues are a circle
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


def cropped_anywhere(share: float) -> Change:
    """A part at random, ``share`` of the width and of the height; of a picture always the same."""

    def change(picture: Image.Image) -> Image.Image:
        random = random_of(picture)
        width, height = (max(1, round(side * share)) for side in picture.size)
        left = int(random.integers(picture.width - width + 1))
        top = int(random.integers(picture.height - height + 1))
        return picture.crop((left, top, left + width, top + height))

    return change


def random_of(picture: Image.Image) -> np.random.Generator:
    """Seeded by the picture."""
    return np.random.default_rng(zlib.crc32(picture.tobytes()))


def mirrored_and_cropped(share: float) -> Change:
    crop = cropped_anywhere(share)
    return lambda picture: crop(mirrored(picture))


def on_a_page(picture: Image.Image) -> Image.Image:
    """A screenshot: the picture takes a third of a page with bars and text."""
    width, height = picture.size
    page = Image.new("RGB", (round(1.6 * width), round(1.85 * height)), "white")
    draw = ImageDraw.Draw(page)
    # the bar of a browser, and its line of the address
    draw.rectangle((0, 0, page.width, 0.12 * height), fill=(38, 58, 110))
    draw.rectangle((0, 0.12 * height, page.width, 0.2 * height), fill=(226, 229, 233))
    font = ImageFont.load_default(max(6, round(0.05 * height)))
    for line in range(6):
        at = 0.05 * width, (1.42 + 0.065 * line) * height
        draw.text(at, "Some pictures are found again on another page. " * 3, (40, 40, 40), font)
    left = round(random_of(picture).uniform(0.05, 0.55) * width)
    page.paste(picture, (left, round(0.3 * height)))
    return page


def captioned(picture: Image.Image) -> Image.Image:
    """A fifth of the height is a black bar with white text."""
    width, height = picture.size
    changed = picture.copy()
    draw = ImageDraw.Draw(changed)
    # a band over the middle, where most pictures have their subject
    draw.rectangle((0, 0.4 * height, width, 0.6 * height), fill="black")
    font = ImageFont.load_default(max(6, round(0.1 * height)))
    draw.text((0.05 * width, 0.44 * height), "SEEN SOMEWHERE", "white", font)
    return changed


def pasted_into(other: Image.Image) -> Change:
    """In a corner of another picture, at 40% of its width."""

    def change(picture: Image.Image) -> Image.Image:
        random, width = random_of(picture), max(1, round(0.4 * other.width))
        height = min(other.height, max(1, round(picture.height * width / picture.width)))
        small = picture.resize((width, height), Image.Resampling.LANCZOS)
        changed = other.copy()
        left, top = (int(random.integers(2)) for _ in range(2))
        changed.paste(small, (left * (other.width - width), top * (other.height - height)))
        return changed

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

# Those by which pictures are copied, beside the disturbances above.
COPIES = (
    *(
        Disturbance("cropped anywhere", f"to {share:.0%} of each side", cropped_anywhere(share))
        for share in (0.7, 0.5, 0.35)
    ),
    Disturbance("turned", "270°", turned(270)),
    Disturbance("screenshot", "a third of the page", on_a_page),
    Disturbance("captioned", "a fifth of the height", captioned),
    Disturbance("mirrored and cropped", "to 70% of each side", mirrored_and_cropped(0.7)),
)
PASTED = ("pasted", "at 40% of the width of another")  # into another picture: ``pasted_into``
