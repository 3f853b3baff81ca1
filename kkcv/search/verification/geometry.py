"""The points that two pictures share: matches that agree on one change of view.

Two descriptors match if each is the other's nearest and clearly nearer than the second (Lowe 2004,
section 7.1). Matches of one view turn and scale alike, so first they vote for an angle and a scale
(Jégou, Douze, Schmid: Hamming Embedding and Weak Geometric Consistency, ECCV 2008): most pairs of
unlike pictures end here. Of those that won, the largest set that one homography explains is kept
(Fischler and Bolles: Random Sample Consensus, 1981), with OpenCV's MAGSAC++ (Barath et al., CVPR
2020, arXiv:1912.05909).
"""

from collections.abc import Sequence
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
    return matches(query, [hit])[0]


def matches(query: Features, hits: Sequence[Features], *, low: bool = False) -> list[Match | None]:
    """``match`` of each hit: several at a time take less time each.

    ``low`` compares the low frequencies of descriptors alone, in less than half of the time.
    """
    of_query, *of_hits = (each.low if low else each.unit for each in (query, *hits))
    first, which, second = pairs(of_query, of_hits)
    if not len(first):
        return [None] * len(hits)
    there = np.cumsum([0, *(len(hit.points) for hit in hits)])[which] + second
    angles = np.concatenate([hit.angles for hit in hits])[there]
    sizes = np.concatenate([hit.sizes for hit in hits])[there]
    turns = (angles - query.angles[first]) % 360
    won = np.flatnonzero(voted(which, turns, sizes - query.sizes[first], len(hits)))
    mine = (won[which[won] == number] for number in range(len(hits)))
    return [
        agreeing(query, hit, first[some], second[some], turns[some])
        for hit, some in zip(hits, mine, strict=True)
    ]


def agreeing(
    query: Features, hit: Features, first: np.ndarray, second: np.ndarray, turns: np.ndarray
) -> Match | None:
    """The largest set of pairs that one homography explains; ``turns`` are their angles."""
    if len(first) < FEWEST:
        return None
    here = query.points[first] * query.shape[::-1]
    there = hit.points[second] * hit.shape[::-1]
    view, agree = cv2.findHomography(
        here, there, cv2.USAC_MAGSAC, PIXELS, maxIters=TRIALS, confidence=0.99
    )
    if view is None or int(agree.sum()) < FEWEST:
        return None
    place = outline(view, query.shape, hit.shape)
    if not plausible(place):
        return None
    kept = agree.ravel().astype(bool)
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


def voted(which: np.ndarray, turns: np.ndarray, scales: np.ndarray, hits: int) -> np.ndarray:
    """The pairs near the angle and scale that most of their hit have: all (P,) → bool (P,).

    ``which`` of the ``hits`` they are of is int64.
    """
    angle = (turns // ANGLE).astype(int) % ANGLES
    scale = np.clip(np.floor(scales / SCALE).astype(int) + SCALES // 2, 1, SCALES - 2)
    bins = (which * ANGLES + angle) * SCALES + scale
    votes = np.bincount(bins, minlength=hits * ANGLES * SCALES).reshape(hits, ANGLES, SCALES)
    beside = np.arange(ANGLES) - 1
    votes = votes + votes[:, beside] + votes[:, (beside + 2) % ANGLES]
    votes[:, :, 1:-1] = votes[:, :, 1:-1] + votes[:, :, 2:] + votes[:, :, :-2]
    best_angle, best_scale = np.divmod(votes.reshape(hits, -1).argmax(1), SCALES)
    apart = (angle - best_angle[which]) % ANGLES
    near = np.minimum(apart, ANGLES - apart) <= 1
    return near & (np.abs(scale - best_scale[which]) <= 1)


def plausible(place: np.ndarray) -> bool:
    """Whether a picture can look like that: convex, not mirrored, neither tiny nor huge."""
    if not np.isfinite(place).all() or not cv2.isContourConvex(place):
        return False
    return SMALLEST < cv2.contourArea(place, oriented=True) < LARGEST


def pairs(
    query: np.ndarray, hits: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Matching descriptors, unit vectors (N, D) and (M, D) of each hit.

    Returns the number in the query, which hit, and the number there: three of int64 (P,).
    """
    points = np.array([len(hit) for hit in hits], np.int64)
    most = points.max(initial=0)
    if not len(query) or not most:
        return (np.empty(0, np.int64),) * 3
    there = np.zeros((len(hits), most, query.shape[1]), np.float32)  # zeros are like nothing
    for place, hit in zip(there, hits, strict=True):
        place[: len(hit)] = hit
    alike = (query @ there.reshape(-1, query.shape[1]).T).reshape(len(query), len(hits), most)
    rows, columns = np.ogrid[: len(query), : len(hits)]
    nearest = alike.argmax(2)
    best = alike[rows, columns, nearest]
    alike[rows, columns, nearest] = -1
    second_best = alike[rows, columns, alike.argmax(2)]  # in half of the time that max takes
    distance, other = 1 - best, 1 - second_best  # halves of the squared distances
    first, which = np.nonzero(distance < RATIO**2 * other)
    second = nearest[first, which]
    back = (there[which, second] @ query.T).argmax(1)  # of those alone: it is far quicker
    mutual = (back == first) & (second < points[which])  # not a row of zeros
    return first[mutual], which[mutual], second[mutual]
