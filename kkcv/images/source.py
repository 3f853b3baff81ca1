"""Where the bytes of a picture come from: a path, memory, a file object, or base64 text."""

import binascii
import io
import os
import re
import stat
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, BinaryIO, TypeGuard, Union, cast

import pybase64

from kkcv.answering import SILENT, is_stuck
from kkcv.disk import kind_of, typed
from kkcv.errors import PictureError

from .limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    import numpy as np  # for types only: the client imports this file and must stay light
    from PIL.Image import Image
    from torch import Tensor

Source = Union[
    str, os.PathLike[str], bytes, bytearray, memoryview, BinaryIO, "Image", "np.ndarray", "Tensor"
]
PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")  # that PNG can store as they are


def read_bytes(source: Source, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The bytes of a picture; a ``str`` is always a path, a file object is read from where it is.

    Of an image of Pillow, an array or a tensor (arrays.py) they are a PNG of the pixels, upright.

    Raises:
        PictureError: not-found, not-a-file, unreadable, empty, too-many-bytes, corrupt.
    """
    label = label_of(source)
    if isinstance(source, (str, os.PathLike)):
        source = typed(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        check_bytes(memoryview(source).nbytes, limits, label)
        data = bytes(source)
    elif isinstance(source, (str, os.PathLike)):
        data = _read_path(source, limits, label)
    elif hasattr(source, "read"):
        data = _read_file(cast(BinaryIO, source), limits, label)
    elif _is_pillow(source) or holds_pixels(source):
        data = _as_png(source if _is_pillow(source) else _image_of(source))
        check_bytes(len(data), limits, label)
    else:
        raise TypeError(
            "a picture is a path, bytes, a binary file, an image of Pillow, an array of NumPy or "
            f"a tensor of PyTorch, not {type(source).__name__}"
        )
    if not data:
        raise PictureError(f"{label}there is nothing in it, 0 bytes", "empty")
    return data


def _is_pillow(source: object) -> "TypeGuard[Image]":
    pillow = sys.modules.get("PIL.Image")  # loaded by the caller if it passes an image
    return pillow is not None and isinstance(source, pillow.Image)


def is_one(pictures: "Source | Iterable[Source]") -> "TypeGuard[Source]":
    """Whether it is one picture, not several; an array or tensor of four dimensions is several."""
    if holds_pixels(pictures):
        return cast(Any, pictures).ndim < 4
    single = (str, os.PathLike, bytes, bytearray, memoryview)
    return isinstance(pictures, single) or hasattr(pictures, "read") or _is_pillow(pictures)


def holds_pixels(source: object) -> bool:
    """Whether it is an array of NumPy or a tensor of PyTorch."""
    loaded = (("numpy", "ndarray"), ("torch", "Tensor"))  # by the caller, if it passes one
    modules = ((sys.modules.get(module), name) for module, name in loaded)
    return any(module and isinstance(source, getattr(module, name)) for module, name in modules)


def _image_of(pixels: Any) -> "Image":
    from PIL import Image

    from .arrays import rgb_of

    return Image.fromarray(rgb_of(pixels))


def _as_png(image: "Image") -> bytes:
    """PNG is lossless, and every backend reads it."""
    from PIL import ImageOps

    file = io.BytesIO()
    try:
        upright = ImageOps.exif_transpose(image)
        if upright.mode not in PNG_MODES:
            upright = upright.convert("RGB")
        upright.save(file, "PNG", compress_level=1)
    except (OSError, ValueError, SyntaxError) as error:  # its file is read only now
        raise PictureError(f"the image cannot be read: {error}", "corrupt") from None
    return file.getvalue()


def label_of(source: Source) -> str:
    """The start of a message: ``"holiday/cat.jpg: "``, or nothing for a source without a name.

    It is ``printable``, so that a message stays one line that can be written anywhere.
    """
    name = source if isinstance(source, (str, os.PathLike)) else getattr(source, "name", None)
    if not isinstance(name, (str, os.PathLike)):
        return ""
    return (printable(os.fsdecode(name)) or "''") + ": "


def printable(text: str) -> str:
    """Text with unprintable characters escaped: line breaks, ESC, bytes that are not UTF-8.

    Terminals obey some of those characters, and anybody can name a file.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def check_bytes(count: int, limits: Limits, label: str = "") -> None:
    """Raises PictureError for more bytes than the limit."""
    if count > limits.max_bytes:
        message = f"{label}{count:,} bytes are more than the limit of {limits.max_bytes:,}"
        raise PictureError(message, "too-many-bytes")


def _read_path(path: str | os.PathLike[str], limits: Limits, label: str) -> bytes:
    if is_stuck(path):
        raise PictureError(f"{label}{SILENT}", "unreadable")
    try:
        # O_NONBLOCK: opening a named pipe must not wait for somebody to write into it.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(path, flags | getattr(os, "O_CLOEXEC", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise PictureError(
                    f"{label}this is {kind_of(status.st_mode)}, not a picture", "not-a-file"
                )
            check_bytes(status.st_size, limits, label)
            return _read_file(file, limits, label)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a NUL in the path
        raise PictureError(f"{label}there is no file at this path", "not-found") from None
    except IsADirectoryError:
        raise PictureError(f"{label}this is a folder; name a picture in it", "not-a-file") from None
    except PermissionError:
        raise PictureError(f"{label}there is no permission to read it", "unreadable") from None
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else "input/output error"
        raise PictureError(f"{label}it cannot be read: {why}", "unreadable") from None


def _read_file(file: BinaryIO, limits: Limits, label: str) -> bytes:
    """The rest of the file, but at most one byte over the limit."""
    pieces: list[bytes] = []
    left = limits.max_bytes + 1
    while left > 0:
        try:
            piece = file.read(left)
        except (OSError, ValueError):  # ValueError: the file is closed
            raise PictureError(f"{label}it cannot be read to its end", "unreadable") from None
        if not piece:
            break
        if not isinstance(piece, (bytes, bytearray)):
            raise TypeError(f"a file of pictures is opened in binary mode, read gave {piece!r:.40}")
        pieces.append(bytes(piece))
        left -= len(piece)
    data = b"".join(pieces)
    if len(data) > limits.max_bytes:
        message = f"{label}it has more bytes than the limit of {limits.max_bytes:,}"
        raise PictureError(message, "too-many-bytes")
    return data


_DATA_URL = re.compile(rb"data:[^,]{0,255},", re.IGNORECASE)
_LINE_BREAKS = b"\r\n\t\v\f"
_FROM_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def decode_base64(text: str | bytes, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Decode base64 text strictly.

    Accepts both alphabets of RFC 4648 (``+/`` and the URL-safe ``-_``, but not mixed), with or
    without padding, broken into lines or not, alone or in a ``data:...;base64,`` URL. A space is
    refused, because a web form makes one of each ``+``: skipping it would give other bytes.

    Raises:
        PictureError: bad-base64, empty, too-many-bytes (asked before anything is decoded).
    """
    most = 4 * -(-limits.max_bytes // 3)
    if len(text) > 2 * most + 1024:  # even if every second character were a line break
        raise _too_long(limits)
    try:
        raw = text.encode("ascii") if isinstance(text, str) else bytes(text)
    except UnicodeEncodeError as error:
        raise _bad_base64(f"the character {text[error.start]!r} is not of its alphabet") from None
    if url := _DATA_URL.match(raw):
        if not url.group().lower().endswith(b";base64,"):
            raise _bad_base64("the data URL does not say ';base64,' before its data")
        raw = raw[url.end() :]
    broken = any(each in raw for each in _LINE_BREAKS)
    digits = raw.translate(None, _LINE_BREAKS) if broken else raw
    if len(digits) > most:
        raise _too_long(limits)
    data = _decode_digits(digits)
    check_bytes(len(data), limits)
    if not data:
        raise PictureError("the base64 text stands for 0 bytes", "empty")
    return data


def _decode_digits(digits: bytes) -> bytes:
    if b" " in digits:
        raise _bad_base64("there is a space in it (a web form makes one of each '+')")
    if (b"-" in digits or b"_" in digits) and (b"+" in digits or b"/" in digits):
        raise _bad_base64("it mixes the usual alphabet (+ and /) with the URL-safe one (- and _)")
    bare = digits.rstrip(b"=")
    padding = len(digits) - len(bare)
    if len(bare) % 4 == 1 or padding not in (0, -len(bare) % 4):
        raise _bad_base64("its length is wrong: a part is missing")
    if b"-" in bare or b"_" in bare:
        bare = bare.translate(_FROM_URL_SAFE)
    full = bare + b"=" * (-len(bare) % 4)
    try:
        data = pybase64.b64decode(full, validate=True)
    except binascii.Error:
        raise _bad_base64("there are characters in it that are not of its alphabet") from None
    # Encoders write zeros into the unused bits at the end; otherwise something was cut off.
    if full.endswith(b"=") and not full.endswith(pybase64.b64encode(data[-(len(data) % 3) :])):
        raise _bad_base64("it is cut off within a byte")
    return data


def _bad_base64(why: str) -> PictureError:
    return PictureError(f"this is not base64: {why}", "bad-base64")


def _too_long(limits: Limits) -> PictureError:
    message = f"the base64 text stands for more bytes than the limit of {limits.max_bytes:,}"
    return PictureError(message, "too-many-bytes")
