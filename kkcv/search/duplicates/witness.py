"""The second witness: whether two pictures that score high show the same, pixel by pixel.

To a network twelve pages of text are one picture, and so are all white logos on nothing. Two
pictures are the same if their details agree, as a whole or point by point:

- as a whole: small copies correlate once their coarse structure is subtracted (normalized cross
  correlation). Copies in another size, light or quality of JPEG reach 0.9, other pages of text in
  the same layout at most 0.75.
- point by point (verification/): also where borders were cut off, or the picture was turned.
  Their pixels agree there, and nothing is seen in perspective.

A picture with transparent parts is looked at on white and on black.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kkcv.errors import KkcvError
from kkcv.images.decode import decode_small
from kkcv.search.picture import Picture
from kkcv.search.verification.agreement import as_copy
from kkcv.search.verification.features import Features, features_of
from kkcv.search.verification.geometry import Match, match
from kkcv.search.verification.store import read_features

SIDE = 256  # of the small copies, which are squares
LEAST_SIDE = 32  # of those of smaller pictures
COARSE = 4.0  # pixels: the deviation of the blur that is subtracted
AGREE = 0.85  # correlation
BLANK = 1.0  # of 255: pictures whose details deviate less have none
COLORS = 6.0  # of 255: the mean difference of colors, without their lightness
SHARE = 0.06  # of the points of one picture must agree: a quarter shares few, at another scale
POINTS = 20  # and so many
EDGE = 0.02  # of a side, by which the place of a whole picture may miss
KEPT_READY = 256  # pictures whose small copies and points stay in memory

Read = Callable[[Picture], bytes]


class Look(NamedTuple):
    """A picture on white, and on black if it has transparent parts: uint8 (h, w, 3) each."""

    white: np.ndarray
    black: np.ndarray | None


class Witness:
    """Says how a picture is the same as another, if it is. ``unread`` could not be decoded."""

    def __init__(self, read: Read, folder: Path) -> None:
        """``folder`` is that of the gallery, which may have the points of its pictures."""
        self.unread: set[int] = set()
        self._read, self._folder = read, folder
        self._kept = lru_cache(KEPT_READY)(self._look_at)
        self._kept_points = lru_cache(KEPT_READY)(self._points_of)
        self._by_id: dict[int, Picture] = {}

    def same(self, a: Picture, b: Picture, copies: bool = False) -> str | None:
        """``the same``, or where copies are wanted how ``a`` was made of ``b``; None: it was not.

        The words are: the same, other colors, turned by 90, 180 or 270 (degrees clockwise),
        mirrored, a part, a mirrored part; with more around it, where all of ``b`` is in ``a``,
        such as a screenshot, also mirrored.
        """
        first, second = self.look(a), self.look(b)
        if first is None or second is None:
            return None
        if alike(first, second):
            if same_colors(first.white, second.white):
                return "the same"
            return "other colors" if copies else None
        if copies:
            for name, change in CHANGES.items():
                if alike(Look(change(first.white), None), Look(second.white, None)):
                    return name
        if not details(first.white) or not details(second.white):
            return None
        if found := self._share_points(a, b, first.white, second.white):
            if not copies:
                return "the same"
            return "with more around it" if shows_all(found) else "a part"
        flipped = mirrored(first.white)
        if copies and (found := self._share_points(a, b, flipped, second.white, flipped=True)):
            return "mirrored, with more around it" if shows_all(found) else "a mirrored part"
        return None

    def look(self, picture: Picture) -> Look | None:
        """None for a picture that cannot be read."""
        self._by_id[picture.id] = picture
        return self._kept(picture.id)

    def _look_at(self, id: int) -> Look | None:
        try:
            data = self._read(self._by_id[id])
            white = decode_small(data, SIDE)
            opaque = data.startswith(b"\xff\xd8")  # JPEG
            black = None if opaque else decode_small(data, SIDE, paper="black")
        except KkcvError:  # it is damaged, or its file has gone or changed
            self.unread.add(id)
            return None
        if black is not None and (white == black).all():
            black = None
        return Look(white, black)

    def _points_of(self, id: int) -> Features | None:
        picture = self._by_id[id]
        try:
            stored = read_features(self._folder, picture.file.sha256)
            return stored or features_of(self._read(picture))
        except KkcvError:
            return None

    def _share_points(
        self, a: Picture, b: Picture, here: np.ndarray, there: np.ndarray, *, flipped: bool = False
    ) -> Match | None:
        """The match, if points and pixels agree that ``here`` was cut from or around ``there``.

        ``flipped``: ``here`` is the mirror image of ``a``. Other photographs of a shelf share as
        many points, but are seen in perspective, and what was moved in between does not agree.
        """
        first, second = self._kept_points(a.id), self._kept_points(b.id)
        if first is None or second is None:
            return None
        found = match(first.mirrored() if flipped else first, second)
        fewest = min(len(first.points), len(second.points))
        if found is None or len(found) < max(POINTS, SHARE * fewest):
            return None
        return as_copy(found, here, there)


def shows_all(found: Match) -> bool:
    """Whether the whole second picture is in the first, and not the first in it."""
    import cv2

    inside = (found.query_place > -EDGE).all() and (found.query_place < 1 + EDGE).all()
    return bool(inside and cv2.contourArea(found.query_place) < 1)


def turned(times: int) -> Callable[[np.ndarray], np.ndarray]:
    """Turned clockwise by so many quarters."""
    return lambda pixels: np.ascontiguousarray(np.rot90(pixels, -times))


def mirrored(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels[:, ::-1])


# What makes the copy the picture that it was made of.
CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "turned by 90": turned(3),
    "turned by 180": turned(2),
    "turned by 270": turned(1),
    "mirrored": mirrored,
}


def alike(a: Look, b: Look) -> bool:
    """Whether the details agree on every ground that both are looked at on."""
    if (a.black is None) != (b.black is None):  # one may be the other, laid on white
        return correlate(a.white, b.white)
    if a.black is None or b.black is None:
        return correlate(a.white, b.white)
    grounds = [(a.white, b.white), (a.black, b.black)]
    telling = [pair for pair in grounds if any(map(details, pair))]
    return bool(telling) and all(correlate(*pair) for pair in telling)


def correlate(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether the details of two pictures correlate. Blank ones have none, so nothing agrees."""
    side = int(np.clip(min(*a.shape[:2], *b.shape[:2]), LEAST_SIDE, SIDE))
    first, second = fine(a, side), fine(b, side)
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    if lengths < BLANK**2 * first.size:
        return False
    return float(first.ravel() @ second.ravel()) >= AGREE * lengths


def same_colors(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether each eighth of the width and height has nearly the same hue and saturation."""
    import cv2

    first, second = (
        cv2.resize(each, (8, 8), interpolation=cv2.INTER_AREA).astype(np.float32) for each in (a, b)
    )
    apart = (first - first.mean(2, keepdims=True)) - (second - second.mean(2, keepdims=True))
    return float(np.abs(apart).mean()) < COLORS


def details(pixels: np.ndarray) -> bool:
    side = int(np.clip(min(pixels.shape[:2]), LEAST_SIDE, SIDE))
    return float(np.sqrt((fine(pixels, side) ** 2).mean())) >= BLANK


def fine(pixels: np.ndarray, side: int) -> np.ndarray:
    """The details of a picture as a square: uint8 (h, w, 3) → float32 (side, side, 3)."""
    import cv2

    square = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    return square - cv2.GaussianBlur(square, (0, 0), COARSE)
