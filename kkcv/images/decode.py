"""Any picture to 8-bit RGB pixels, or one clear error."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import cast

import numpy as np
from PIL import Image

from kkcv.errors import PictureError

from .arrays import Pixels, rgb_of
from .beside_pillow import opened_beside_pillow
from .color import STRIP, to_rgb
from .containers import has_many_scans, icon_sizes, is_cut_off
from .formats import FORMATS, KNOWN_BUT_NOT_OPENED, sniff
from .limits import DEFAULT_LIMITS, Limits, check_memory, check_size, check_slow, spend
from .quiet import quiet
from .reducing import ask_for_less, reduced
from .source import Source, holds_pixels, label_of, read_bytes

PNG_MARKS = (b"eXIf", b"XML:com.adobe.xmp", b"Raw profile type")  # where an orientation may be
# EXIF orientation (tag 0x0112) to what turns the stored pixels upright; 5 to 8 swap the sides.
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(
    source: Source, limits: Limits = DEFAULT_LIMITS, *, target: int | None = None
) -> np.ndarray:
    """Upright pixels, uint8 (H, W, 3) RGB, contiguous and writable; of an animation, the first.

    Args:
        target: the shortest side that the caller will resize to. A JPEG is then decoded at 1/2,
            1/4 or 1/8 of its size where its shortest side stays at least twice the target: several
            times faster for photographs of a camera, and the embedding stays the same to 0.999.
            So are other formats of more than 16 megapixels (reducing.py).

    Raises:
        PictureError: with a reason; whatever the bytes are, nothing else is raised.
    """
    label = label_of(source)
    if holds_pixels(source):
        pixels = rgb_of(cast(Pixels, source))
        if pixels.shape[2] == 3:
            width, height = pixels.shape[1::-1]
            check_size((width, height), limits, label)
            return pixels
    data = read_bytes(source, limits)
    with _meeting_errors(label, limits), quiet():
        return _pixels(_upright(data, limits, label, target))


def decode_small(
    source: Source, side: int, limits: Limits = DEFAULT_LIMITS, *, paper: str = "white"
) -> np.ndarray:
    """As ``decode``, but the longer side has at most ``side`` pixels: for pictures to look at.

    ``paper`` is the color under what is transparent.

    Raises:
        PictureError: as ``decode`` does.
    """
    label = label_of(source)
    data = read_bytes(source, limits)
    with _meeting_errors(label, limits), quiet():
        small = _upright(data, limits, label, side, paper)
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        return _pixels(small)


def image_size(source: Source, limits: Limits = DEFAULT_LIMITS) -> tuple[int, int]:
    """Width and height of the upright picture, from its header.

    Raises:
        PictureError: as ``decode`` does, but damage beyond the header is not noticed.
    """
    label = label_of(source)
    data = read_bytes(source, limits)
    with _meeting_errors(label, limits), quiet():
        if other := opened_beside_pillow(data, label):
            width, height = other.size
            return (height, width) if other.orientation >= 5 else (width, height)
        with _open(data, limits, label) as image:
            width, height = image.size
            if image.format == "TIFF":  # Pillow has swapped them already
                return width, height
            if image.format == "PNG" and not any(mark in data for mark in PNG_MARKS):
                return width, height  # reading the EXIF of a PNG decodes it
            return (height, width) if _orientation(image) >= 5 else (width, height)


def _upright(
    data: bytes, limits: Limits, label: str, target: int | None, paper: str = "white"
) -> Image.Image:
    if other := opened_beside_pillow(data, label):
        check_size(other.size, limits, label)
        check_memory(other.size, "deep TIFF", limits, label)
        spend(other.size, label)
        rgb, turn = other.rgb(), _UPRIGHT.get(other.orientation)
        return rgb if turn is None else rgb.transpose(turn)
    with _open(data, limits, label) as image:
        if target is not None:
            ask_for_less(image, data, target)
        spend(image.size, label)
        image.load()
        check_size(image.size, limits, label)  # a container may hold more than it says
        turn = _UPRIGHT.get(_orientation(image))
        rgb = to_rgb(image, paper)
    if target is not None:
        rgb = reduced(rgb, target)
    return rgb if turn is None else rgb.transpose(turn)


def _pixels(rgb: Image.Image) -> np.ndarray:
    """The pixels as an array, strip by strip: Pillow copies what it converts twice."""
    if rgb.height <= STRIP:
        return np.array(rgb)
    pixels = np.empty((rgb.height, rgb.width, 3), np.uint8)
    for top in range(0, rgb.height, STRIP):
        strip = (0, top, rgb.width, min(top + STRIP, rgb.height))
        pixels[top : top + STRIP] = np.asarray(rgb.crop(strip))
    return pixels


@contextmanager
def _meeting_errors(label: str, limits: Limits) -> Iterator[None]:
    """Turn every exception of a decoder into a PictureError with a message of our own."""
    try:
        yield
    except PictureError:
        raise
    except Image.DecompressionBombError:
        pillow = Image.MAX_IMAGE_PIXELS  # it warns beyond this, and refuses beyond twice as many
        most = min(limits.max_pixels, 2 * (pillow or limits.max_pixels))
        message = f"{label}it declares more pixels than the limit of {most:,}"
        raise PictureError(message, "too-many-pixels") from None
    except MemoryError:
        message = f"{label}there is not enough memory to decode it"
        raise PictureError(message, "too-many-pixels") from None
    except Exception as error:
        if isinstance(error, EOFError) or "truncated" in str(error):
            raise _truncated(label) from None
        raise PictureError(f"{label}its data are damaged", "corrupt") from None


def _open(data: bytes, limits: Limits, label: str) -> Image.Image:
    """The picture with its header read, its size within the limits, its pixels not decoded."""
    image_format = sniff(data)
    if image_format is None:
        raise _no_picture(data, label)
    name = image_format.name
    if name == "ICO":
        for size in icon_sizes(data):
            check_size(size, limits, label)
    if name == "JPEG" and has_many_scans(data):
        message = f"{label}it comes in more steps than any picture needs, to be slow to decode"
        raise PictureError(message, "corrupt")
    if name in ("HEIF", "AVIF") and is_cut_off(data):
        raise _truncated(label)
    try:
        opened = _open_heif if name == "HEIF" else partial(_open_with, name)
        image = opened(data, label)
    except (Image.UnidentifiedImageError, SyntaxError):
        message = f"{label}it begins like {name}, but its header is damaged"
        raise PictureError(message, "corrupt") from None
    check_size(image.size, limits, label)
    check_memory(image.size, name, limits, label)
    if any(tile[0] in Image.DECODERS for tile in getattr(image, "tile", ())):  # those in Python
        check_slow(image.size, image.format, limits, label)
    return image


def _open_with(name: str, data: bytes, label: str) -> Image.Image:
    if name == "JXL":
        _need_jxl(label)
    Image.preinit()  # the common formats; init() loads those of forty others
    if name not in Image.OPEN:
        Image.init()
    return Image.open(io.BytesIO(data), formats=[name])


def _need_jxl(label: str) -> None:
    try:
        import pillow_jxl  # noqa: F401  # tells Pillow of it
    except ImportError:
        message = f"{label}JPEG XL needs a plug-in; to add it: pip install 'kkcv[jxl]'"
        raise PictureError(message, "unsupported") from None


def _open_heif(data: bytes, label: str) -> Image.Image:
    try:
        from pi_heif import HeifImageFile
    except ImportError:
        message = f"{label}HEIC is opened with pi-heif; to add it: pip install 'kkcv[heic]'"
        raise PictureError(message, "unsupported") from None
    return HeifImageFile(io.BytesIO(data))


def _no_picture(data: bytes, label: str) -> PictureError:
    known = sniff(data, KNOWN_BUT_NOT_OPENED)
    if known is None:
        message = f"{label}these {len(data):,} bytes are of no image format that is known"
        return PictureError(message, "not-an-image")
    names = ", ".join(each.name for each in FORMATS)
    message = f"{label}{known.name} is not a format that kkcv opens; there are: {names}"
    return PictureError(message, "unsupported")


def _truncated(label: str) -> PictureError:
    return PictureError(f"{label}the file ends before the picture does", "truncated")


def _orientation(image: Image.Image) -> int:
    """EXIF (or XMP) orientation from 1 to 8; 1 where the metadata are broken."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # broken metadata must not lose the picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
