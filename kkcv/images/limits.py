"""Limits of one picture, which are checked before its pixels are decoded."""

from dataclasses import dataclass, fields

from kkcv.errors import RequestError


@dataclass(frozen=True)
class Limits:
    """The largest numbers of bytes and pixels of one picture, and of pixels along one side.

    The defaults admit what phones and cameras write (a 108-megapixel photograph is 30 MB) and keep
    the memory for one picture at about 1 GB. Pillow has a limit of its own, 179 megapixels, which a
    larger ``max_pixels`` does not raise.
    """

    max_bytes: int = 64 * 1024 * 1024
    max_pixels: int = 120_000_000
    max_side: int = 65_535  # that of JPEG; a strip of a pixel by millions takes thrice the memory
    max_slow_pixels: int = 120_000_000  # where Pillow decodes in Python (QOI): 2 s a million

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or value < 1:
                raise RequestError(f"{field.name} must be a whole number from 1 up, got {value!r}")


DEFAULT_LIMITS = Limits()
