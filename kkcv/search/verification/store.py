"""Local features of a gallery's pictures: made when first needed, then on the disk.

    gallery/local/ab/ab12….npz    named by the sha256 of the picture's bytes

Derived: the folder may be deleted at any time. A picture takes up to 110 KB.
"""

import logging
import math
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np

from kkcv.disk import atomic_write
from kkcv.errors import FileMissing, PictureError, RequestError, UnknownPicture
from kkcv.images.decode import decode
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.images.source import Source
from kkcv.search.hits import Hit
from kkcv.search.options import Verify
from kkcv.search.picture import Picture
from kkcv.search.query import Like, Text
from kkcv.timing import step

from .features import LONGEST, MOST, Features, features
from .verify import tied, verified

if TYPE_CHECKING:
    from kkcv.search.gallery import Gallery

FOLDER = "local"
SECONDS = 5.0  # that a search may spend on features that are not on the disk yet
log = logging.getLogger(__name__)


class LocalFeatures:
    """The local features of a gallery's pictures, and of those that it is asked with."""

    def __init__(self, gallery: "Gallery", limits: Limits) -> None:
        self._gallery = gallery
        self._limits = limits
        self._until = math.inf

    def verified(self, pictures: Sequence[Like], hits: list[Hit], how: Verify) -> list[Hit]:
        """The hits by what they share with the first picture that is liked; ``how`` "ties": only
        where the scores do not decide (PictureError, UnknownPicture, FileMissing, RequestError).
        """
        looked_at = len(hits) if how is True else tied(hits)
        if not looked_at:
            return hits
        with step("search"):
            query = self.of_query(pictures)
            self._until = time.monotonic() + SECONDS
            return verified(query, hits[:looked_at], self.of_hit) + hits[looked_at:]

    def of_query(self, likes: Sequence[Like]) -> Features:
        """Of the first picture that is asked with, whole or a region of it (RequestError)."""
        for like in likes:
            source = like.picture
            if like.weight > 0 and not isinstance(source, Text):
                break
        else:
            raise RequestError("to verify hits takes a picture that is liked; here is only a text")
        if like.region is None:
            if isinstance(source, int):
                return self.of_picture(self._gallery.get(source))
            with self._turn():
                return features_of(source, self._limits)
        if isinstance(source, int):
            source = self._gallery.read(self._gallery.get(source))
        with self._turn():
            return features(like.region.of(decode(source, self._limits)))

    def of_hit(self, hit: Hit) -> Features | None:
        """Of a picture of the gallery; None where its file has gone or cannot be read.

        None also where they are not on the disk yet and there is no time left to make them.
        """
        try:
            return self.of_picture(self._gallery.get(hit.id), self._until)
        except (FileMissing, PictureError, UnknownPicture):
            return None

    @overload
    def of_picture(self, picture: Picture) -> Features: ...
    @overload
    def of_picture(self, picture: Picture, until: float) -> Features | None: ...
    def of_picture(self, picture: Picture, until: float = math.inf) -> Features | None:
        """From the disk, or made now and kept there (FileMissing, PictureError).

        ``until`` is the time (monotonic) after which none are made.
        """
        sha256, folder = picture.file.sha256, self._gallery.folder
        found = kept_features(folder, sha256)
        if found is None:
            if time.monotonic() > until:
                return None
            data = self._gallery.read(picture)
            with self._turn():
                found = features_of(data)
            keep_features(folder, sha256, found)
        return found

    def _turn(self) -> AbstractContextManager[None]:
        """A service decodes only so many pictures at the same time."""
        return self._gallery.generation.sharing.turn()


def features_of(source: Source, limits: Limits = DEFAULT_LIMITS) -> Features:
    """Of a path, bytes or a file object (PictureError)."""
    return features(decode(source, limits, target=LONGEST // 2))


def kept_features(folder: Path, sha256: bytes) -> Features | None:
    """What is on the disk for these bytes; None where there is nothing that can be used."""
    try:
        with np.load(file_of(folder, sha256)) as kept:
            points, descriptors, shape = kept["points"], kept["descriptors"], kept["shape"]
    except (OSError, ValueError, KeyError, EOFError):
        return None
    whole = points.shape == (len(points), 2) and descriptors.shape == (len(points), 128)
    if not whole or shape.shape != (2,) or len(points) > MOST or descriptors.dtype != np.uint8:
        return None
    return Features(points.astype(np.float32), descriptors, (int(shape[0]), int(shape[1])))


def keep_features(folder: Path, sha256: bytes, found: Features) -> None:
    """Put them on the disk; where that refuses, they are made again next time."""
    file = file_of(folder, sha256)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file) as part, part.open("wb") as out:
            np.savez(
                out,
                points=found.points,
                descriptors=found.descriptors,
                shape=np.array(found.shape),
            )
    except OSError as error:
        log.info("%s cannot be written (%s)", file, error.strerror)


def forget_features(folder: Path, sha256: bytes) -> None:
    """Delete what is kept of a picture that has gone."""
    file_of(folder, sha256).unlink(missing_ok=True)


def file_of(folder: Path, sha256: bytes) -> Path:
    name = sha256.hex()
    return folder / FOLDER / name[:2] / f"{name}.npz"
