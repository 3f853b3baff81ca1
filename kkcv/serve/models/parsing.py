"""Parses the body and query of a request into a model, or raises one clear problem."""

import json
from collections import Counter
from collections.abc import Collection
from typing import Any, TypeVar, get_args, get_origin

from flask import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from kkcv.serve.problems import Problem

from .fields import MAX_FIELDS

Checked = TypeVar("Checked", bound=BaseModel)
JSON, MULTIPART, FORM = (
    "application/json",
    "multipart/form-data",
    "application/x-www-form-urlencoded",
)
MAX_ERRORS = 20
MAX_VALUES = 500_000  # in JSON: twice what 16 pictures with the largest metadata have
TYPES = {  # of JSON, by the faults of Pydantic
    **dict.fromkeys(("dict_type", "model_type"), "an object"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    "list_type": "a list",
    "string_type": "a string",
}
ONE_LINE = "; base64 must be one line, without line breaks: base64 -w0 FILE"


def read_body(request: Request, model: type[Checked], media: tuple[str, ...]) -> Checked:
    """The body as the model describes it, in one of the media types that the route takes.

    In a form, ``image`` is a file (or base64 text), every other field is JSON, and a list may come
    as several fields of one name.
    """
    must_be_plain(request)
    if request.mimetype not in media:
        picture = " or a picture, such as image/jpeg" if MULTIPART in media else ""
        raise Problem(
            "unsupported-media-type",
            f"the body must be {' or '.join(media)}{picture}, and the header "
            f"Content-Type must say so (curl -H 'Content-Type: {media[0]}'); it says "
            f"{shown(request.mimetype) or 'nothing'}",
        )
    if request.mimetype == JSON:
        return check(model, read_json(request.get_data()))
    if request.mimetype == FORM:  # Werkzeug limits the parts of a multipart body only
        check_count(request.get_data(), "the form")
    return check(model, read_form(request, lists_of(model)))


def must_be_plain(request: Request) -> None:
    """Refuse a body without its length, or compressed (Problem)."""
    if request.content_length is None:
        raise Problem("length-required", "send the header Content-Length")
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise Problem(
            "unsupported-media-type",
            f"the body must be sent as it is, without Content-Encoding: {shown(encoding)}",
        )


def is_picture(request: Request, media: tuple[str, ...]) -> bool:
    """Whether the body is the bytes of a picture, where the route takes one."""
    return MULTIPART in media and request.mimetype.startswith("image/")


def read_picture(request: Request, model: type[Checked]) -> Checked:
    """A body that is a picture, with the other fields in the address: ``?k=2``."""
    must_be_plain(request)
    sent = [*in_address(request), ("image", request.get_data())]
    return check(model, gathered(sent, lists_of(model)))


def in_address(request: Request) -> list[tuple[str, Any]]:
    """The parameters of the address (Problem)."""
    check_count(request.query_string, "the address")
    return [(name, json_or_text(text)) for name, all in request.args.lists() for text in all]


def check_count(encoded: bytes, what: str) -> None:
    """Refuse too many fields before they are parsed (Problem)."""
    count = encoded.count(b"&") + 1
    if count > MAX_FIELDS:
        raise Problem("bad-request", f"{what} must have at most {MAX_FIELDS} fields, not {count:,}")


def read_json(data: bytes) -> dict[str, Any]:
    """One JSON object in UTF-8; NaN, Infinity, and keys that come twice are refused."""
    check_values(data)
    try:
        value = from_json(data, allow_inf_nan=False)
    except ValueError as error:
        hint = ONE_LINE if "control character" in str(error) else ""
        raise Problem("bad-json", f"the body cannot be read as JSON: {error}{hint}") from None
    if not isinstance(value, dict):
        raise Problem("bad-request", "the body must be a JSON object")
    json.loads(data, object_pairs_hook=by_name, parse_int=str)  # which looks at all keys
    return value


def check_values(data: bytes) -> None:
    """Refuse too many values before they are parsed: each takes a hundred bytes (Problem)."""
    if sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise Problem("bad-request", f"the body must have at most {MAX_VALUES:,} values in JSON")


def refuse_constant(name: str) -> None:
    raise ValueError(name)


def lists_of(model: type[BaseModel]) -> set[str]:
    """The names of the fields that are lists."""
    return {name for name, field in model.model_fields.items() if may_be_list(field.annotation)}


def may_be_list(kind: Any) -> bool:
    """Also ``list[int] | None``, and with annotations."""
    return get_origin(kind) is list or any(may_be_list(part) for part in get_args(kind))


def read_form(request: Request, lists: Collection[str]) -> dict[str, Any]:
    """The fields and files of a form by name."""
    sent: list[tuple[str, Any]] = [
        *(
            (name, text if name == "image" else json_or_text(text))
            for name, texts in request.form.lists()
            for text in texts
        ),
        *((name, file.read()) for name, files in request.files.lists() for file in files),
    ]
    return gathered(sent, lists)


def gathered(sent: list[tuple[str, Any]], lists: Collection[str]) -> dict[str, Any]:
    """Fields by name; those that are lists may come several times (Problem)."""
    several = {name: [value for each, value in sent if each == name] for name in lists}
    whole = {name: listed(values) for name, values in several.items() if values}
    return {**by_name([each for each in sent if each[0] not in whole]), **whole}


def listed(values: list[Any]) -> Any:
    """``fields=path`` and ``fields=url``, or the JSON of the list at once."""
    first = values[0]
    scalar = isinstance(first, int | str) and not isinstance(first, bool)
    return values if scalar or len(values) > 1 else first


def read_query(request: Request, model: type[Checked]) -> Checked:
    """The parameters of the address as the model."""
    return check(model, by_name(in_address(request)))


def by_name(sent: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(sent)
    if len(values) < len(sent):
        counts = Counter(name for name, _ in sent)
        raise invalid([(n, "was sent more than once") for n, times in counts.items() if times > 1])
    return values


def json_or_text(text: str) -> Any:
    """``10``, ``0.5`` and ``{"a": 1}`` as what they are; anything that is not JSON stays text."""
    check_values(text.encode(errors="surrogatepass"))
    try:
        return json.loads(text, object_pairs_hook=by_name, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return text


def check(model: type[Checked], values: dict[str, Any]) -> Checked:
    """The values as the model, or a problem that names every invalid field."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise invalid([fault(model, each["loc"], each) for each in faults]) from None


def fault(model: type[BaseModel], place: tuple[int | str, ...], error: Any) -> tuple[str, str]:
    """The name of a field, such as ``queries.0.k``, and what is wrong with it."""
    names = [str(part) for part in place]
    inner = [name for name in names[:-1] if not name.startswith("<")]  # tags of requests.py
    field = ".".join([*inner, *names[-1:]]) or "the body"
    if error["type"] == "missing":
        return field, "is missing"
    if error["type"] == "extra_forbidden":
        known = ", ".join(model.model_fields) or "none"
        return field, f"is not a field here{f'; there are: {known}' if len(place) == 1 else ''}"
    if error["type"] in TYPES:
        return field, f"must be {TYPES[error['type']]}"
    _, should, rest = error["msg"].replace(" after validation", "").partition(" should ")
    return field, f"must {rest}" if should else error["msg"]


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
