"""Verification of a search: the features of the query and of each hit, and the hits reordered."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from kkcv.errors import FileMissing, PictureError, RequestError, UnknownPicture
from kkcv.hit import Hit
from kkcv.images.decode import decode
from kkcv.images.limits import Limits
from kkcv.query import Like, Text
from kkcv.search.options import Verify
from kkcv.search.picture import Picture, Pictures
from kkcv.timing import step

from .features import Features, features, features_of
from .store import read_features, write_features
from .verify import tied, verified

SECONDS = 5.0  # that a search may spend on computing features that are not stored yet


class Verifier:
    """Verifies the hits of one search; ``turn`` limits how many pictures are decoded at a time."""

    def __init__(
        self,
        pictures: Pictures,
        turn: Callable[[], AbstractContextManager[None]],
        limits: Limits,
    ) -> None:
        self._pictures = pictures
        self._turn = turn
        self._limits = limits
        self._until = math.inf

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
            self._until = time.monotonic() + SECONDS
            return verified(query, hits[:looked_at], self._of_hit) + hits[looked_at:]

    def _of_query(self, likes: Sequence[Like]) -> Features:
        """Of the first picture with a positive weight, or of its region (RequestError)."""
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

    def _of_hit(self, hit: Hit) -> Features | None:
        """None for a file that is gone or unreadable, or when the time for computing is up."""
        try:
            picture = self._pictures.get(hit.id)
            stored = read_features(self._pictures.folder, picture.file.sha256)
            if stored is None and time.monotonic() > self._until:
                return None
            return stored or self._of_picture(picture)
        except (FileMissing, PictureError, UnknownPicture):
            return None

    def _of_picture(self, picture: Picture) -> Features:
        """Stored features, or computed now and stored (FileMissing, PictureError)."""
        sha256, folder = picture.file.sha256, self._pictures.folder
        found = read_features(folder, sha256)
        if found is None:
            data = self._pictures.read(picture)
            with self._turn():
                found = features_of(data)
            write_features(folder, sha256, found)
        return found
