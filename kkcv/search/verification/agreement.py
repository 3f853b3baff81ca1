"""Whether two pictures agree pixel by pixel, where points say that one shows the other.

A watermark that two photographs share has points that agree, and nothing around them does. So both
are laid over each other as small squares, and their fine structure is compared cell by cell
(normalized cross-correlation). Half of the cells must agree: a caption, or what was pasted over a
picture, hides the others.
"""

import cv2
import numpy as np

PARALLEL = 0.025  # of the size of a copy, by which its outline may miss a parallelogram
SIDE, CELL = 96, 12  # pixels of the square, and of its cells
FINE, COARSE = 1.0, 4.0  # pixels: structure between these deviations of a blur is compared
BLANK = 1.0  # of 255, squared: cells with less structure tell nothing
FEWEST = 8  # cells that tell enough; with fewer, points decide alone
AGREE = 0.75  # correlation: 0.9 or more of copies, down to 0.7 of small ones of JPEG quality 5


def is_flat(place: np.ndarray) -> bool:
    """Whether an outline (4, 2) is nearly a parallelogram: benchmarks/copies.py, ``strangers``."""
    a, b, c, d = place
    size = np.sqrt(cv2.contourArea(place))
    return float(np.linalg.norm(a - b + c - d)) <= PARALLEL * size


def agree(query: np.ndarray, hit: np.ndarray, place: np.ndarray) -> bool:
    """Whether a hit shows a query at its ``place``, the query's corners, (4, 2), as fractions.

    The pictures are uint8 (H, W, 3), of any size.
    """
    height, width = query.shape[:2]
    low = place.min(axis=0).clip(0, 1)
    span = np.maximum(place.max(axis=0).clip(0, 1) - low, 1 / SIDE)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    there = ((place - low) / span * SIDE).astype(np.float32)
    view = cv2.getPerspectiveTransform(corners, there)
    closer = np.sqrt(height * width / max(cv2.contourArea(there), 1))
    if closer > 1.5:  # it is made smaller: without a blur, structure would be lost or invented
        query = cv2.GaussianBlur(query, (0, 0), 0.4 * closer)
    first = cv2.warpPerspective(grey(query), view, (SIDE, SIDE))
    inside = cv2.warpPerspective(np.ones((height, width), np.float32), view, (SIDE, SIDE))
    sides = np.array(hit.shape[1::-1])
    (left, top), (right, bottom) = (low * sides).astype(int), np.ceil((low + span) * sides)
    part = grey(hit)[top : max(int(bottom), top + 1), left : max(int(right), left + 1)]
    second = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    a, b = (cells(structure(each, inside)) for each in (first, second))
    energy = np.stack([(a**2).mean(axis=1), (b**2).mean(axis=1)])
    telling = (cells(inside).mean(axis=1) > 0.9) & (energy > BLANK).all(axis=0)
    if telling.sum() < FEWEST:
        return True
    alike = (a * b).mean(axis=1)[telling] / np.sqrt(energy.prod(axis=0)[telling])
    return bool(np.median(alike) >= AGREE)


def grey(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)


def structure(square: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Between two blurs, of what is inside alone: float32 (SIDE, SIDE)."""
    fine, coarse = (
        cv2.GaussianBlur(square * inside, (0, 0), deviation)
        / np.maximum(cv2.GaussianBlur(inside, (0, 0), deviation), 1e-3)
        for deviation in (FINE, COARSE)
    )
    return (fine - coarse) * inside


def cells(square: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE) → (N, CELL · CELL)."""
    many = SIDE // CELL
    return square.reshape(many, CELL, many, CELL).swapaxes(1, 2).reshape(many * many, -1)
