"""Local features: points that are found again from another distance, angle and light.

Lowe: Distinctive Image Features from Scale-Invariant Keypoints, IJCV 2004 (SIFT); Arandjelović and
Zisserman: Three Things Everyone Should Know to Improve Object Retrieval, CVPR 2012 (their square
roots are compared: RootSIFT).
"""

from typing import NamedTuple

import numpy as np

from kkcv.images.decode import decode
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.images.source import Source

LONGEST = 640  # pixels of the longer side
SMALL = 480  # smaller pictures are enlarged to this: two to four times as many points match again
MOST = 800  # features per picture, the strongest
CONTRAST = 0.02  # half of Lowe's, because packages also have pale print
STEPS = 512  # a square root is kept as a multiple of 1/512, in a byte


class Features(NamedTuple):
    """``points`` float32 (N, 2), x and y as fractions of the picture's width and height;
    ``descriptors`` uint8 (N, 128); ``shape``: height and width in pixels after resizing.
    """

    points: np.ndarray
    descriptors: np.ndarray
    shape: tuple[int, int]


def features(pixels: np.ndarray) -> Features:
    """The strongest features of a picture: uint8 (H, W, 3)."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    scale = float(np.clip(1, SMALL / max(grey.shape), LONGEST / max(grey.shape)))
    if scale != 1:
        size = [max(round(side * scale), 1) for side in grey.shape[::-1]]
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        grey = cv2.resize(grey, size, interpolation=how)
    height, width = grey.shape
    sift = cv2.SIFT.create(nfeatures=MOST, contrastThreshold=CONTRAST)
    keypoints, descriptors = sift.detectAndCompute(grey, None)
    if not len(keypoints):
        descriptors = np.empty((0, 128), np.float32)
    descriptors = descriptors[:MOST]  # ties may give a few more
    points = np.array([point.pt for point in keypoints[:MOST]], np.float32).reshape(-1, 2)
    total = np.maximum(descriptors.sum(1, keepdims=True), 1)
    roots = np.minimum(np.rint(np.sqrt(descriptors / total) * STEPS), 255).astype(np.uint8)
    return Features(points / np.array([width, height], np.float32), roots, (height, width))


def features_of(source: Source, limits: Limits = DEFAULT_LIMITS) -> Features:
    """The features of a path, bytes or a file object (PictureError)."""
    return features(decode(source, limits, target=LONGEST // 2))
