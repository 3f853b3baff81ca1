"""Small versions of pictures, made once and kept in memory."""

import io
import threading
from collections import OrderedDict

import numpy as np
from PIL import Image

from .decode import decode
from .limits import DEFAULT_LIMITS, Limits

MIB = 1024 * 1024
QUALITY = 82  # of JPEG: no visible blocks at the sizes of a grid


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
    """JPEGs by the hash of their picture and their size; the least used go when memory is full.

    The hash is of the picture's bytes, so what is kept is never out of date. Safe to use from
    several threads.
    """

    def __init__(self, max_bytes: int = 64 * MIB) -> None:
        self.max_bytes = max_bytes
        self._kept: OrderedDict[tuple[bytes, int], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def find(self, sha256: bytes, size: int) -> bytes | None:
        """A thumbnail that was made before."""
        with self._lock:
            if (sha256, size) not in self._kept:
                return None
            self._kept.move_to_end((sha256, size))
            return self._kept[sha256, size]

    def make(self, sha256: bytes, size: int, data: bytes, limits: Limits = DEFAULT_LIMITS) -> bytes:
        """A thumbnail of a picture's bytes, kept for the next time (PictureError)."""
        small = shrink(decode(data, limits, target=size), size)
        with self._lock:
            self._bytes += len(small) - len(self._kept.pop((sha256, size), b""))
            self._kept[sha256, size] = small
            while self._bytes > self.max_bytes:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        return small
