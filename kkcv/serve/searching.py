"""Routes that find pictures."""

from collections.abc import Iterator
from contextlib import contextmanager

from kkcv.errors import KkcvError, PictureError, RequestError
from kkcv.images.source import decode_base64
from kkcv.search.gallery import Hit as Found
from kkcv.search.query import Like
from kkcv.search.query import Region as Part
from kkcv.search.where import parse

from .problem import Problem, problem_of
from .schemas import (
    Batch,
    BatchQuestion,
    FormAnswer,
    FormHit,
    FormQuestion,
    Hit,
    Hits,
    LikeImage,
    LikePicture,
    LikeQuestion,
    Region,
    SearchQuestion,
    SimilarQuery,
)
from .service import Service


def search(service: Service, body: SearchQuestion) -> Hits:
    """The pictures most like this one, nearest first."""
    question = LikeImage(image=body.image, region=body.region)
    return find(service, [as_like(service, question)], body.k, body.min_score, body.where)


def search_like(service: Service, body: LikeQuestion) -> Hits:
    """The pictures most like several and unlike others, without those of the gallery among them."""
    likes = []
    for number, each in enumerate(body.like):
        with at(f"like.{number}"):
            likes.append(as_like(service, each))
    try:
        return find(service, likes, body.k, body.min_score, body.where)
    except (PictureError, RequestError) as error:
        raise problem_of(error, "like") from error


def similar(service: Service, id: int, query: SimilarQuery) -> Hits:
    """The pictures most like one of the gallery, without itself."""
    return find(service, [Like(id)], query.k, query.min_score, query.where)


def search_batch(service: Service, body: BatchQuestion) -> Batch:
    """Several searches in one request. All of them succeed, or the first problem is the answer."""
    results = []
    for number, question in enumerate(body.queries):
        with at(f"queries.{number}"):
            results.append(search(service, question))
    return Batch(results=results)


def search_form(service: Service, body: FormQuestion) -> FormAnswer:
    """Search with an HTML form, for clients of the first demo. New clients: `POST /v1/search`."""
    hits = search(service, SearchQuestion(image=body.image, k=body.k)).hits
    data = [FormHit(image_path=hit.path, similarity=hit.score) for hit in hits]
    return FormAnswer(code=200, message="success", data=data)


def find(service: Service, likes: list[Like], k: int, min_score: float, where: str) -> Hits:
    """The answer of the gallery, with a worker where pictures must be decoded."""
    check_where(where)
    with service.worker():
        found = service.gallery.search_like(
            likes, k, where=where or None, min_score=min_score, limits=service.limits
        )
    return Hits(hits=[as_hit(each) for each in found])


def as_like(service: Service, question: LikeImage | LikePicture) -> Like:
    """A part of a question as the gallery takes it (PictureError, Problem)."""
    region = None if question.region is None else as_part(question.region)
    if isinstance(question, LikePicture):
        return Like(question.id, question.weight, region)
    return Like(picture_bytes(service, question.image), question.weight, region)


def as_part(region: Region) -> Part:
    """The region, which must lie inside of the picture (Problem)."""
    try:
        return Part(region.left, region.top, region.width, region.height)
    except RequestError as error:
        raise problem_of(error, "region") from error


def check_where(where: str) -> None:
    """Raises Problem for a filter that is none."""
    try:
        if where:
            parse(where)
    except RequestError as error:
        raise problem_of(error, "where") from error


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
    """What was sent as a picture: base64 text, or the bytes themselves (PictureError)."""
    return image if isinstance(image, bytes) else decode_base64(image, service.limits)


def file_url(id: int) -> str:
    return f"/v1/images/{id}/file"


def as_hit(found: Found) -> Hit:
    return Hit(
        id=found.id,
        score=found.score,
        path=found.path,
        url=file_url(found.id),
        metadata=found.metadata,
    )
