"""Silences Pillow's warnings while this thread decodes, and for no other thread.

A damaged picture gives an error or pixels. The warnings on the way (corrupt EXIF, a truncated tag)
help nobody and, where warnings are errors, would lose a good picture. ``warnings.catch_warnings``
replaces the filters of the whole process, which breaks with two threads. So one permanent filter
comes first, which matches only warnings of threads that are decoding.
"""

import ctypes
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import PIL

_thread = threading.local()


class _AskTheThread(type):
    def __subclasscheck__(cls, category: type) -> bool:
        return getattr(_thread, "decoding", False)


class _WhileDecoding(Warning, metaclass=_AskTheThread):
    """The category of that filter: every warning of a thread that is decoding."""


def _is_for_others(record: logging.LogRecord) -> bool:
    return not getattr(_thread, "decoding", False)


@cache
def silence_libtiff() -> None:
    """Let libtiff, which Pillow's wheels bring along, print nothing: our error says what is wrong.

    It has one handler for the whole process.
    """
    here = Path(PIL.__file__).parent
    for folder in (here.with_name("pillow.libs"), here / ".dylibs"):
        for file in folder.glob("libtiff*"):
            ctypes.CDLL(str(file)).TIFFSetErrorHandler(None)


@contextmanager
def quiet() -> Iterator[None]:
    """Inside the block, warnings in this thread are not shown, recorded, raised or logged."""
    if not warnings.filters or warnings.filters[0][2] is not _WhileDecoding:
        warnings.simplefilter("ignore", _WhileDecoding)  # first in the list, once
    logging.getLogger("PIL.TiffImagePlugin").addFilter(_is_for_others)  # added once
    before = getattr(_thread, "decoding", False)
    _thread.decoding = True
    try:
        yield
    finally:
        _thread.decoding = before
