"""Relevance feedback: "more like these, less like those" moves the query.

Rocchio's formula (Relevance feedback in information retrieval, 1971; as in Manning, Raghavan and
Schütze 2008, section 9.1.1): the query, plus the weighted mean of the liked pictures, minus that of
the unliked. The weights were chosen by simulation (benchmarks/feedback.py).
"""

from collections.abc import Sequence

from kkcv.errors import RequestError
from kkcv.images.source import Source
from kkcv.query import Like, Text

Weights = tuple[float, float]  # of the mean of the liked, and of the unliked
WEIGHTS: Weights = (2.0, 0.5)


def rocchio(
    query: Like,
    liked: Sequence[Source | int | Text] = (),
    unliked: Sequence[Source | int | Text] = (),
    weights: Weights = WEIGHTS,
) -> list[Like]:
    """The query after feedback, for ``Gallery.search_like``; the query itself has weight 1.

    ``liked`` and ``unliked`` are pictures or ids of the gallery. Ids are not found again, so each
    round shows new pictures.

        gallery.search_like(rocchio(Like("cat.jpg"), liked=[17, 4], unliked=[23]))

    Raises RequestError for a picture that is both.
    """
    both = {p for p in liked if isinstance(p, int)}.intersection(unliked)
    if both:
        raise RequestError(f"picture {min(both)} cannot be both liked and unliked", field="unliked")
    return [
        query,
        *(Like(picture, weights[0] / len(liked)) for picture in liked),
        *(Like(picture, -weights[1] / len(unliked)) for picture in unliked),
    ]
