"""A picture that was found. Python, HTTP and tables take the fields of a hit from here."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    import numpy as np  # for types only: the client imports this file and must stay light

LOWEST, HIGHEST = -1.0, 1.0  # the range of a score, the cosine similarity

Place = tuple[tuple[float, float], ...]

SURE, NO_LIKENESS = "almost certain", "none"  # the first and the last word of ``likeness``


@dataclass(slots=True)  # not frozen: making one is four times quicker, and an answer may have 1000
class Hit:
    """A picture that was found, with its score. The text beside a type describes the field."""

    id: int
    score: Annotated[float, "Cosine similarity, from -1 to 1; 1 is nearest."]
    path: Annotated[str, "Absolute path of the file, on the machine that searched."]
    metadata: Annotated[dict[str, Any], "What was stored with the picture."]
    chance: Annotated[
        float | None,
        "How often chance makes so high a score of this query in this gallery; null: not known.",
    ] = None
    or_less: Annotated[
        bool, "Whether the chance may be less: the gallery has too few pictures to tell."
    ] = False
    likeness: Annotated[
        str | None,
        "How surely it is like the query, by its score: almost certain, likely, weak, or none, "
        "which is no more than chance makes in this gallery; null: not known. A confirmed copy is "
        "almost certain by its points, whatever its score and chance.",
    ] = None
    place: Annotated[
        Place | None,
        "Where a hit that was verified, or found by a part, shows what the query shows: four "
        "corners (x, y), clockwise from the query's top left, as fractions of the hit's width and "
        "height; they may lie outside of it.",
    ] = None
    query_place: Annotated[
        Place | None,
        "Where the query shows the hit, likewise: four corners from the hit's top left, as "
        "fractions of the query's width and height.",
    ] = None
    match: Annotated[
        str,
        "What was done to the hit to get the query, a confirmed copy of it, such as: mirrored, "
        "turned by 90 (degrees, clockwise), crop; whole if nothing of that.",
    ] = ""
    points: Annotated[int, "How many local points a verified hit shares with the query."] = 0
    folded: Annotated[
        tuple[int, ...], "Ids of the near-duplicates that were folded into this hit."
    ] = ()
    missing: Annotated[
        bool | None,
        "Whether there is no file at this path now: deleted, or on a disk that is not plugged in; "
        "null: not looked for, as in answers to many queries at once.",
    ] = None
    url: Annotated[str, "Address of the file on the service; empty without a service."] = ""


FIELDS = tuple(field.name for field in fields(Hit))


def divider_of(hits: Iterable[Hit], copies: bool = False) -> int | None:
    """The rank of the last hit that is like the query by its ``likeness``.

    Among ``copies``, of the last that is confirmed as one. 0 if none is; None if that is not known
    of a hit.
    """
    divider = 0
    for rank, hit in enumerate(hits, 1):
        if hit.likeness is None and not copies:
            return None
        if hit.match if copies else hit.likeness != NO_LIKENESS:
            divider = rank
    return divider


def clipped(scores: "np.ndarray") -> "np.ndarray":
    """Scores within their range: rounding, and vectors in 16 bits, go a little beyond 1."""
    return scores.clip(LOWEST, HIGHEST)
