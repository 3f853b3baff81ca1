"""Local features: points that are found again from another distance, angle and light.

Lowe: Distinctive Image Features from Scale-Invariant Keypoints, IJCV 2004 (SIFT); Arandjelović and
Zisserman: Three Things Everyone Should Know to Improve Object Retrieval, CVPR 2012 (their square
roots are compared: RootSIFT).

A descriptor holds 8 directions of each of 4 x 4 squares, and neighbors among them are alike. So its
lowest frequencies, 37 of 128, hold most of it (cosine transform along the squares, Fourier
along the directions). They are enough to tell a copy, and not to tell an object in perspective.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import cv2
import numpy as np

from kkcv.images.decode import decode
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.images.source import Source

LONGEST = 400  # pixels of the longer side: a third of the time of 640, and as many are found
SMALL, ENLARGED = 240, 320  # to 480 takes twice the time and finds no more copies again
MOST = 400  # features per picture, the strongest
ASKED = 283, 300  # pixels and features of a picture that copies are asked with: half of the time
CONTRAST = 0.02  # half of Lowe's, because packages also have pale print
STEPS, HIGHEST = 40, 15  # a square root is kept as a multiple of 1/40 up to 15/40, in 4 bits

GRID = 65535  # steps of a coordinate

# A mirrored picture has the same points with other descriptors: of 4 rows x 4 columns x 8
# directions, the rows are in the opposite order, and so are the directions.
MIRRORED = np.arange(128).reshape(4, 4, 8)[::-1][:, :, -np.arange(8) % 8].ravel()
LOWEST = 2  # the largest of the three frequencies that are compared, and half of their largest sum


@dataclass(frozen=True, eq=False)
class Features:
    """Points of a picture with what it looks like around them.

    ``points`` float32 (N, 2), x and y as fractions of the picture's width and height; ``sizes``
    float32 (N,), base 2 logarithms of pixels; ``angles`` float32 (N,), degrees, clockwise;
    ``descriptors`` uint8 (N, 128), from 0 to 15; ``shape``: height and width in pixels after
    resizing.
    """

    points: np.ndarray
    sizes: np.ndarray
    angles: np.ndarray
    descriptors: np.ndarray
    shape: tuple[int, int]

    @cached_property
    def unit(self) -> np.ndarray:
        """The descriptors, of length one: float32 (N, 128)."""
        return of_length_one(self.descriptors.astype(np.float32))

    @cached_property
    def low(self) -> np.ndarray:
        """Their low frequencies alone, of length one: float32 (N, 37)."""
        return of_length_one(self.descriptors.astype(np.float32) @ low_frequencies())

    def mirrored(self) -> "Features":
        """The features of the picture with left and right exchanged."""
        points = np.stack([1 - self.points[:, 0], self.points[:, 1]], axis=1)
        descriptors = np.ascontiguousarray(self.descriptors[:, MIRRORED])
        return Features(points, self.sizes, (180 - self.angles) % 360, descriptors, self.shape)


def of_length_one(rows: np.ndarray) -> np.ndarray:
    lengths = np.sqrt(np.einsum("nd,nd->n", rows, rows))
    return rows / np.maximum(lengths, 1)[:, None]


@cache
def low_frequencies() -> np.ndarray:
    """The projection of a descriptor to its low frequencies: orthonormal, float32 (128, 37)."""
    at, way = np.arange(4), np.arange(8)
    squares = np.cos(np.pi * np.outer(np.arange(4), at + 0.5) / 4)
    frequency = np.array([0, 1, 1, 2, 2, 3, 3, 4])
    quarter = np.array([0, 0, 1, 0, 1, 0, 1, 0]) * np.pi / 2  # sines beside cosines
    directions = np.cos(2 * np.pi * np.outer(frequency, way) / 8 - quarter[:, None])
    basis = np.einsum("ai,bj,ck->abcijk", squares, squares, directions).reshape(128, 128)
    of_each = np.stack(np.meshgrid(at, at, frequency, indexing="ij"), axis=-1).reshape(128, 3)
    low = basis[(of_each <= LOWEST).all(axis=1) & (of_each.sum(axis=1) <= 2 * LOWEST)]
    return np.ascontiguousarray((low / np.linalg.norm(low, axis=1, keepdims=True)).T, np.float32)


def features(pixels: np.ndarray, longest: int = 0, most: int = MOST) -> Features:
    """The strongest features of a picture, uint8 (H, W, 3), resized to so many pixels."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    side = max(grey.shape)
    scale = (longest or (ENLARGED if side <= SMALL else LONGEST)) / side
    if scale != 1:
        size = [max(round(each * scale), 1) for each in grey.shape[::-1]]
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        grey = cv2.resize(grey, size, interpolation=how)
    height, width = grey.shape
    sift = cv2.SIFT.create(nfeatures=most, contrastThreshold=CONTRAST)
    keypoints, descriptors = sift.detectAndCompute(grey, None)
    if not len(keypoints):
        descriptors = np.empty((0, 128), np.float32)
    keypoints, descriptors = keypoints[:most], descriptors[:most]  # ties may give a few more
    points = np.array([point.pt for point in keypoints], np.float32).reshape(-1, 2)
    total = np.maximum(descriptors.sum(1, keepdims=True), 1)
    roots = np.minimum(np.rint(np.sqrt(descriptors / total) * STEPS), HIGHEST).astype(np.uint8)
    sizes = np.log2(np.array([point.size for point in keypoints], np.float32))
    angles = np.array([point.angle for point in keypoints], np.float32)
    return Features(  # rounded as they are stored (store.py)
        (np.rint(points / [width, height] * GRID) / GRID).astype(np.float32),
        sizes.astype(np.float16).astype(np.float32),
        angles.astype(np.float16).astype(np.float32),
        roots,
        (height, width),
    )


def features_of(source: Source, limits: Limits = DEFAULT_LIMITS) -> Features:
    """The features of a path, bytes or a file object (PictureError)."""
    return features(decode(source, limits, target=LONGEST // 2))
