"""What a search answers."""

from typing import Any, NamedTuple

Place = tuple[tuple[float, float], ...]


class Hit(NamedTuple):
    """A picture that was found. ``score`` is the cosine similarity, from -1 to 1, 1 is nearest.

    ``path`` is the absolute path of its file. ``chance`` is the rate at which two pictures of this
    gallery that have nothing to do with each other score that high (chance.py), None where that
    is not known. ``place`` is where a verified hit shows what the query shows: four corners
    (x, y), clockwise from the query's top left, as fractions of the hit's width and height; they
    may lie outside of it. ``folded`` are the ids of its near-duplicates, where those were asked to
    be one hit.
    """

    id: int
    score: float
    path: str
    metadata: dict[str, Any]
    chance: float | None = None
    place: Place | None = None
    folded: tuple[int, ...] = ()
