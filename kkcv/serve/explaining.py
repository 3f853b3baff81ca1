"""Routes that show which regions of two pictures made them match."""

from flask import Response

from kkcv.embedding.explanation import Explanation
from kkcv.errors import PictureError
from kkcv.images.decode import decode
from kkcv.images.heat import overlaid, side_by_side
from kkcv.images.thumbnails import as_png
from kkcv.search.explain import explain as explained

from .problem import problem_of
from .questions import ExplainQuestion, KnownPicture, SentPicture
from .schemas import Explained
from .searching import at, picture_bytes
from .service import Service

SHOWN = 448  # pixels of the longer side


def explain(service: Service, body: ExplainQuestion) -> Explained:
    """Which positions of two pictures made them score what they do, as numbers."""
    found, _ = explanation(service, body)
    return Explained.model_validate(found.to_dict())


def explain_as_picture(service: Service, body: ExplainQuestion) -> Response:
    """The same as a picture: both, each with a heat map over it."""
    found, pictures = explanation(service, body)
    with service.worker():
        shown = [
            overlaid(decode(data, service.limits, target=SHOWN), side.heat, side.seen)
            for data, side in zip(pictures, (found.query, found.hit), strict=True)
        ]
        drawn = side_by_side(*shown, title=f"score {found.score:.4f}", captions=("query", "hit"))
    return Response(as_png(drawn), mimetype="image/png")


def explanation(service: Service, body: ExplainQuestion) -> tuple[Explanation, tuple[bytes, bytes]]:
    """What the network says of the two, and their files (Problem)."""
    with at("query"):
        query = bytes_of(service, body.query)
    with at("hit"):
        hit = bytes_of(service, body.hit)
    with service.worker():
        try:
            found = explained(service.gallery, query, hit, limits=service.limits)
        except PictureError as error:  # of which of the two, nobody knows
            raise problem_of(error) from error
    return found, (query, hit)


def bytes_of(service: Service, picture: SentPicture | KnownPicture) -> bytes:
    if isinstance(picture, KnownPicture):
        return service.gallery.read(service.gallery.get(picture.id))
    return picture_bytes(service, picture.image)
