"""Why a picture was found: the positions of both pictures that made the score, or shared points."""

from typing import NamedTuple

import numpy as np

from kkcv.embedding import windows
from kkcv.embedding.explanation import Explanation
from kkcv.hit import clipped
from kkcv.images.decode import decode
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.images.source import Source, read_bytes
from kkcv.images.thumbnails import as_png
from kkcv.query import Like

from .answer.answer import found_by_parts
from .gallery import Gallery
from .opened.generation import origin
from .options import SearchOptions
from .picture import unknown
from .query import Vectorizer
from .verification.features import features_of
from .verification.geometry import match

Points = tuple[tuple[float, float], tuple[float, float]]  # x, y in the query, and in the hit


class Scored(NamedTuple):
    """The score of a hit, and the part of it that has it, if one is more like the query.

    ``whole`` is that of the whole hit.
    """

    score: float
    whole: float
    part: windows.Window | None


def explain(
    gallery: Gallery,
    query: Source | int,
    hit: Source | int,
    *,
    limits: Limits = DEFAULT_LIMITS,
    scored: Scored | None = None,
) -> Explanation:
    """How much each position of two pictures adds to their score, by the gallery's network.

    A picture is a path, bytes, a file object, or an id of the gallery. This needs PyTorch,
    which runs in a process of its own, ``gallery.worker``. The score is that of a search; the
    shares of the positions are those of the network in float32, scaled to it. Where a part of the
    hit is more like the query than the whole, the positions are those of the part.

    Args:
        scored: if it is known; else it is computed.

    Raises PictureError, UnknownPicture, FileMissing, RequestError for a network without a feature
    map.
    """
    generation = gallery.generation
    settings, projection = generation.catalog.settings, generation.projection
    data = bytes_of(gallery, query, limits), bytes_of(gallery, hit, limits)
    if scored is None:
        pair = (
            each if isinstance(each, int) else content
            for each, content in zip((query, hit), data, strict=True)
        )
        scored = score_of(gallery, *pair, limits=limits)
    shown = data[1]
    if scored.part:
        target = windows.CLOSER * gallery.space.preprocess.target
        shown = as_png(windows.within(decode(shown, limits, target=target), scored.part))
    matrix = None if projection is None else projection.matrix
    found = gallery.worker.explain(origin(settings), data[0], shown, limits, matrix)
    found = found.of_score(scored.score)
    return found.of_part(scored.part, scored.whole) if scored.part else found


def score_of(
    gallery: Gallery, query: Source | int, hit: Source | int, *, limits: Limits = DEFAULT_LIMITS
) -> Scored:
    """The score that a search says (PictureError, UnknownPicture)."""
    generation = gallery.generation
    vectorizer = Vectorizer(generation, gallery, gallery.worker, limits)
    first, second = (vectorizer.query([Like(each)]) for each in (query, hit))
    whole = float(clipped(first @ second))
    if found_by_parts(generation, SearchOptions()):
        alike = parts_of(gallery, hit, limits) @ windows.sketch(first)
        if (score := float(clipped(alike.max()))) > whole:
            return Scored(score, whole, windows.WINDOWS[alike.argmax()])
    return Scored(whole, whole, None)


def parts_of(gallery: Gallery, picture: Source | int, limits: Limits) -> np.ndarray:
    """The vectors of the parts of a picture: float32 (5, 256) (PictureError, UnknownPicture)."""
    generation = gallery.generation
    if isinstance(picture, int):
        with generation.catalog.reading() as rows:
            row = rows.row(picture)
        if row is None:  # removed meanwhile
            raise unknown(picture, gallery.address)
    else:
        row = generation.embedder.embed_row(picture, limits)
    return windows.parts_of(row[None], generation.stored_space.dim)[0]


def shared_points(query: bytes, hit: bytes, limits: Limits = DEFAULT_LIMITS) -> list[Points]:
    """The points of two pictures that agree on one change of view (verification/geometry.py).

    None of them if the hit does not show what the query shows. Raises PictureError.
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
