"""Limits of one picture, and of all pictures of a request, checked before pixels are decoded."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import astuple, dataclass, fields

from kkcv.errors import PictureError, RequestError

# Bytes that the decoder and the conversion to RGB take for each pixel, at the peak, as measured.
BYTES_A_PIXEL = {"WEBP": 16, "JPEG2000": 20, "AVIF": 10, "deep TIFF": 32}
OTHERS_BYTES_A_PIXEL = 8


@dataclass(frozen=True)
class Limits:
    """The largest numbers of bytes and pixels of one picture, and of pixels along one side.

    The defaults admit what phones and cameras write: a 108-megapixel photograph is 30 MB, and takes
    1 GB of memory while it is decoded. Pillow has a limit of its own, 179 megapixels, which a
    larger ``max_pixels`` does not raise.
    """

    max_bytes: int = 64 * 1024 * 1024
    max_pixels: int = 120_000_000
    max_side: int = 65_535  # that of JPEG; strips of 1 pixel take three times the memory
    max_slow_pixels: int = 120_000_000  # where Pillow decodes in Python (QOI): 2 s a million
    max_memory: int = 2_400_000_000  # bytes while decoding: 120 megapixels of any format

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or value < 1:
                raise RequestError(f"{field.name} must be a whole number from 1 up, got {value!r}")

    def or_more(self, other: "Limits") -> "Limits":
        """The larger of both, of each limit: of a picture that one of them let into a gallery."""
        return Limits(*map(max, astuple(self), astuple(other)))


DEFAULT_LIMITS = Limits()


@dataclass
class Spent:
    """The pixels that were decoded, and how many may be."""

    most: int
    pixels: int = 0


_spent: ContextVar[Spent | None] = ContextVar("spent", default=None)


@contextmanager
def at_most_together(pixels: int) -> Iterator[Spent]:
    """Let this thread decode so many pixels in the block; a further picture is refused."""
    spent = Spent(pixels)
    token = _spent.set(spent)
    try:
        yield spent
    finally:
        _spent.reset(token)


def spend(size: tuple[int, int], label: str = "") -> None:
    """Count the pixels that are decoded next (PictureError)."""
    spent = _spent.get()
    if spent is None:
        return
    pixels = size[0] * size[1]
    if spent.pixels + pixels > spent.most:
        message = f"with those before it, it has more than the {spent.most:,} pixels of a request"
        raise PictureError(f"{label}{message}", "too-many-pixels")
    spent.pixels += pixels


def check_size(size: tuple[int, int], limits: Limits, label: str) -> None:
    """Raises PictureError for too many pixels, or too many along one side."""
    width, height = size
    if max(size) > limits.max_side:
        message = f"{label}a side of {max(size):,} pixels is over the limit of {limits.max_side:,}"
        raise PictureError(message, "too-many-pixels")
    if width * height > limits.max_pixels:
        raise _too_many(size, limits.max_pixels, label)


def check_memory(size: tuple[int, int], name: str, limits: Limits, label: str) -> None:
    """Raises PictureError where decoding a format would take too much memory."""
    most = limits.max_memory // BYTES_A_PIXEL.get(name, OTHERS_BYTES_A_PIXEL)
    if size[0] * size[1] > most:
        raise _too_many(size, most, label, f" for {name}, whose decoder takes more memory")


def check_slow(size: tuple[int, int], name: str | None, limits: Limits, label: str) -> None:
    """Raises PictureError for a large picture of a format whose decoder is written in Python."""
    if size[0] * size[1] > limits.max_slow_pixels:
        why = f" for {name} of this kind, which is slow to decode"
        raise _too_many(size, limits.max_slow_pixels, label, why)


def _too_many(size: tuple[int, int], most: int, label: str, why: str = "") -> PictureError:
    share = max(1, int(100 * (most / (size[0] * size[1])) ** 0.5))  # of each side
    return PictureError(
        f"{label}{size[0]:,} × {size[1]:,} pixels are more than the limit of {most:,}{why}; "
        f"a copy of {share}% of its width and height is taken",
        "too-many-pixels",
    )
