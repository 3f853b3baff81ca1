"""The points that two pictures share: matches that agree on one change of view.

Two descriptors match if each is the other's nearest and clearly nearer than the second (Lowe 2004,
section 7.1). Matches of one view turn and scale alike, so first they vote for an angle and a scale
(Jégou, Douze, Schmid: Hamming Embedding and Weak Geometric Consistency, ECCV 2008): most pairs of
unlike pictures end here. Of those that won, the largest set that one homography explains is kept
(Fischler and Bolles: Random Sample Consensus, 1981), with OpenCV's MAGSAC++ (Barath et al., CVPR
2020, arXiv:1912.05909).
"""

from typing import NamedTuple

import cv2
import numpy as np

from .features import Features

RATIO = 0.9  # of the distances to the nearest and to the second
FEWEST = 6  # matches that agree: 2 of 4,530 unrelated pairs had so many
PIXELS = 4.0  # by which a match may be off
TRIALS = 500  # the vote has left few wrong matches
ANGLE, SCALE = 20.0, 0.5  # width of a bin of the vote, in degrees and as a logarithm to base 2
ANGLES, SCALES = 18, 24  # bins
SMALLEST, LARGEST = 0.002, 40.0  # area of the query in the hit, as a share of the hit's


class Match(NamedTuple):
    """``query`` and ``hit`` float32 (N, 2): matching points as fractions of width and height.

    ``place`` float32 (4, 2): the corners of the query in the hit, likewise, clockwise from its top
    left; ``query_place``: those of the hit in the query. ``angle``: how far the query must be
    turned clockwise to be like the hit, in degrees from 0 to 360.
    """

    query: np.ndarray
    hit: np.ndarray
    place: np.ndarray
    query_place: np.ndarray
    angle: float

    def __len__(self) -> int:
        return len(self.query)


def match(query: Features, hit: Features) -> Match | None:
    """Where the hit shows what the query shows; None if it does not."""
    first, second = pairs(query.compared, hit.compared)
    if len(first) < FEWEST:
        return None
    turns = (hit.angles[second] - query.angles[first]) % 360
    won = voted(turns, hit.sizes[second] - query.sizes[first])
    if int(won.sum()) < FEWEST:
        return None
    first, second, turns = first[won], second[won], turns[won]
    here = query.points[first] * query.shape[::-1]
    there = hit.points[second] * hit.shape[::-1]
    view, agreeing = cv2.findHomography(
        here, there, cv2.USAC_MAGSAC, PIXELS, maxIters=TRIALS, confidence=0.99
    )
    if view is None or int(agreeing.sum()) < FEWEST:
        return None
    place = outline(view, query.shape, hit.shape)
    if not plausible(place):
        return None
    kept = agreeing.ravel().astype(bool)
    return Match(
        query.points[first[kept]],
        hit.points[second[kept]],
        place,
        outline(np.linalg.inv(view), hit.shape, query.shape),
        mean_angle(turns[kept]),
    )


def outline(view: np.ndarray, shape: tuple[int, int], other: tuple[int, int]) -> np.ndarray:
    """The corners of a picture in another, as fractions of its sides: float32 (4, 2)."""
    height, width = shape
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32)
    return cv2.perspectiveTransform(corners, view)[0] / np.array(other[::-1], np.float32)


def mean_angle(degrees: np.ndarray) -> float:
    """The mean direction, from 0 to 360."""
    radians = np.deg2rad(degrees)
    return float(np.rad2deg(np.arctan2(np.sin(radians).mean(), np.cos(radians).mean())) % 360)


def voted(turns: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """The matches near the angle and scale that most of them have: both (P,) → bool (P,)."""
    angle = (turns // ANGLE).astype(int) % ANGLES
    scale = np.clip(np.floor(scales / SCALE).astype(int) + SCALES // 2, 1, SCALES - 2)
    votes = np.bincount(angle * SCALES + scale, minlength=ANGLES * SCALES).reshape(ANGLES, SCALES)
    votes = votes + np.roll(votes, 1, 0) + np.roll(votes, -1, 0)  # with the bins beside
    votes[:, 1:-1] = votes[:, 1:-1] + votes[:, 2:] + votes[:, :-2]
    best_angle, best_scale = np.unravel_index(votes.argmax(), votes.shape)
    apart = (angle - best_angle) % ANGLES
    return (np.minimum(apart, ANGLES - apart) <= 1) & (np.abs(scale - best_scale) <= 1)


def plausible(place: np.ndarray) -> bool:
    """Whether a picture can look like that: convex, not mirrored, neither tiny nor huge."""
    if not np.isfinite(place).all() or not cv2.isContourConvex(place):
        return False
    return SMALLEST < cv2.contourArea(place, oriented=True) < LARGEST


def pairs(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of matching descriptors: unit vectors (N, D), (M, D) → int64 (P,), (P,)."""
    nothing = np.empty(0, np.int64)
    if len(first) < 2 or len(second) < 2:
        return nothing, nothing
    alike = first @ second.T
    rows = np.arange(len(first))
    nearest = alike.argmax(1)
    best = alike[rows, nearest]
    alike[rows, nearest] = -1
    second_best = alike[rows, alike.argmax(1)]  # NumPy finds a place in half of max's time
    distance, other = 1 - best, 1 - second_best  # halves of the squared distances
    clear = np.flatnonzero(distance < RATIO**2 * other)
    if not len(clear):
        return nothing, nothing
    back = (second[nearest[clear]] @ first.T).argmax(1)  # of those alone: it is far quicker
    mutual = clear[back == clear]
    return mutual, nearest[mutual]
