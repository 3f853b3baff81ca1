"""The table of routes, from which the application and its OpenAPI description are made."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, get_type_hints

from pydantic import BaseModel

from kkcv.serve.keys import METRICS, READ, WRITE
from kkcv.serve.models.parsing import FORM, JSON, MULTIPART
from kkcv.serve.models.requests import Nothing
from kkcv.serve.models.responses import PictureInfo

from . import networks, operations, pictures, search

SEND_PICTURE = (JSON, MULTIPART)
EMBEDS = ("bad-picture", "loading", "timed-out")
EXPLAINS = (*EMBEDS, "file-missing", "unknown-picture")
WRITES = ("gallery-locked", "gallery-superseded", "gallery-read-only")

Answers = dict[int, type[BaseModel] | str | None]


@dataclass(frozen=True)
class Route:
    """A method of an address. The types of the handler say what it takes and answers.

    ``media`` are the types of its body. ``other_answers`` maps each status of success to a model, a
    media type, or None for no body, where that is not 200 with the handler's model. ``problems``
    are the kinds that not every route can have. An ``open`` route needs no key, one that ``writes``
    a key with this scope. ``any_query``: parameters of the address are ignored, not checked.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    tag: str
    media: tuple[str, ...] = ()
    other_answers: Answers = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    open: bool = False
    any_query: bool = False

    @property
    def name(self) -> str:
        return self.handler.__name__

    @cached_property
    def _types(self) -> dict[str, Any]:
        return get_type_hints(self.handler)

    @property
    def body(self) -> type[BaseModel] | None:
        return self._types.get("body")

    @property
    def query(self) -> type[BaseModel] | None:
        """The parameters of the address; None: they are ignored."""
        return None if self.any_query else self._types.get("query", Nothing)

    @property
    def answers(self) -> Answers:
        """The model, media type or None for each status of success."""
        model = self._types["return"]
        return self.other_answers or ({204: None} if model is type(None) else {200: model})

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
    Route("POST", "/v1/search", search.search, "Search",
          SEND_PICTURE, problems=(*EMBEDS, "unknown-picture")),
    Route("POST", "/v1/search/like", search.search_like, "Search",
          (JSON,), problems=(*EMBEDS, "file-missing", "unknown-picture")),
    Route("POST", "/v1/search/text", search.search_text, "Search",
          (JSON,), problems=("loading", "timed-out")),
    Route("POST", "/v1/batch/search", search.search_batch, "Search",
          (JSON,), problems=(*EMBEDS, "unknown-picture")),
    Route("GET", "/v1/images/{id}/similar", search.similar, "Search",
          problems=("loading", "timed-out")),
    Route("POST", "/search", search.search_form, "Search", (FORM, MULTIPART), problems=EMBEDS),
    Route("POST", "/v1/explain", networks.explain, "Search", (JSON,), problems=EXPLAINS),
    Route("POST", "/v1/explain/picture", networks.explain_as_picture, "Search",
          (JSON,), {200: "image/png"}, EXPLAINS),
    Route("POST", "/v1/classify", networks.classify, "Search", SEND_PICTURE, problems=EMBEDS),
    Route("POST", "/v1/images", pictures.add, "Pictures",
          SEND_PICTURE, {200: PictureInfo, 201: PictureInfo}, EMBEDS + WRITES),
    Route("POST", "/v1/batch/images", pictures.add_batch, "Pictures", (JSON,), problems=WRITES),
    Route("GET", "/v1/images", pictures.list_pictures, "Pictures"),
    Route("GET", "/v1/images/{id}", pictures.get, "Pictures"),
    Route("PUT", "/v1/images/{id}", pictures.replace, "Pictures",
          SEND_PICTURE, problems=(*EMBEDS, *WRITES, "already-there")),
    Route("PATCH", "/v1/images/{id}", pictures.describe, "Pictures", (JSON,), problems=WRITES),
    Route("DELETE", "/v1/images/{id}", pictures.remove, "Pictures", problems=WRITES),
    Route("POST", "/v1/batch/remove", pictures.remove_many, "Pictures", (JSON,), problems=WRITES),
    Route("POST", "/v1/undo", pictures.undo, "Pictures",
          (JSON,), problems=(*WRITES, "nothing-to-undo")),
    Route("GET", "/v1/images/{id}/file", pictures.file, "Pictures",
          other_answers={200: "image/*", 206: "image/*", 304: None},
          problems=("file-missing", "bad-range")),
    Route("GET", "/v1/images/{id}/thumbnail", pictures.thumbnail, "Pictures",
          other_answers={200: "image/jpeg", 206: "image/jpeg", 304: None},
          problems=("file-missing", "bad-range", *EMBEDS)),
    Route("GET", "/v1/duplicates", operations.find_duplicates, "Pictures",
          problems=("timed-out",)),
    Route("POST", "/v1/duplicates/keep", operations.keep_duplicates, "Pictures",
          (JSON,), problems=(*WRITES, "unknown-picture")),
    Route("GET", "/v1/galleries", operations.galleries, "Service"),
    Route("GET", "/v1/stats", operations.stats, "Service"),
    Route("GET", "/v1/model", operations.model, "Service"),
    Route("GET", "/metrics", operations.metrics, "Service",
          other_answers={200: "text/plain"}, any_query=True),
    Route("GET", "/healthz", operations.health, "Service", open=True, any_query=True),
    Route("GET", "/readyz", operations.ready, "Service",
          problems=("loading", "not-a-gallery"), open=True, any_query=True),
)  # fmt: skip
