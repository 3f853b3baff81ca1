"""The points that two pictures share: matches that agree on one change of view.

Two descriptors match if each is the other's nearest and clearly nearer than the second (Lowe 2004,
section 7.1). The largest set of matches that one homography explains is kept (Fischler and Bolles:
Random Sample Consensus, 1981), with OpenCV's MAGSAC++ (Barath et al., CVPR 2020,
arXiv:1912.05909).
"""

from typing import NamedTuple

import numpy as np

from .features import STEPS, Features

RATIO = 0.85  # of the distances to the nearest and to the second
FEWEST = 8  # matches that agree: 635 unrelated pairs had at most 7
PIXELS = 5.0  # by which a match may be off
TRIALS = 2000
SMALLEST, LARGEST = 0.002, 20.0  # area of the query in the hit, as a share of the hit's


class Match(NamedTuple):
    """``query`` and ``hit`` float32 (N, 2): matching points as fractions of width and height;
    ``place`` float32 (4, 2): the corners of the query in the hit, likewise.
    """

    query: np.ndarray
    hit: np.ndarray
    place: np.ndarray

    def __len__(self) -> int:
        return len(self.query)


def match(query: Features, hit: Features) -> Match | None:
    """Where the hit shows what the query shows; None if it does not."""
    import cv2

    first, second = pairs(query.descriptors, hit.descriptors)
    if len(first) < FEWEST:
        return None
    here = query.points[first] * query.shape[::-1]
    there = hit.points[second] * hit.shape[::-1]
    view, agreeing = cv2.findHomography(
        here, there, cv2.USAC_MAGSAC, PIXELS, maxIters=TRIALS, confidence=0.999
    )
    if view is None or int(agreeing.sum()) < FEWEST:
        return None
    height, width = query.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    place = cv2.perspectiveTransform(corners[None], view)[0] / np.array(hit.shape[::-1], np.float32)
    if not plausible(place):
        return None
    kept = agreeing.ravel().astype(bool)
    return Match(query.points[first[kept]], hit.points[second[kept]], place)


def plausible(place: np.ndarray) -> bool:
    """Whether a picture can look like that: convex, not mirrored, neither tiny nor huge."""
    import cv2

    if not np.isfinite(place).all() or not cv2.isContourConvex(place):
        return False
    return SMALLEST < cv2.contourArea(place, oriented=True) < LARGEST


def pairs(query: np.ndarray, hit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of matching descriptors: uint8 (N, 128), (M, 128) → int64 (P,), (P,)."""
    nothing = np.empty(0, np.int64)
    if len(query) < 2 or len(hit) < 2:
        return nothing, nothing
    alike = (query.astype(np.float32) @ hit.T.astype(np.float32)) / STEPS**2
    nearest = alike.argmax(1)
    rows = np.arange(len(query))
    mutual = alike.argmax(0)[nearest] == rows
    best = alike[rows, nearest]
    alike[rows, nearest] = -1
    distance, other = 1 - best, 1 - alike.max(1)  # halves of the squared distances
    clear = mutual & (distance < RATIO**2 * other)
    return rows[clear], nearest[clear]
