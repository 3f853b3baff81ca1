"""Pillow's warnings, silenced while this thread decodes and for nobody else.

A damaged picture is answered with an error or with pixels; what Pillow mutters on the way (corrupt
EXIF, a truncated tag) is of no use to anybody and, where warnings are errors, would lose a good
picture. ``warnings.catch_warnings`` swaps the filters of the whole process, which breaks with two
threads; so one lasting filter is put in front that asks, at each warning, whether the thread that
warns is decoding.
"""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_thread = threading.local()


class _AskTheThread(type):
    def __subclasscheck__(cls, category: type) -> bool:
        return getattr(_thread, "decoding", False)


class _Muttering(Warning, metaclass=_AskTheThread):
    """Stands, in the filter, for every warning of a thread that is decoding."""


def _is_for_others(record: logging.LogRecord) -> bool:
    return not getattr(_thread, "decoding", False)


@contextmanager
def quiet() -> Iterator[None]:
    """While inside, what Pillow mutters in this thread is not shown, recorded, raised or logged."""
    if not warnings.filters or warnings.filters[0][2] is not _Muttering:
        warnings.simplefilter("ignore", _Muttering)  # in front, once
    logging.getLogger("PIL.TiffImagePlugin").addFilter(_is_for_others)  # added once
    before = getattr(_thread, "decoding", False)
    _thread.decoding = True
    try:
        yield
    finally:
        _thread.decoding = before
