"""Reordering the first hits: those that show the same object come first.

Philbin, Chum, Isard, Sivic, Zisserman: Object Retrieval with Large Vocabularies and Fast Spatial
Matching, CVPR 2007 (section 4: the best candidates are ordered by the number of matches that agree
on one change of view).
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np

from kkcv.errors import FileMissing, PictureError, RequestError
from kkcv.hit import SURE, Hit, Place
from kkcv.images.decode import decode
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.machine import cores
from kkcv.query import Like, Text
from kkcv.search.options import Verify
from kkcv.search.picture import Picture, Pictures
from kkcv.timing import step

from .features import Features, features, features_of
from .geometry import Match, match
from .store import read_features, write_features

FIRST = 50  # hits that are verified
SMALL = 192  # pixels of the shorter side of a copy whose pixels are compared, at least
TIE = 0.03  # scores this close to each other decide nothing
SECONDS = 5.0  # that a search may spend on computing features that are not stored yet

FeaturesOf = Callable[[Hit], Features | None]


class Verifier:
    """Verifies the hits of one search; ``turn`` limits how many pictures are decoded at a time."""

    def __init__(
        self, pictures: Pictures, turn: Callable[[], AbstractContextManager[None]], limits: Limits
    ) -> None:
        self._pictures = pictures
        self._turn = turn
        self._limits = limits
        self.until = math.inf  # when the time for computing features is up

    def verified(self, likes: Sequence[Like], hits: list[Hit], how: Verify) -> list[Hit]:
        """The hits that show what the first liked picture shows, first.

        With ``how="ties"`` only hits whose scores are too close to decide are looked at.

        Raises PictureError, UnknownPicture, FileMissing, RequestError.
        """
        looked_at = len(hits) if how is True else tied(hits)
        if not looked_at:
            return hits
        with step("search"):
            query = self._of_query(likes)
            self.until = time.monotonic() + SECONDS
            ids = [hit.id for hit in hits[:looked_at]]
            pictures = {each.id: each for each in self.pictures_of(ids)}

            def of_hit(hit: Hit) -> Features | None:
                return self.features_of(pictures[hit.id]) if hit.id in pictures else None

            return verified(query, hits[:looked_at], of_hit) + hits[looked_at:]

    def _of_query(self, likes: Sequence[Like]) -> Features:
        """Features of the first picture with a positive weight, or of its region (RequestError)."""
        for like in likes:
            source = like.picture
            if like.weight > 0 and not isinstance(source, Text):
                break
        else:
            raise RequestError(
                "to verify hits takes a picture that is liked; here is only a text", field="verify"
            )
        if isinstance(source, int):
            picture = self._pictures.get(source)
            if like.region is None:
                return self._of_picture(picture)
            source = self._pictures.read(picture)
        with self._turn():
            if like.region is None:
                return features_of(source, self._limits)
            return features(like.region.of(decode(source, self._limits)))

    def pictures_of(self, ids: Iterable[int]) -> list[Picture]:
        """Those that are still there."""
        return self._pictures.get_many(ids)

    def features_of_all(self, pictures: Sequence[Picture]) -> list[Features | None]:
        """``features_of`` each, side by side unless all are stored."""
        stored = [read_features(self._pictures.folder, each.file.sha256) for each in pictures]
        if None not in stored:
            return stored
        with ThreadPoolExecutor(cores()) as threads:
            return list(threads.map(self.features_of, pictures))

    def features_of(self, picture: Picture) -> Features | None:
        """None for a file that is gone or unreadable, or when the time for computing is up."""
        try:
            stored = read_features(self._pictures.folder, picture.file.sha256)
            if stored is None and time.monotonic() > self.until:
                return None
            return stored or self._of_picture(picture)
        except (FileMissing, PictureError):
            return None

    def pixels_of(self, picture: Picture) -> np.ndarray | None:
        """A small copy: uint8 (H, W, 3); None for a file that is gone or unreadable."""
        try:
            data = self._pictures.read(picture)
            with self._turn():
                return decode(data, self._limits, target=SMALL)
        except (FileMissing, PictureError):
            return None

    def _of_picture(self, picture: Picture) -> Features:
        """Stored features, or computed now and stored (FileMissing, PictureError)."""
        sha256, folder = picture.file.sha256, self._pictures.folder
        found = read_features(folder, sha256)
        if found is None:
            data = self._pictures.read(picture)
            with self._turn():
                found = features_of(data, DEFAULT_LIMITS.or_more(self._limits))
            write_features(folder, sha256, found)
        return found


def verified(query: Features, hits: list[Hit], features_of: FeaturesOf) -> list[Hit]:
    """The hits that show what the query shows, most matches first, with their place; then the
    others in their order. Only the FIRST are verified.
    """
    first, rest = hits[:FIRST], hits[FIRST:]

    def matched(hit: Hit) -> Match | None:
        found = features_of(hit)
        return None if found is None else match(query, found)

    with ThreadPoolExecutor(cores()) as threads:
        matches = list(threads.map(matched, first))
    sure = [(each, hit) for each, hit in zip(matches, first, strict=True) if each is not None]
    sure.sort(key=lambda pair: -len(pair[0]))
    unsure = [hit for each, hit in zip(matches, first, strict=True) if each is None]
    return [placed(hit, each) for each, hit in sure] + unsure + rest


def placed(hit: Hit, how: Match) -> Hit:
    """The hit, verified."""
    place, inside = corners_of(how.place), corners_of(how.query_place)
    return replace(hit, place=place, query_place=inside, points=len(how), likeness=SURE)


def tied(hits: list[Hit]) -> int:
    """How many hits score too close to the best for their order to mean much; 0 for none."""
    if not hits:
        return 0
    best = max(hit.score for hit in hits)
    near = [place for place, hit in enumerate(hits) if hit.score >= best - TIE]
    return near[-1] + 1 if len(near) > 1 else 0


def corners_of(place: np.ndarray) -> Place:
    """float32 (4, 2) as plain numbers."""
    return tuple((float(x), float(y)) for x, y in place)
