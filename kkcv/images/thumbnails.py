"""Thumbnails, made once and kept in memory; pixels as JPEG and PNG."""

import io
import threading
from collections import OrderedDict

import numpy as np
from PIL import Image

from .decode import decode_small
from .limits import DEFAULT_LIMITS, Limits

MIB = 1024 * 1024
QUALITY = 82  # of JPEG: no visible blocks at thumbnail sizes


def shrink(pixels: np.ndarray, size: int) -> bytes:
    """A JPEG whose longer side is at most ``size``: uint8 (H, W, 3) → bytes."""
    image = Image.fromarray(pixels)
    image.thumbnail((size, size), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()


def as_png(pixels: np.ndarray, compress_level: int = 6) -> bytes:
    """A PNG without loss: uint8 (H, W, 3) or (H, W, 4) → bytes."""
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(out, "PNG", compress_level=compress_level)
    return out.getvalue()


class Thumbnails:
    """A cache of JPEGs by hash of the picture and size, which drops the least recently used.

    The hash is of the picture's bytes, so an entry is never out of date. Safe to use from several
    threads.
    """

    def __init__(self, max_bytes: int = 64 * MIB) -> None:  # some thousands of them
        self.max_bytes = max_bytes
        self._kept: OrderedDict[tuple[bytes, int], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def find(self, sha256: bytes, size: int) -> bytes | None:
        """A thumbnail in the cache, or None."""
        with self._lock:
            if (sha256, size) not in self._kept:
                return None
            self._kept.move_to_end((sha256, size))
            return self._kept[sha256, size]

    def make(self, sha256: bytes, size: int, data: bytes, limits: Limits = DEFAULT_LIMITS) -> bytes:
        """Make and keep a thumbnail of a picture's bytes (PictureError)."""
        small = shrink(decode_small(data, size, limits), size)
        with self._lock:
            self._bytes += len(small) - len(self._kept.pop((sha256, size), b""))
            self._kept[sha256, size] = small
            while self._bytes > self.max_bytes:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        return small
