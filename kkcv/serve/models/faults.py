"""Says what is wrong with the fields of a request, from the faults that Pydantic finds."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel

from kkcv.serve.problems import Problem

from .fields import HIT_FIELDS
from .requests import Search

MAX_ERRORS = 20  # in one answer: a client can send thousands of wrong fields
TYPES = {  # of JSON, by the faults of Pydantic
    **dict.fromkeys(("dict_type", "model_type"), "an object"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    "list_type": "a list",
    "string_type": "a string",
    "string_unicode": "text without half a surrogate pair",
}
PATTERNS = {  # in words, by the fields that have them
    "cursor": "be the `next` of the page before",
    "fields": f"be some of {', '.join(HIT_FIELDS)}, with commas between them",
    "text": "have more in it than spaces",
}
ELSEWHERE = {  # fields that newcomers send with a search, by the route that has them
    "id": "GET /v1/images/{id}/similar",
    "image": "POST /v1/search",
    "like": "POST /v1/search/like",
    "text": "POST /v1/search/text",
    "queries": "POST /v1/batch/search",
}


def fault(model: type[BaseModel], place: tuple[int | str, ...], error: Any) -> tuple[str, str]:
    """The name of a field, such as ``queries.0.k``, and what is wrong with it."""
    names = [str(part) for part in place]
    inner = [name for name in names[:-1] if not name.startswith("<")]  # tags of requests.py
    field = ".".join([*inner, *names[-1:]] or ["the body"]) or "''"
    if error["type"] == "missing":
        return field, "is missing"
    if error["type"] == "extra_forbidden":
        return field, f"is not a field here{instead(names[-1], model_at(model, place[:-1]))}"
    if error["type"] in TYPES:
        return field, f"must be {TYPES[error['type']]}"
    if error["type"] == "string_pattern_mismatch":
        return field, f"must {PATTERNS[names[-1]]}"
    _, should, rest = error["msg"].replace(" after validation", "").partition(" should ")
    return field, f"must {rest}" if should else error["msg"]


def instead(name: str, model: type[BaseModel] | None) -> str:
    """The fields that there are in place of an unknown one, or the route that has it."""
    if model is None:
        return ""
    near = get_close_matches(name[:80], model.model_fields, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    if issubclass(model, Search) and name in ELSEWHERE:
        hint = f", but of {ELSEWHERE[name]}"
    return f"{hint}; there are: {', '.join(model.model_fields)}"


def model_at(model: type[BaseModel], place: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The model of the object at a place in the body; None where there may be several."""
    for name in place:
        if isinstance(name, str):
            found = list(models_in(model.model_fields[name].annotation))
            if len(found) != 1:
                return None
            (model,) = found
    return model


def models_in(kind: Any) -> Iterator[type[BaseModel]]:
    """The models of a type, such as the one of ``list[SearchRequest] | None``."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from models_in(part)


def invalid(faults: list[tuple[str, str]]) -> Problem:
    """The problem for invalid fields, the first of them in its detail."""
    errors = [{"field": shown(field), "detail": what} for field, what in faults[:MAX_ERRORS]]
    first = errors[0]
    extra: dict[str, Any] = {"field": first["field"]}
    if len(errors) > 1:
        extra["errors"] = errors
    return Problem("bad-request", f"{first['field']} {first['detail']}", extra=extra)


def shown(field: str) -> str:
    """The name of a field as short, printable text, because clients can send any name."""
    text = "".join(c if c.isprintable() else "?" for c in field[:80])
    return text if len(field) <= 80 else f"{text}…"
