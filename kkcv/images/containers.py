"""Checks of formats that Pillow makes too late or not at all."""

import re
import struct
from collections.abc import Iterator

SCAN = re.compile(rb"\xff\xda\x00[\x08\x0a\x0c\x0e]")  # its header, for 1 to 4 components
MOST_SCANS = 100  # progressive JPEGs have some ten, and thumbnails in their metadata


def has_many_scans(data: bytes) -> bool:
    """Whether a JPEG has so many scans that decoding takes minutes.

    Each goes over all pixels, and 11 bytes are enough for one.
    """
    if data.count(b"\xff\xda") <= MOST_SCANS:
        return False  # most pictures; others may have a video behind them
    return sum(1 for _ in SCAN.finditer(data)) > MOST_SCANS


def icon_sizes(data: bytes) -> Iterator[tuple[int, int]]:
    """Width and height of each picture in an ICO file, from its own header.

    The directory of an ICO file can say 16 × 16 for a picture of a hundred megapixels, which Pillow
    decodes while it opens the file.
    """
    (count,) = struct.unpack_from("<H", data, 4)
    for entry in range(count):
        (at,) = struct.unpack_from("<I", data, 6 + 16 * entry + 12)
        if data.startswith(b"\x89PNG", at):
            yield struct.unpack_from(">II", data, at + 16)
        else:
            width, height = struct.unpack_from("<ii", data, at + 4)
            yield abs(width), abs(height)


def is_cut_off(data: bytes) -> bool:
    """Whether an ISO container (HEIC, AVIF) ends before one of its boxes does.

    libheif opens a truncated file if any picture in it is complete, not always the right one.
    """
    at = 0
    while at + 16 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
        if kind in (b"meta", b"mdat", b"moov") and at + size > len(data):
            return True
        if (
            size < 8 or not kind.isalnum()
        ):  # 0: up to the end; else: not a box but what was appended
            return False
        at += size
    return False
