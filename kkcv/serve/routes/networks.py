"""Routes that ask the gallery's network about pictures: what one shows, why two match."""

import math

from flask import Response

from kkcv.embedding.explanation import Explanation
from kkcv.errors import PictureError
from kkcv.images.decode import decode, decode_small, image_size
from kkcv.images.heat import SIDE, overlaid, side_by_side
from kkcv.images.reducing import LARGE
from kkcv.images.thumbnails import as_png
from kkcv.search.explain import explain as explained
from kkcv.search.explain import score_of
from kkcv.search.opened.generation import origin
from kkcv.serve.models.requests import ClassifyRequest, ExplainRequest, KnownPicture, SentPicture
from kkcv.serve.models.responses import Explained, Guess, Guesses
from kkcv.serve.problems import problem_of
from kkcv.serve.service import Service

from .search import at, picture_bytes


def classify(service: Service, body: ClassifyRequest) -> Guesses:
    """Name what a picture shows: the classes of the gallery's network, the most probable first."""
    data = picture_bytes(service, body.image)
    model = origin(service.gallery.catalog.settings)
    with service.worker():
        guesses = service.gallery.worker.classify(model, data, body.top, body.lang, service.limits)
    return Guesses(guesses=[Guess(**guess._asdict()) for guess in guesses])


def explain(service: Service, body: ExplainRequest) -> Explained:
    """Explain the score of two pictures: what each position of either adds to it, as numbers."""
    found, _ = explanation(service, body)
    return Explained.model_validate(found.to_dict())


def explain_as_picture(service: Service, body: ExplainRequest) -> Response:
    """Draw both pictures with heat maps that explain their score."""
    found, pictures = explanation(service, body)
    with service.worker():
        shown = [
            overlaid(decode_small(data, SIDE, service.limits), side.heat, side.seen)
            for data, side in zip(pictures, (found.query, found.hit), strict=True)
        ]
        drawn = side_by_side(*shown, title=found.title, captions=("query", "hit"))
    return Response(as_png(drawn), mimetype="image/png")


def explanation(service: Service, body: ExplainRequest) -> tuple[Explanation, tuple[bytes, bytes]]:
    """The explanation of the network, and the bytes of both pictures (Problem)."""
    with at("query"):
        query = reduced(service, bytes_of(service, body.query))
    with at("hit"):
        hit = reduced(service, bytes_of(service, body.hit))
    asked = (
        part.id if isinstance(part, KnownPicture) else content
        for part, content in ((body.query, query), (body.hit, hit))
    )
    with service.worker():
        try:
            scored = score_of(service.gallery, *asked, limits=service.limits)
            found = explained(service.gallery, query, hit, limits=service.limits, scored=scored)
        except PictureError as error:  # it does not say of which of the two
            raise problem_of(error) from error
    return found, (query, hit)


def reduced(service: Service, data: bytes) -> bytes:
    """A large picture as a small PNG, so that it is decoded once: the network gets the same crop.

    Raises PictureError, Problem.
    """
    if math.prod(image_size(data, service.limits)) <= LARGE:
        return data
    target = service.gallery.space.preprocess.target
    with service.worker():
        return as_png(decode(data, service.limits, target=target), compress_level=1)


def bytes_of(service: Service, picture: SentPicture | KnownPicture) -> bytes:
    if isinstance(picture, KnownPicture):
        return service.gallery.read(service.gallery.get(picture.id))
    return picture_bytes(service, picture.image)
