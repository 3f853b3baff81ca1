"""Routes that find pictures."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kkcv.errors import KkcvError, PictureError, RequestError
from kkcv.images.source import decode_base64
from kkcv.query import Like, Region, Text
from kkcv.search.learning.feedback import rocchio
from kkcv.serve.models import requests
from kkcv.serve.models.fields import HIT_FIELDS
from kkcv.serve.models.requests import (
    BatchRequest,
    FormRequest,
    LikeImage,
    LikePicture,
    LikeRequest,
    LikeText,
    Search,
    SearchRequest,
    SimilarQuery,
    TextRequest,
)
from kkcv.serve.models.responses import Batch, FormAnswer, FormHit, Hit, Hits
from kkcv.serve.problems import Problem, problem_of
from kkcv.serve.service import Service


def search(service: Service, body: SearchRequest) -> Hits:
    """Find the pictures most like this one, nearest first."""
    query = Like(picture_bytes(service, body.image), region=as_region(body.region))
    return find(service, rocchio(query, body.liked, body.unliked), body, body.fields)


def search_like(service: Service, body: LikeRequest) -> Hits:
    """Find the pictures most like some and unlike others, without those of them that have ids."""
    likes = []
    for number, each in enumerate(body.like):
        with at(f"like.{number}"):
            likes.append(as_like(service, each))
    with blaming("like"):
        return find(service, likes, body, body.fields)


def search_text(service: Service, body: TextRequest) -> Hits:
    """Find the pictures that look most like a text, where the gallery's network reads text."""
    with blaming("text"):
        return find(service, [Like(Text(body.text))], body, body.fields)


def similar(service: Service, id: int, query: SimilarQuery) -> Hits:
    """Find the pictures most like one of the gallery, without itself."""
    return find(service, [Like(id)], query, query.fields.split(","))


def search_batch(service: Service, body: BatchRequest) -> Batch:
    """Do several searches in one request. If one fails, its problem is the answer."""
    results = []
    for number, request in enumerate(body.queries):
        with at(f"queries.{number}"):
            results.append(search(service, request))
    return Batch(results=results)


def search_form(service: Service, body: FormRequest) -> FormAnswer:
    """Search with an HTML form, for clients of the first demo. New clients: `POST /v1/search`."""
    hits = search(service, SearchRequest(image=body.image, k=body.k)).hits
    data = [FormHit(image_path=hit.path, similarity=hit.score) for hit in hits]
    return FormAnswer(code=200, message="success", data=data)


def find(
    service: Service, likes: list[Like], request: Search, fields: Sequence[str] | None
) -> Hits:
    """The hits of the gallery, with the requested fields.

    Raises Problem, PictureError, UnknownPicture, RequestError.
    """
    options = request.options()
    service.wait_until_loaded()
    found = service.gallery.search_like(likes, request.k, options, limits=service.limits)
    names = ("id", "score", *(HIT_FIELDS if fields is None else fields))  # which every hit has
    hits = []
    for each in found:
        each.url = service.url(each.id, "file")
        hits.append(Hit(**{name: getattr(each, name) for name in names}))
    return Hits(hits=hits, divider=found.divider)


def as_like(service: Service, part: LikeImage | LikePicture | LikeText) -> Like:
    """A part of a query as the gallery takes it (PictureError, RequestError)."""
    if isinstance(part, LikeText):
        return Like(Text(part.text), part.weight)
    picture = part.id if isinstance(part, LikePicture) else picture_bytes(service, part.image)
    return Like(picture, part.weight, as_region(part.region))


def as_region(part: requests.Region | None) -> Region | None:
    """A part of a picture as the gallery takes it (RequestError)."""
    return None if part is None else Region(**dict(part))


@contextmanager
def blaming(field: str) -> Iterator[None]:
    """Errors inside are of this field, unless they name another."""
    try:
        yield
    except (PictureError, RequestError) as error:
        raise problem_of(error, field) from error


@contextmanager
def at(place: str) -> Iterator[None]:
    """Problems inside name their field as ``queries.0.image``."""
    try:
        yield
    except (KkcvError, Problem) as error:
        problem = problem_of(error, "image" if isinstance(error, PictureError) else None)
        if "field" in problem.extra:
            problem.extra["field"] = f"{place}.{problem.extra['field']}"
        raise problem from error


def picture_bytes(service: Service, image: str | bytes) -> bytes:
    """The picture that was sent, as base64 text or as bytes (PictureError)."""
    return image if isinstance(image, bytes) else decode_base64(image, service.limits)
