"""Local points say which candidates a copy was made of, and how.

They see turned, mirrored, cut and pasted copies alike, wherever there is texture. Other photographs
of the same scene, and pictures with the same watermark, share points too: verification/agreement.py
tells them from copies. What is not confirmed follows by its points, then by its score.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kkcv import deadline
from kkcv.hit import SURE, Hit, Place
from kkcv.timing import step

from .picture import Picture
from .verification.agreement import as_copy
from .verification.features import Features
from .verification.geometry import FEWEST, Match, matches
from .verification.verify import SECONDS, Verifier, corners_of

CELLS = 16  # of the query in each direction: points in one, or beside it, show the same
BLOCKS = (2, 3, 4, 5)  # of the query in each direction: what is pasted into it fills one of them
EXPECTED = 3.0  # points in a block: of fewer there may be none by chance
TOGETHER = 4  # hits that are compared in one go, before it is asked whether more are worth it
STRAIGHT = 8.0  # degrees: less is no turn, and so near to a quarter is one
WHOLE = "whole"  # what the query is of a hit, if nothing was done to it
SAME = 0.95  # score of a hit that is the query itself, perhaps in another size or compressed
MOST_OF = 0.85  # of an area that counts as all of it
STEPS = (np.arange(32) + 0.5) / 32
GRID = np.stack(np.meshgrid(STEPS, STEPS), axis=-1).reshape(-1, 2)  # points all over a picture


class Seen(NamedTuple):
    """How a hit shows the query, which may be ``mirrored``, and whether it is a copy."""

    how: Match
    mirrored: bool
    copied: bool

    @property
    def sureness(self) -> tuple[bool, int]:
        return self.copied, len(self.how)


class Confirming:
    """Compares one query with hits, each of them once."""

    def __init__(self, query: Features, pixels: np.ndarray, verifier: Verifier) -> None:
        """``pixels`` are those of the query, uint8 (H, W, 3)."""
        self._features = query, query.mirrored()
        self._pixels = pixels
        self._verifier = verifier
        self._tried: set[tuple[int, bool]] = set()  # ids, and whether with the mirror image
        self._seen: dict[int, Seen] = {}
        self._seconds = SECONDS  # without those in which the views are embedded

    @step("search")
    def look(self, ids: Sequence[int], *, mirrored: bool = False) -> None:
        """Compare pictures in their order, with the mirror image of the query or as it is.

        Once a copy has all that the query shows, the first TOGETHER without any copy are the last.

        Raises TimedOut.
        """
        began = time.monotonic()
        self._verifier.until = began + self._seconds
        left = [id for id in ids if (id, mirrored) not in self._tried]
        pictures = self._verifier.pictures_of(left)
        for start in range(0, len(pictures), TOGETHER):
            deadline.check()
            some = pictures[start : start + TOGETHER]
            self._look_at([each for each in some if not self.is_copy(each.id)], mirrored)
            if self.explained and not any(self.is_copy(each.id) for each in some):
                break
        self._seconds -= time.monotonic() - began

    def _look_at(self, hits: Sequence[Picture], mirrored: bool) -> None:
        self._tried.update((hit.id, mirrored) for hit in hits)
        of_hits = zip(hits, self._verifier.features_of_all(hits), strict=True)
        there = [(hit, each) for hit, each in of_hits if each]
        found = matches(self._features[mirrored], [features for _, features in there], low=True)
        for (hit, _), how in zip(there, found, strict=True):
            if how is not None:
                seen = self._as_copy(hit, how, mirrored) or Seen(how, mirrored, copied=False)
                before = self._seen.get(hit.id, seen)
                self._seen[hit.id] = max(before, seen, key=lambda each: each.sureness)

    def _as_copy(self, hit: Picture, how: Match, mirrored: bool) -> Seen | None:
        pixels = np.ascontiguousarray(self._pixels[:, ::-1]) if mirrored else self._pixels
        copied = as_copy(how, pixels, self._verifier.pixels_of(hit))
        return None if copied is None else Seen(copied, mirrored, copied=True)

    @property
    def explained(self) -> bool:
        """Whether a copy shares points all over the query, which then shows nothing else."""
        points = self._features[False].points
        return any(
            each.copied and all_over(points_of(each), points) for each in self._seen.values()
        )

    def is_copy(self, id: int) -> bool:
        return id in self._seen and self._seen[id].copied

    def ordered(self, hits: Sequence[Hit]) -> list[Hit]:
        """The hits that share points with the query first, and how they match.

        Most points come first; but a query may show two pictures, one pasted into the other. So a
        hit that shows another part of the query goes before more hits of the same part. A picture
        that the whole query is goes before its own turned copies, which may share more points, and
        of several such the nearest is first. Too few points to confirm a copy are still more likely
        than none: those hits come next.
        """
        sure: list[tuple[np.ndarray, Hit]] = []
        unsure: list[Hit] = []
        for hit in hits:
            seen = self._seen.get(hit.id)
            if seen:
                hit.place, hit.query_place = places(seen)
            if seen and seen.copied:
                hit.points, hit.likeness, hit.match = len(seen.how), SURE, words(seen)
                sure.append((cells_of(seen), hit))
            else:
                unsure.append(hit)
        unsure.sort(key=self._points, reverse=True)
        shown = by_what_they_show(sure)
        shown.sort(key=lambda hit: -hit.score if hit.match == WHOLE and hit.score >= SAME else 0.0)
        return [*shown, *unsure]

    def _points(self, hit: Hit) -> int:
        return len(self._seen[hit.id].how) if hit.id in self._seen else 0


def all_over(some: np.ndarray, points: np.ndarray) -> bool:
    """Whether each block with many of a picture's ``points``, (N, 2), has ``some``, (M, 2)."""
    for blocks in BLOCKS:
        found, there = (
            np.histogram2d(x, y, bins=blocks, range=[[0.0, 1.0], [0.0, 1.0]])[0]
            for x, y in (some.T, points.T)
        )
        if ((found == 0) & (there * len(some) / len(points) >= EXPECTED)).any():
            return False
    return True


def points_of(seen: Seen) -> np.ndarray:
    """The points of a match in the query, as it is: float32 (N, 2), from 0 to 1."""
    return np.abs(seen.how.query - [1, 0]) if seen.mirrored else seen.how.query


def cells_of(seen: Seen) -> np.ndarray:
    """Where they lie: column and row, int64 (N, 2)."""
    return (points_of(seen) * CELLS).clip(0, CELLS - 1).astype(np.int64)


def by_what_they_show(sure: list[tuple[np.ndarray, Hit]]) -> list[Hit]:
    """Most points first; a hit, most of whose points no hit before it explains, goes ahead."""
    left = sorted(sure, key=lambda pair: -len(pair[0]))
    explained = np.zeros((CELLS + 2, CELLS + 2), bool)  # with a border
    first: list[Hit] = []

    def unexplained(pair: tuple[np.ndarray, Hit]) -> int:
        column, row = pair[0].T + 1
        new = int((~explained[row, column]).sum())
        return new if new >= max(FEWEST, len(column) / 2) else 0

    while left and unexplained(best := max(left, key=unexplained)):
        left = [pair for pair in left if pair is not best]
        first.append(best[1])
        for column, row in best[0]:
            explained[row : row + 3, column : column + 3] = True
    return [*first, *(hit for _, hit in left)]


def places(seen: Seen) -> tuple[Place, Place]:
    """Where the hit shows the query, and the query the hit."""
    place, inside = corners_of(seen.how.place), corners_of(seen.how.query_place)
    if seen.mirrored:  # found with the mirrored query, told of the query
        place = tuple(place[n] for n in (1, 0, 3, 2))
        inside = tuple((1 - x, y) for x, y in inside)
    return place, inside


def words(seen: Seen) -> str:
    """Such as ``mirrored, turned by 90, crop``: what was done to the hit to get the query.

    Degrees are clockwise.
    """
    how, mirrored = seen.how, seen.mirrored
    said = ["mirrored"] if mirrored else []
    turned = how.angle if mirrored else -how.angle % 360
    quarter = 90 * round(turned / 90)
    if abs(turned - quarter) < STRAIGHT:
        turned = quarter % 360
    if turned:
        said.append(f"turned by {turned:.0f}")
    if covered(how.place) < MOST_OF:
        said.append("crop")
    if covered(how.query_place) < MOST_OF:
        said.append("in the query")
    return ", ".join(said) or WHOLE


def covered(place: np.ndarray) -> float:
    """The share of a picture that a convex outline covers, by a grid of points."""
    sides = np.roll(place, -1, axis=0) - place
    offsets = GRID[:, None] - place
    turns = sides[:, 0] * offsets[..., 1] - sides[:, 1] * offsets[..., 0]
    return float(((turns >= 0).all(axis=1) | (turns <= 0).all(axis=1)).mean())
