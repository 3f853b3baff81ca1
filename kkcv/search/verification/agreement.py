"""Whether one picture was made of another, where points say that one shows the other.

Other photographs of the same scene share as many points as a crop does, and pictures with the same
watermark share some. A copy differs from both:

- Parallel lines stay parallel: one affine view explains its points, most of them to a fraction of
  a pixel. Strong compression moves points, but does not tilt the picture.
- Pixels agree, not only where the points are. Both are laid over each other as small squares, and
  their fine structure is compared cell by cell (normalized cross-correlation). A third of the
  cells may show something else: a caption, or what was pasted over the picture. More is another
  picture on the same screen of an app.

``python -m benchmarks.copies strangers`` measures how well that tells them apart.
"""

import cv2
import numpy as np

from .features import LONGEST
from .geometry import Match

# The less exactly an affine view explains the points, the better the pixels must agree. Most copies
# are of the first row, those of JPEG quality 5 of the others; other photographs miss by 0.4 to 3.
LEAST = (
    # pixels of a picture of LONGEST, correlation in half of the cells, in two thirds
    (0.3, 0.80, 0.3),
    (1.3, 0.85, 0.7),
    (2.0, 0.93, 0.9),
)
EXACT = LEAST[0][0]  # what is less exact must be flat, too
TILTED = 0.25  # of its size, by which the outline of a copy may miss a parallelogram,
# divided by the root of the number of points: few do not tell the outline well
OUTLIERS = 2.5  # times the middle one: points that miss it by more are left out

SIDE, CELL = 96, 12  # pixels of the square, and of its cells
FINE, COARSE = 1.0, 4.0  # pixels: structure between these deviations of a blur is compared
BLANK = 1.0  # of 255, squared: cells with less structure tell nothing
FEWEST = 8  # cells that tell enough; with fewer,
POINTS = 20  # so many points decide


def as_copy(how: Match, query: np.ndarray, hit: np.ndarray | None) -> Match | None:
    """The match with the places of a copy, which are parallelograms; None if it is no copy.

    The pictures are uint8 (H, W, 3), of any size. Without the pixels of the hit, many points
    decide that are not tilted.
    """
    if hit is None:
        return how if len(how) >= POINTS and is_flat(how) else None
    view, missed = affine(how, query.shape, hit.shape)
    least = next((agreeing for pixels, *agreeing in LEAST if missed <= pixels), None)
    if least is None or not (missed <= EXACT or is_flat(how)):
        return None
    place = corners(view, query.shape, hit.shape)
    if not cv2.contourArea(place, oriented=True) > 0:
        return None
    alike = correlations(query, hit, place)
    if len(alike) < FEWEST:
        agreed = len(how) >= POINTS
    else:
        agreed = bool((np.quantile(alike, (1 / 2, 1 / 3)) >= least).all())
    if not agreed:
        return None
    back = corners(cv2.invertAffineTransform(view), hit.shape, query.shape)
    return Match(how.query, how.hit, place, back, how.angle)


def affine(how: Match, query: tuple[int, ...], hit: tuple[int, ...]) -> tuple[np.ndarray, float]:
    """The view that explains most points, float64 (2, 3), and how far the middle one misses it.

    Both in pixels of pictures whose longer side is LONGEST; the distance in those of the picture
    that is seen smaller.
    """
    here, there = how.query * size_of(query), how.hit * size_of(hit)
    points = np.column_stack([here, np.ones(len(here))])
    kept = np.ones(len(points), bool)
    for _ in range(3):
        view = np.linalg.lstsq(points[kept], there[kept], rcond=None)[0]
        off = np.linalg.norm(points @ view - there, axis=1)
        missed = float(np.median(off))
        kept = off <= OUTLIERS * missed + 1e-3
    larger = np.sqrt(abs(np.linalg.det(view[:2])))
    return view.T, missed / max(1.0, larger)


def is_flat(how: Match) -> bool:
    """Whether the outline of the query in the hit is nearly a parallelogram."""
    a, b, c, d = how.place
    tilt = np.linalg.norm(a - b + c - d) / np.sqrt(cv2.contourArea(how.place))
    return bool(tilt * np.sqrt(len(how)) <= TILTED)


def corners(view: np.ndarray, shape: tuple[int, ...], other: tuple[int, ...]) -> np.ndarray:
    """The corners of a picture in another, as fractions of its sides: float32 (4, 2)."""
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size_of(shape)
    return ((square @ view[:, :2].T + view[:, 2]) / size_of(other)).astype(np.float32)


def size_of(shape: tuple[int, ...]) -> np.ndarray:
    """Width and height if the longer one has LONGEST pixels."""
    return np.array(shape[1::-1]) * (LONGEST / max(shape[:2]))


def correlations(query: np.ndarray, hit: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The correlations of cells with details, with the query laid at its ``place`` in the hit."""
    height, width = query.shape[:2]
    low = place.min(axis=0).clip(0, 1)
    span = np.maximum(place.max(axis=0).clip(0, 1) - low, 1 / SIDE)
    there = ((place - low) / span * SIDE).astype(np.float32)
    view = cv2.getAffineTransform(
        np.array([[0, 0], [width, 0], [width, height]], np.float32), there[:3]
    )
    closer = np.sqrt(height * width / max(cv2.contourArea(there), 1))
    if closer > 1.5:  # it is made smaller: without a blur, structure would be lost or invented
        query = cv2.GaussianBlur(query, (0, 0), 0.4 * closer)
    first = cv2.warpAffine(grey(query), view, (SIDE, SIDE))
    inside = cv2.warpAffine(np.ones((height, width), np.float32), view, (SIDE, SIDE))
    sides = np.array(hit.shape[1::-1])
    (left, top), (right, bottom) = (low * sides).astype(int), np.ceil((low + span) * sides)
    part = grey(hit)[top : max(int(bottom), top + 1), left : max(int(right), left + 1)]
    if not part.size:
        return np.empty(0, np.float32)
    second = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    a, b = (cells(structure(each, inside)) for each in (first, second))
    energy = np.stack([(a**2).mean(axis=1), (b**2).mean(axis=1)])
    telling = (cells(inside).mean(axis=1) > 0.9) & (energy > BLANK).all(axis=0)
    return (a * b).mean(axis=1)[telling] / np.sqrt(energy.prod(axis=0)[telling])


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
