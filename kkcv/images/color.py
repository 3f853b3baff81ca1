"""Conversion of every mode that a decoder returns to 8-bit RGB."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

STRIP = 1024  # rows that are in memory twice at once


def to_rgb(image: Image.Image, paper: str = "white") -> Image.Image:
    """The picture as a viewer shows it on white paper, or another color, in mode RGB.

    16 bits are scaled to 8, not clipped; signed, 32-bit and floating-point grey is scaled from its
    own least to its own greatest value; CMYK and CIELAB are converted; what is transparent is laid
    on the paper, so that colors hidden under it stay hidden.
    """
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        image = _deep_grey(image)
    elif image.mode == "LAB":
        image = _from_lab(image)
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    if image.mode == "RGB":
        image = _eight_bit_key(image)
    rgba = image if image.mode == "RGBA" else image.convert("RGBA")
    sheet = Image.new("RGB", rgba.size, paper)
    sheet.paste(rgba, mask=rgba)
    return sheet


def _deep_grey(image: Image.Image) -> Image.Image:
    """Grey of 16 or 32 bits as mode L, or LA when one value stands for transparent (PNG's tRNS)."""
    low, high = _range(image)
    key = image.info.get("transparency")
    out = Image.new("LA" if isinstance(key, int) else "L", image.size)
    white_is_zero = getattr(image, "tag_v2", {}).get(262) == 0  # TIFF's PhotometricInterpretation
    for top, values in _strips(image):
        scaled = (values.astype(np.float32) - np.float32(low)) * np.float32(255 / (high - low))
        grey = np.nan_to_num(scaled, posinf=255).clip(0, 255).round().astype(np.uint8)
        strip = Image.fromarray(255 - grey if white_is_zero else grey)
        if isinstance(key, int):
            strip.putalpha(Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8)))
        out.paste(strip, (0, top))
    return out


def _range(image: Image.Image) -> tuple[float, float]:
    """The values that become black and white."""
    tags = getattr(image, "tag_v2", {})  # of a TIFF
    if image.mode.startswith("I;16") or (image.mode == "I" and not tags):
        bits = tags.get(258, (16,))[0]  # BitsPerSample: TIFF has 12-bit grey in 16
        return 0.0, float(2 ** min(bits, 16) - 1)
    finite = (values[np.isfinite(values)] for _, values in _strips(image))
    ranges = [(float(f.min()), float(f.max())) for f in finite if f.size]
    low = min((low for low, _ in ranges), default=0.0)
    high = max((high for _, high in ranges), default=1.0)
    return low, high if high > low else low + 1


def _strips(image: Image.Image) -> Iterator[tuple[int, np.ndarray]]:
    """Arrays of some rows each, with the first row's number: the whole would take gigabytes."""
    for top in range(0, image.height, STRIP):
        box = (0, top, image.width, min(top + STRIP, image.height))
        yield top, np.asarray(image.crop(box))


def _eight_bit_key(image: Image.Image) -> Image.Image:
    """A 48-bit PNG is read as 24-bit, but its transparent color is still told in 16-bit steps."""
    key = image.info["transparency"]
    if isinstance(key, tuple) and max(key) > 255:
        image = image.copy()
        image.info["transparency"] = tuple(value >> 8 for value in key)
    return image


def _from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms  # Pillow can be built without it

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    rgb = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    assert rgb is not None
    return rgb
