"""A look at every picture before anything is trained: damaged, doubled, small ones."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from kkcv.embedding.pipeline import ahead
from kkcv.errors import DataError, PictureError
from kkcv.images.decode import decode, image_size
from kkcv.images.source import read_bytes
from kkcv.timing import Progress, no_progress

from .duplicates import groups
from .labelled import LabelledData, Picture

THUMBNAIL = (17, 16)  # width and height in pixels: 16 horizontal steps in each of 16 rows


class Readable(NamedTuple):
    """A picture with its sha256; ``size`` is width and height in pixels."""

    picture: Picture
    size: tuple[int, int]
    thumbnail: np.ndarray  # grey levels, uint8 (16, 17)


@dataclass(frozen=True)
class Unreadable:
    """A picture that is left out, and why."""

    path: str
    reason: str
    message: str


@dataclass(frozen=True)
class Inspection:
    """All readable pictures, those that are not, and the groups that show the same.

    ``groups`` has the index of each readable picture once.
    """

    readable: tuple[Readable, ...]
    unreadable: tuple[Unreadable, ...]
    groups: list[list[int]]

    @property
    def pictures(self) -> list[Picture]:
        return [each.picture for each in self.readable]


def inspect_pictures(
    data: LabelledData, *, threads: int | None = None, progress: Progress = no_progress
) -> Inspection:
    """Decode every labelled picture once, in threads, and find those that show the same.

    Raises DataError when most paths lead nowhere, or a class has no readable picture.
    """
    readable: list[Readable] = []
    unreadable: list[Unreadable] = []
    failed: dict[str, str] = {}  # the first message of each class
    inspect = Inspect(data.root)
    for done, (picture, result) in enumerate(ahead(inspect, data.pictures, threads=threads), 1):
        if isinstance(result, PictureError):
            unreadable.append(Unreadable(picture.path, result.reason, str(result)))
            failed.setdefault(picture.label, str(result))
        else:
            readable.append(result)
        progress(done, len(data.pictures))
    missing = [each.path for each in unreadable if not os.path.lexists(data.root / each.path)]
    if 2 * len(missing) > len(data.pictures):
        raise DataError(
            f"{len(missing)} of {len(data.pictures)} paths are not found below {data.root}, the "
            f"first: {missing[0]}; --root names the folder where they begin"
        )
    for label in sorted(set(data.classes) - {each.picture.label for each in readable}):
        raise DataError(
            f"no picture of the class {label!r} can be read; the first: {failed[label]}"
        )
    contents = [each.picture.sha256 for each in readable]
    thumbnails = np.array([each.thumbnail for each in readable])
    return Inspection(tuple(readable), tuple(unreadable), groups(contents, thumbnails))


class Inspect:
    """Inspects one picture below the root."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, picture: Picture) -> Readable:
        content = read_bytes(self.root / picture.path)
        try:
            size = image_size(content)
            # quick for a JPEG, and still smoothed when it is made small
            pixels = decode(content, target=4 * THUMBNAIL[0])
        except PictureError as error:  # bytes in memory have no name
            raise PictureError(f"{picture.path}: {error}", error.reason) from None
        grey = Image.fromarray(pixels).convert("L")
        thumbnail = np.asarray(grey.resize(THUMBNAIL, Image.Resampling.BICUBIC))
        sha256 = hashlib.sha256(content).hexdigest()
        return Readable(picture._replace(sha256=sha256), size, thumbnail)
