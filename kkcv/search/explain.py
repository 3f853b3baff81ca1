"""Why a picture was found: the positions of both pictures that made the score, or shared points."""

from kkcv.embedding.explanation import Explanation
from kkcv.hit import clipped
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.images.source import Source, read_bytes
from kkcv.query import Like

from .gallery import Gallery
from .opened.generation import origin
from .query import Vectorizer
from .verification.features import features_of
from .verification.geometry import match

Points = tuple[tuple[float, float], tuple[float, float]]  # x, y in the query, and in the hit


def explain(
    gallery: Gallery,
    query: Source | int,
    hit: Source | int,
    *,
    limits: Limits = DEFAULT_LIMITS,
    score: float | None = None,
) -> Explanation:
    """How much each position of two pictures adds to their score, by the gallery's network.

    A picture is a path, bytes, a file object, or an id of the gallery. This needs PyTorch,
    which runs in a process of its own, ``gallery.worker``. The score is that of a search; the
    shares of the positions are those of the network in float32, scaled to it.

    Args:
        score: of a search, if it is known; else it is computed.

    Raises PictureError, UnknownPicture, FileMissing, RequestError for a network without a feature
    map.
    """
    generation = gallery.generation
    settings, projection = generation.catalog.settings, generation.projection
    data = bytes_of(gallery, query, limits), bytes_of(gallery, hit, limits)
    if score is None:
        pair = (
            each if isinstance(each, int) else content
            for each, content in zip((query, hit), data, strict=True)
        )
        score = score_of(gallery, *pair, limits=limits)
    found = gallery.worker.explain(
        origin(settings), *data, limits, None if projection is None else projection.matrix
    )
    return found.of_score(score)


def score_of(
    gallery: Gallery, query: Source | int, hit: Source | int, *, limits: Limits = DEFAULT_LIMITS
) -> float:
    """The score that a search says (PictureError, UnknownPicture)."""
    vectorizer = Vectorizer(gallery.generation, gallery, gallery.worker, limits)
    first, second = (vectorizer.query([Like(each)]) for each in (query, hit))
    return float(clipped(first @ second))


def shared_points(query: bytes, hit: bytes, limits: Limits = DEFAULT_LIMITS) -> list[Points]:
    """The points of two pictures that agree on one change of view (verification/geometry.py).

    None if the hit does not show what the query shows. Raises PictureError.
    """
    found = match(features_of(query, limits), features_of(hit, limits))
    if found is None:
        return []
    here, there = found.query.tolist(), found.hit.tolist()
    return [((a, b), (c, d)) for (a, b), (c, d) in zip(here, there, strict=True)]


def bytes_of(gallery: Gallery, picture: Source | int, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The bytes of a picture, given itself or by its id."""
    if isinstance(picture, int):
        return gallery.read(gallery.get(picture))
    return read_bytes(picture, limits)
