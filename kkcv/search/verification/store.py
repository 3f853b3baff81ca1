"""The local features of a gallery's pictures on the disk.

    gallery/local/ab/ab12….points    named by the sha256 of the picture's bytes

They are derived: the folder may be deleted at any time. A picture takes up to 29 KB: 8 bytes of
header, then 72 for each point.
"""

import logging
from pathlib import Path

import numpy as np

from kkcv.disk import atomic_write

from .features import GRID, MOST, Features

FOLDER = "local"
MARK = 0x316C6B6B  # "kkl1": the format
HEADER = np.dtype([("mark", "<u4"), ("height", "<u2"), ("width", "<u2")])
POINT = np.dtype(
    [
        ("place", "<u2", 2),  # x and y as fractions of 65535
        ("size", "<f2"),
        ("angle", "<f2"),
        ("descriptor", "u1", 64),  # two numbers a byte
    ]
)
log = logging.getLogger(__name__)


def read_features(folder: Path, sha256: bytes) -> Features | None:
    """The stored features of a picture with these bytes; None without usable ones."""
    try:
        data = file_of(folder, sha256).read_bytes()
    except OSError:
        return None
    count, rest = divmod(len(data) - HEADER.itemsize, POINT.itemsize)
    if rest or not 0 <= count <= MOST:
        return None
    (header,) = np.frombuffer(data, HEADER, 1)
    if header["mark"] != MARK or not (header["height"] and header["width"]):
        return None
    points = np.frombuffer(data, POINT, count, HEADER.itemsize)
    packed = points["descriptor"]
    descriptors = np.empty((count, 128), np.uint8)
    descriptors[:, 0::2], descriptors[:, 1::2] = packed & 15, packed >> 4
    return Features(
        points["place"].astype(np.float32) / GRID,
        points["size"].astype(np.float32),
        points["angle"].astype(np.float32),
        descriptors,
        (int(header["height"]), int(header["width"])),
    )


def write_features(folder: Path, sha256: bytes, found: Features) -> None:
    """Store features; if the disk refuses, they are computed again next time."""
    file = file_of(folder, sha256)
    points = np.zeros(len(found.points), POINT)
    points["place"] = np.rint(found.points.clip(0, 1) * GRID)
    points["size"], points["angle"] = found.sizes, found.angles
    points["descriptor"] = found.descriptors[:, 0::2] | found.descriptors[:, 1::2] << 4
    header = np.array([(MARK, *found.shape)], HEADER)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file) as part:
            part.write_bytes(header.tobytes() + points.tobytes())
        older_file(file).unlink(missing_ok=True)
    except OSError as error:
        log.info("%s cannot be written (%s)", file, error.strerror)


def has_features(folder: Path, sha256: bytes) -> bool:
    """Whether there is a file of them, also one of an older kkcv."""
    file = file_of(folder, sha256)
    return file.exists() or older_file(file).exists()


def delete_features(folder: Path, sha256: bytes) -> None:
    """Delete the features of a removed picture."""
    file = file_of(folder, sha256)
    file.unlink(missing_ok=True)
    older_file(file).unlink(missing_ok=True)


def file_of(folder: Path, sha256: bytes) -> Path:
    name = sha256.hex()
    return folder / f"{FOLDER}/{name[:2]}/{name}.points"  # one join: a search reads many


def older_file(file: Path) -> Path:
    """Where an older kkcv kept them, in four times the room."""
    return file.with_suffix(".npz")
