"""Local points say which candidates a copy was made of, and how.

They see turned, mirrored, cut and pasted copies alike, wherever there is texture. A copy keeps
parallel lines parallel; another photograph of the same scene shares points too, but in perspective.
And pixels agree where the points are and around them; those of two photographs with the same
watermark do not. What is not confirmed follows by its points, then by its score.
"""

import os
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from kkcv.hit import SURE, Hit, Place

from .verification.agreement import agree, is_flat
from .verification.features import Features
from .verification.geometry import Match, match
from .verification.verify import SECONDS, Verifier, corners_of

FEWEST = 8  # points that confirm a copy: more than those of the same object
CELLS = 16  # of the query in each direction: points in one, or beside it, show the same
BLOCKS = (2, 3, 4, 5)  # of the query in each direction: what is pasted into it fills one of them
EXPECTED = 3.0  # points in a block: of fewer there may be none by chance
TOGETHER = 4  # hits that are looked at before it is asked whether more are worth it
STRAIGHT = 8.0  # degrees: less is no turn, and so near to a quarter is one
MOST_OF = 0.85  # of an area that counts as all of it
STEPS = (np.arange(32) + 0.5) / 32
GRID = np.stack(np.meshgrid(STEPS, STEPS), axis=-1).reshape(-1, 2)  # points all over a picture

How = tuple[Match, bool]  # and whether the query is mirrored


class Confirming:
    """Compares one query with hits, each of them once."""

    def __init__(self, query: Features, pixels: np.ndarray, verifier: Verifier) -> None:
        """``pixels`` are those of the query, uint8 (H, W, 3)."""
        self._query, self._flipped = query, query.mirrored()
        self._pixels, self._verifier = pixels, verifier
        self._hits: dict[int, Hit] = {}
        self._copied: dict[int, bool] = {}
        self._straight: dict[int, Match | None] = {}
        self._mirrored: dict[int, Match | None] = {}
        verifier.until = time.monotonic() + SECONDS

    def look(self, hits: Sequence[Hit]) -> None:
        """Compare hits in their order, until several of them in a row are no copies."""
        for some in self._compared(hits):
            if not self._any(some):
                return

    def look_closely(self, hits: Sequence[Hit], mirrored: Collection[int]) -> None:
        """Compare all hits, and those among ``mirrored`` with the query's mirror image, too.

        Once one has all that the query shows, until several in a row are no copies.
        """
        for some in self._compared(hits, mirrored):
            if not self._any(some) and self.explained:
                return

    def _compared(
        self, hits: Sequence[Hit], mirrored: Collection[int] = ()
    ) -> Iterator[Sequence[Hit]]:
        """Some hits at a time, once they are compared."""
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            for start in range(0, len(hits), TOGETHER):
                some = hits[start : start + TOGETHER]
                list(threads.map(lambda hit: self._look_at(hit, hit.id in mirrored), some))
                yield some

    def _any(self, hits: Sequence[Hit]) -> bool:
        return any(self.how(hit.id) for hit in hits)

    def _look_at(self, hit: Hit, mirrored: bool) -> None:
        known = hit.id in self._straight
        if known and (not mirrored or hit.id in self._mirrored or self.how(hit.id)):
            return
        self._hits[hit.id] = hit
        other = self._verifier.features_of(hit)
        if not known:
            self._straight[hit.id] = None if other is None else match(self._query, other)
        if mirrored and not self.how(hit.id):
            self._mirrored[hit.id] = None if other is None else match(self._flipped, other)

    def how(self, id: int) -> How | None:
        """How a hit matches, if enough points say so."""
        found = self._best(id)
        return found if found and len(found[0]) >= FEWEST else None

    def _best(self, id: int) -> How | None:
        straight, mirrored = self._straight.get(id), self._mirrored.get(id)
        if mirrored is not None and (straight is None or len(mirrored) > len(straight)):
            return mirrored, True
        return None if straight is None else (straight, False)

    @property
    def explained(self) -> bool:
        """Whether a hit shares points all over the query, which then shows nothing else."""
        return any(
            all_over(points_of(*how), self._query.points) and self.is_copy(id)
            for id in self._straight
            if (how := self.how(id))
        )

    def is_copy(self, id: int) -> bool:
        """Whether enough points say so, nothing is seen in perspective, and pixels agree."""
        how = self.how(id)
        if how is None or not is_flat(how[0].place):
            return False
        if id not in self._copied:
            pixels = self._verifier.pixels_of(self._hits[id])
            place = np.array(places(*how)[0], np.float32)
            self._copied[id] = pixels is None or agree(self._pixels, pixels, place)
        return self._copied[id]

    def ordered(self, hits: Sequence[Hit]) -> list[Hit]:
        """The hits that share points with the query first, and how they match.

        Most points come first; but a query may show two pictures, one pasted into the other. So a
        hit that shows another part of the query goes before more hits of the same part. Too few
        points to confirm a copy are still more likely than none: those hits come next.
        """
        sure: list[tuple[np.ndarray, Hit]] = []
        unsure: list[Hit] = []
        for hit in hits:
            how = self.how(hit.id)
            if how:
                hit.place, hit.query_place = places(*how)
            if how and self.is_copy(hit.id):
                hit.points, hit.likeness, hit.match = len(how[0]), SURE, words(*how)
                sure.append((cells_of(*how), hit))
            else:
                unsure.append(hit)
        unsure.sort(key=self._points, reverse=True)
        return [*by_what_they_show(sure), *unsure]

    def _points(self, hit: Hit) -> int:
        found = self._best(hit.id)
        return len(found[0]) if found else 0


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


def points_of(how: Match, mirrored: bool) -> np.ndarray:
    """The points of a match in the query, as it is: float32 (N, 2), from 0 to 1."""
    return np.abs(how.query - [1, 0]) if mirrored else how.query


def cells_of(how: Match, mirrored: bool) -> np.ndarray:
    """Where they lie: column and row, int64 (N, 2)."""
    return (points_of(how, mirrored) * CELLS).clip(0, CELLS - 1).astype(np.int64)


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


def places(how: Match, mirrored: bool) -> tuple[Place, Place]:
    """Where the hit shows the query, and the query the hit."""
    place, inside = corners_of(how.place), corners_of(how.query_place)
    if mirrored:  # found with the mirrored query, told of the query
        place = tuple(place[n] for n in (1, 0, 3, 2))
        inside = tuple((1 - x, y) for x, y in inside)
    return place, inside


def words(how: Match, mirrored: bool) -> str:
    """Such as ``mirrored, turned by 90, crop``: what was done to the hit to get the query."""
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
    return ", ".join(said) or "whole"


def covered(place: np.ndarray) -> float:
    """The share of a picture that a convex outline covers, by a grid of points."""
    sides = np.roll(place, -1, axis=0) - place
    offsets = GRID[:, None] - place
    turns = sides[:, 0] * offsets[..., 1] - sides[:, 1] * offsets[..., 0]
    return float(((turns >= 0).all(axis=1) | (turns <= 0).all(axis=1)).mean())
