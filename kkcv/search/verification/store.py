"""The local features of a gallery's pictures on the disk.

    gallery/local/ab/ab12….npz    named by the sha256 of the picture's bytes

They are derived: the folder may be deleted at any time. A picture takes up to 110 KB.
"""

import logging
from pathlib import Path

import numpy as np

from kkcv.disk import atomic_write

from .features import MOST, Features

FOLDER = "local"
log = logging.getLogger(__name__)


def read_features(folder: Path, sha256: bytes) -> Features | None:
    """The stored features of a picture with these bytes; None without usable ones."""
    try:
        with np.load(file_of(folder, sha256)) as stored:
            points, descriptors, shape = stored["points"], stored["descriptors"], stored["shape"]
    except (OSError, ValueError, KeyError, EOFError):
        return None
    whole = points.shape == (len(points), 2) and descriptors.shape == (len(points), 128)
    if not whole or shape.shape != (2,) or len(points) > MOST or descriptors.dtype != np.uint8:
        return None
    return Features(points.astype(np.float32), descriptors, (int(shape[0]), int(shape[1])))


def write_features(folder: Path, sha256: bytes, found: Features) -> None:
    """Store features; if the disk refuses, they are computed again next time."""
    file = file_of(folder, sha256)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file) as part, part.open("wb") as out:
            shape = np.array(found.shape)
            np.savez(out, points=found.points, descriptors=found.descriptors, shape=shape)
    except OSError as error:
        log.info("%s cannot be written (%s)", file, error.strerror)


def delete_features(folder: Path, sha256: bytes) -> None:
    """Delete the features of a removed picture."""
    file_of(folder, sha256).unlink(missing_ok=True)


def file_of(folder: Path, sha256: bytes) -> Path:
    name = sha256.hex()
    return folder / FOLDER / name[:2] / f"{name}.npz"
