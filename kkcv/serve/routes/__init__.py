"""The table of routes, from which the application and its OpenAPI description are made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from kkcv.serve.keys import METRICS, READ, WRITE
from kkcv.serve.models.parsing import FORM, JSON, MULTIPART
from kkcv.serve.models.requests import (
    BatchRequest,
    ClassifyRequest,
    Description,
    DuplicatesQuery,
    ExplainRequest,
    FormRequest,
    KeepRequest,
    LikeRequest,
    NewPicture,
    NewPictures,
    Nothing,
    OtherPicture,
    PageQuery,
    SearchRequest,
    SimilarQuery,
    TextRequest,
    ThumbnailQuery,
)
from kkcv.serve.models.responses import (
    AddedMany,
    Batch,
    Duplicates,
    Explained,
    FormAnswer,
    Galleries,
    Guesses,
    Health,
    Hits,
    Model,
    Page,
    PictureInfo,
    Stats,
)

from . import networks, operations, pictures, search

SEND_PICTURE = (JSON, MULTIPART)
EMBEDS = ("bad-picture", "loading", "timed-out")
EXPLAINS = (*EMBEDS, "file-missing", "unknown-picture")
WRITES = ("gallery-locked", "gallery-superseded", "gallery-read-only")

Answers = dict[int, type[BaseModel] | str | None]


@dataclass(frozen=True)
class Route:
    """A method of an address.

    ``answers`` maps each status of success to a model, a media type, or None for no body.
    ``problems`` are the kinds that not every route can have. An ``open`` route needs no key, one
    that ``writes`` a key with this scope. A ``query`` of None is ignored.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    answers: Answers
    body: type[BaseModel] | None = None
    media: tuple[str, ...] = ()
    query: type[BaseModel] | None = Nothing
    problems: tuple[str, ...] = ()
    open: bool = False
    tag: str = ""

    @property
    def name(self) -> str:
        return self.handler.__name__

    @property
    def writes(self) -> bool:
        return set(WRITES) <= set(self.problems)

    @property
    def scope(self) -> str | None:
        """The scope of the key that it needs; None: no key."""
        if self.open:
            return None
        return METRICS if self.handler is operations.metrics else WRITE if self.writes else READ

    @property
    def rules(self) -> tuple[str, ...]:
        """The paths for Flask: of the first gallery, and with the name of any."""
        rule = self.path.replace("{id}", "<id>")
        named = rule.replace("/v1/", "/v1/galleries/<gallery>/", 1)
        return (rule, named) if self.of_gallery else (rule,)

    @property
    def of_gallery(self) -> bool:
        """Whether each gallery of a service has this route."""
        return self.path.startswith("/v1/") and self.handler is not operations.galleries


ROUTES: tuple[Route, ...] = (
    Route(
        "POST", "/v1/search", search.search, {200: Hits},
        body=SearchRequest, media=SEND_PICTURE, problems=(*EMBEDS, "unknown-picture"),
        tag="Search",
    ),
    Route(
        "POST", "/v1/search/like", search.search_like, {200: Hits},
        body=LikeRequest, media=(JSON,), problems=(*EMBEDS, "file-missing", "unknown-picture"),
        tag="Search",
    ),
    Route(
        "POST", "/v1/search/text", search.search_text, {200: Hits},
        body=TextRequest, media=(JSON,), problems=("loading", "timed-out"), tag="Search",
    ),
    Route(
        "POST", "/v1/batch/search", search.search_batch, {200: Batch},
        body=BatchRequest, media=(JSON,), problems=(*EMBEDS, "unknown-picture"), tag="Search",
    ),
    Route(
        "GET", "/v1/images/{id}/similar", search.similar, {200: Hits},
        query=SimilarQuery, problems=("loading", "timed-out"), tag="Search",
    ),
    Route(
        "POST", "/search", search.search_form, {200: FormAnswer},
        body=FormRequest, media=(FORM, MULTIPART), problems=EMBEDS, tag="Search",
    ),
    Route(
        "POST", "/v1/explain", networks.explain, {200: Explained},
        body=ExplainRequest, media=(JSON,), problems=EXPLAINS, tag="Search",
    ),
    Route(
        "POST", "/v1/explain/picture", networks.explain_as_picture, {200: "image/png"},
        body=ExplainRequest, media=(JSON,), problems=EXPLAINS, tag="Search",
    ),
    Route(
        "POST", "/v1/classify", networks.classify, {200: Guesses},
        body=ClassifyRequest, media=SEND_PICTURE, problems=EMBEDS, tag="Search",
    ),
    Route(
        "POST", "/v1/images", pictures.add, {200: PictureInfo, 201: PictureInfo},
        body=NewPicture, media=SEND_PICTURE, problems=EMBEDS + WRITES, tag="Pictures",
    ),
    Route(
        "POST", "/v1/batch/images", pictures.add_batch, {200: AddedMany},
        body=NewPictures, media=(JSON,), problems=WRITES, tag="Pictures",
    ),
    Route(
        "GET", "/v1/images", pictures.list_pictures, {200: Page}, query=PageQuery, tag="Pictures",
    ),
    Route("GET", "/v1/images/{id}", pictures.get, {200: PictureInfo}, tag="Pictures"),
    Route(
        "PUT", "/v1/images/{id}", pictures.replace, {200: PictureInfo},
        body=OtherPicture, media=SEND_PICTURE, problems=(*EMBEDS, *WRITES, "already-there"),
        tag="Pictures",
    ),
    Route(
        "PATCH", "/v1/images/{id}", pictures.describe, {200: PictureInfo},
        body=Description, media=(JSON,), problems=WRITES, tag="Pictures",
    ),
    Route(
        "DELETE", "/v1/images/{id}", pictures.remove, {204: None},
        problems=WRITES, tag="Pictures",
    ),
    Route(
        "GET", "/v1/images/{id}/file", pictures.file, {200: "image/*", 206: "image/*", 304: None},
        problems=("file-missing", "bad-range"), tag="Pictures",
    ),
    Route(
        "GET", "/v1/images/{id}/thumbnail", pictures.thumbnail,
        {200: "image/jpeg", 206: "image/jpeg", 304: None},
        query=ThumbnailQuery, problems=("file-missing", "bad-range", *EMBEDS), tag="Pictures",
    ),
    Route(
        "GET", "/v1/duplicates", operations.find_duplicates, {200: Duplicates},
        query=DuplicatesQuery, problems=("timed-out",), tag="Pictures",
    ),
    Route(
        "POST", "/v1/duplicates/keep", operations.keep_duplicates, {204: None},
        body=KeepRequest, media=(JSON,), problems=(*WRITES, "unknown-picture"), tag="Pictures",
    ),
    Route("GET", "/v1/galleries", operations.galleries, {200: Galleries}, tag="Service"),
    Route("GET", "/v1/stats", operations.stats, {200: Stats}, tag="Service"),
    Route("GET", "/v1/model", operations.model, {200: Model}, tag="Service"),
    Route(
        "GET", "/metrics", operations.metrics, {200: "text/plain"}, query=None, tag="Service",
    ),
    Route(
        "GET", "/healthz", operations.health, {200: Health}, query=None, open=True, tag="Service",
    ),
    Route(
        "GET", "/readyz", operations.ready, {200: Health},
        query=None, problems=("loading", "not-a-gallery"), open=True, tag="Service",
    ),
)  # fmt: skip
