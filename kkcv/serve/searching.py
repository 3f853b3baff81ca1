"""Routes that find pictures."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kkcv.errors import KkcvError, PictureError, RequestError
from kkcv.images.source import decode_base64
from kkcv.search.hits import Hit as Found
from kkcv.search.learning.feedback import rocchio
from kkcv.search.options import SearchOptions
from kkcv.search.query import Like, Text
from kkcv.search.query import Region as Part
from kkcv.search.where import parse

from .fields import HIT_FIELDS
from .problem import Problem, problem_of
from .questions import (
    BatchQuestion,
    FormQuestion,
    LikeImage,
    LikePicture,
    LikeQuestion,
    LikeText,
    Region,
    SearchQuestion,
    SearchWords,
    SimilarQuery,
    TextQuestion,
)
from .schemas import Batch, FormAnswer, FormHit, Hit, Hits
from .service import Service


def search(service: Service, body: SearchQuestion) -> Hits:
    """The pictures most like this one, nearest first."""
    query = as_like(service, LikeImage(image=body.image, region=body.region))
    with at_field("unliked"):
        likes = rocchio(query, body.liked, body.unliked)
    return find(service, likes, body, body.fields)


def search_like(service: Service, body: LikeQuestion) -> Hits:
    """The pictures most like several and unlike others, without those of the gallery among them."""
    likes = []
    for number, each in enumerate(body.like):
        with at(f"like.{number}"):
            likes.append(as_like(service, each))
    with at_field("like"):
        return find(service, likes, body, body.fields)


def search_text(service: Service, body: TextQuestion) -> Hits:
    """The pictures that look most like what a text says, where the gallery's network reads."""
    with at_field("text"):
        return find(service, [Like(Text(body.text))], body, body.fields)


def similar(service: Service, id: int, query: SimilarQuery) -> Hits:
    """The pictures most like one of the gallery, without itself."""
    return find(service, [Like(id)], query, query.fields.split(","))


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


def find(
    service: Service, likes: list[Like], words: SearchWords, fields: Sequence[str] | None
) -> Hits:
    """The answer of the gallery, which asks for a turn where pictures must be decoded."""
    check_where(words.where)
    options = SearchOptions(
        where=words.where or None,
        min_score=words.min_score,
        ranking=words.ranking,
        verify=words.verify,
        max_chance=words.max_chance,
        fold=words.fold,
    )
    service.wait_until_loaded()
    try:
        found = service.gallery.search_like(likes, words.k, options, limits=service.limits)
    except RequestError as error:  # what a gallery cannot do for a question that fits
        field = "max_chance" if words.max_chance else "verify" if words.verify else None
        raise (problem_of(error, field) if field else error) from error
    chosen = HIT_FIELDS if fields is None else fields
    return Hits(hits=[as_hit(each, chosen) for each in found])


def as_like(service: Service, question: LikeImage | LikePicture | LikeText) -> Like:
    """A part of a question as the gallery takes it (PictureError, Problem)."""
    if isinstance(question, LikeText):
        return Like(Text(question.text), question.weight)
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
def at_field(name: str) -> Iterator[None]:
    """What a gallery refuses inside is the fault of this field, unless it is said to be another."""
    try:
        yield
    except (PictureError, RequestError) as error:
        raise problem_of(error, name) from error


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


def as_hit(found: Found, fields: Sequence[str] = HIT_FIELDS) -> Hit:
    """A hit with some of its fields."""
    told = {"url": file_url(found.id), **found._asdict()}
    return Hit(id=found.id, score=found.score, **{name: told[name] for name in fields})
