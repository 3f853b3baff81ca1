"""The views of a query that a search for copies asks by: as it is, turned, mirrored, blurred, cut.

They are numbered: 0 is the query as it is.
"""

import cv2
import numpy as np

from kkcv.embedding import windows
from kkcv.embedding.embedder import Embedder
from kkcv.hit import Place

from . import parts

CORNERS: tuple[windows.Window, ...] = (
    (0.0, 0.0, 0.4, 0.4),
    (0.6, 0.0, 0.4, 0.4),
    (0.0, 0.6, 0.4, 0.4),
    (0.6, 0.6, 0.4, 0.4),
)
CUTS = (windows.CENTER, *CORNERS)  # of the query
TURNED = range(1, 4)  # by 90, 180 and 270 degrees
MIRRORED, SMOOTHED = 4, 5
CUT = range(6, 6 + len(CUTS))
VIEWS = 6 + len(CUTS)
# pixels of the crop, the deviation: strong compression leaves blocks that a network sees
BLUR = 1.0


def seen(view: int, embedder: Embedder, pixels: np.ndarray, crop: np.ndarray) -> np.ndarray:
    """The crop of a view of a picture, uint8 (h, w, 3); ``crop`` is that of it as it is."""
    if view in TURNED:
        return turned(view, embedder, pixels, crop)
    if view == MIRRORED:
        return crop[:, ::-1]
    if view == SMOOTHED:
        return cv2.GaussianBlur(crop, (0, 0), BLUR)
    return embedder.crop(windows.within(pixels, CUTS[CUT.index(view)]))


def turned(quarters: int, embedder: Embedder, pixels: np.ndarray, crop: np.ndarray) -> np.ndarray:
    """Likewise: turned counterclockwise by so many quarters."""
    height, width = embedder.checkpoint.preprocess.size
    if height != width:
        return embedder.crop(np.ascontiguousarray(np.rot90(pixels, quarters)))
    squares = crop.reshape(-1, height, *crop.shape[1:])  # of a panorama
    return np.rot90(squares, quarters, axes=(1, 2)).reshape(crop.shape)


def where(view: int, part: int) -> tuple[Place | None, Place | None]:
    """Where views put a hit that points do not confirm: in the hit, and in the query."""
    place = parts.place_of(part)
    if place is not None and view in TURNED:  # np.rot90 turns counterclockwise
        place = place[-view:] + place[:-view]
    elif place is not None and view == MIRRORED:
        place = tuple(place[n] for n in (1, 0, 3, 2))
    return place, windows.corners(CUTS[CUT.index(view)]) if view in CUT else None
