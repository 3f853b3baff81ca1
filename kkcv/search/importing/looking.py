"""A look at a file that is to be imported: it is read, hashed and decoded as far as needed."""

import hashlib
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from kkcv.answering import is_stuck
from kkcv.embedding import panoramas
from kkcv.embedding.embedder import Embedder
from kkcv.errors import PictureError
from kkcv.images.decode import image_size
from kkcv.images.exif import exif_of
from kkcv.images.limits import Limits
from kkcv.images.skipped import is_sheet
from kkcv.images.source import label_of, read_bytes
from kkcv.search.engine import Catalog
from kkcv.search.picture import UNKEPT, PictureFile, Stamp

LARGEST = 2**63 - 1  # that a catalog can hold: nanoseconds until the year 2262, and an inode


class Named(NamedTuple):
    """A file: its absolute path as it was found, and its name in the catalog."""

    path: str
    name: str


class Found(NamedTuple):
    """A file to be imported; without a crop, the gallery has its bytes and vector already."""

    file: PictureFile
    crop: np.ndarray | None
    stamp: Stamp = UNKEPT
    exif: Mapping[str, Any] = MappingProxyType({})  # if it was read; else another picture has it


class Sheet(NamedTuple):
    """A contact sheet that kkcv made, which is not imported."""


def look_at(
    catalog: Catalog, embedder: Embedder, named: Named, limits: Limits, rehash: bool = False
) -> Found | Sheet | None:
    """A file that has to be imported, or None if it is unchanged (PictureError).

    ``rehash`` reads the file even if the file system says that it is unchanged, and makes anew what
    an older kkcv did not make: EXIF, and the vectors of panoramas.
    """
    path, name = named
    status = status_of(path)  # before the bytes: a change in between is seen next time
    mtime_ns, stamp = (0, UNKEPT) if status is None else times_of(status)
    with catalog.stale_reading() as rows:
        known = rows.by_path(name)
        if known and status and not rehash:
            kept = rows.stamp(known.id)
            if is_untouched(known.file, kept, status):
                return None if kept else Found(known.file, None, stamp)
        data = read_bytes(path, limits)
        if is_sheet(data):
            return Sheet()
        sha256 = hashlib.sha256(data).digest()
        file = PictureFile(name, False, sha256, len(data), mtime_ns)
        if rows.by_sha256(sha256, 1):
            if not rehash:  # the gallery has the vector: nothing is decoded
                return Found(file, None, stamp)
            crop = prepared(embedder, path, data, limits) if is_panorama(data, limits) else None
            return Found(file, crop, stamp, exif_of(data))
    return Found(file, prepared(embedder, path, data, limits), stamp, exif_of(data))


def is_panorama(data: bytes, limits: Limits) -> bool:
    width, height = image_size(data, limits)
    return panoramas.count(height, width) > 1


def is_untouched(file: PictureFile, kept: Stamp | None, status: os.stat_result) -> bool:
    """Whether a file is as it was when it was read, as far as the file system knows."""
    mtime_ns, stamp = times_of(status)
    if (status.st_size, mtime_ns) != (file.bytes, file.mtime_ns):
        return False
    return kept in (None, UNKEPT, stamp)


def times_of(status: os.stat_result) -> tuple[int, Stamp]:
    """The time of modification in nanoseconds since 1970, and the stamp."""
    stamp = Stamp(within(status.st_ctime_ns), status.st_ino & LARGEST)  # of 64 bits, 63 are kept
    return within(status.st_mtime_ns), stamp


def within(number: int) -> int:
    """The nearest number that a catalog can hold: files may be of the year 1601 or 2400."""
    return max(-LARGEST, min(number, LARGEST))


def status_of(path: str) -> os.stat_result | None:
    """None if there is none; reading the file will say why."""
    if is_stuck(path):
        return None
    try:
        return os.stat(path)
    except (OSError, ValueError):
        return None


def modified(path: str) -> int:
    """The time of modification in nanoseconds; 0 if unknown."""
    status = status_of(path)
    return 0 if status is None else within(status.st_mtime_ns)


def prepared(embedder: Embedder, path: str, data: bytes, limits: Limits) -> np.ndarray:
    """The network's crop of a file; an error names the file."""
    try:
        return embedder.prepare_row(data, limits)
    except PictureError as error:
        raise PictureError(f"{label_of(path)}{error}", error.reason) from None
