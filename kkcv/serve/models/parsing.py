"""Parses the body and query of a request into a model, or raises one clear problem."""

import json
from collections import Counter
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from flask import Request
from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from kkcv.serve.problems import Problem

from .faults import fault, invalid, shown
from .fields import MAX_FIELDS

Checked = TypeVar("Checked", bound=BaseModel)
JSON, MULTIPART, FORM = (
    "application/json",
    "multipart/form-data",
    "application/x-www-form-urlencoded",
)
MAX_VALUES = 500_000  # in JSON: twice what 16 pictures with the largest metadata have
GZIP = b"\x1f\x8b"
ONE_LINE = "; base64 must be one line, without line breaks: base64 -w0 FILE"


def read_body(request: Request, model: type[Checked], media: tuple[str, ...]) -> Checked:
    """The body as the model describes it, in one of the media types that the route takes.

    In a form, ``image`` is a file (or base64 text), every other field is JSON, and a list may come
    as several fields of one name. Without a body every field is missing.
    """
    if not request.content_length:
        return check(model, {})
    if request.mimetype == JSON:
        return check(model, read_json(request.get_data()))
    if request.mimetype == FORM:  # Werkzeug limits the parts of a multipart body only
        check_count(request.get_data(), "the form")
    try:
        return check(model, read_form(request, model))
    except RequestEntityTooLarge:
        if request.content_length > (request.max_content_length or 0):
            raise
        raise Problem("bad-request", f"the form must have at most {MAX_FIELDS} fields") from None


def must_be_read(request: Request, media: tuple[str, ...]) -> None:
    """Refuse a body that is of none of these media types, compressed, or without its length.

    Raises Problem.
    """
    if request.content_length is None and has_body(request):
        raise Problem("length-required", "send the header Content-Length")
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise Problem(
            "unsupported-media-type",
            f"the body must be sent as it is, without Content-Encoding: {shown(encoding)}",
        )
    if request.content_length and not (request.mimetype in media or is_picture(request, media)):
        picture = " or a picture, such as image/jpeg" if MULTIPART in media else ""
        raise Problem(
            "unsupported-media-type",
            f"the body must be {' or '.join(media)}{picture}, and the header "
            f"Content-Type must say so (curl -H 'Content-Type: {media[0]}'); it says "
            f"{shown(request.mimetype) or 'nothing'}",
        )


def has_body(request: Request) -> bool:
    """Whether a request without Content-Length has a body, as HTTP/1 says or HTTP/2 may have."""
    if "Transfer-Encoding" in request.headers:
        return True
    if request.environ.get("wsgi.input_terminated"):  # reading does not wait for ever
        return bool(request.stream.read(1))
    newer = not request.environ.get("SERVER_PROTOCOL", "HTTP/1").startswith("HTTP/1")
    return newer and bool(request.mimetype)


def is_picture(request: Request, media: tuple[str, ...]) -> bool:
    """Whether the body is the bytes of a picture, where the route takes one."""
    return MULTIPART in media and request.mimetype.startswith("image/")


def read_picture(request: Request, model: type[Checked]) -> Checked:
    """A body that is a picture, with the other fields in the address: ``?k=2``."""
    sent = [*in_address(request, model), ("image", request.get_data())]
    return check(model, gathered(sent, model))


def in_address(request: Request, model: type[BaseModel]) -> list[tuple[str, Any]]:
    """The parameters of the address (Problem)."""
    check_count(request.query_string, "the address")
    return [(name, value_of(model, name, t)) for name, all in request.args.lists() for t in all]


def check_count(encoded: bytes, what: str) -> None:
    """Refuse too many fields before they are parsed (Problem)."""
    count = encoded.count(b"&") + 1
    if count > MAX_FIELDS:
        raise Problem("bad-request", f"{what} must have at most {MAX_FIELDS} fields, not {count:,}")


def read_json(data: bytes) -> dict[str, Any]:
    """One JSON object in UTF-8; NaN, Infinity, and keys that come twice are refused.

    A byte order mark in front, which PowerShell writes into files, is left out.
    """
    check_values(data)
    try:
        value = parsed(text := data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        compressed = data.startswith(GZIP)
        why = "it is compressed; send it as it is" if compressed else "it is not UTF-8"
    except json.JSONDecodeError as error:
        why = f"the mistake is at line {error.lineno}, column {error.colno}"
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            why = "it ends too early"
        elif "control character" in error.msg:
            why += ONE_LINE
    except ValueError:
        why = "a number in it is not finite, or has more than 4,300 digits"
    except RecursionError:
        why = "it is nested too deep"
    else:
        if isinstance(value, dict):
            return value
        raise Problem("bad-request", "the body must be a JSON object")
    raise Problem("bad-json", f"the body cannot be read as JSON: {why}")


def parsed(text: str) -> Any:
    """The value of a JSON text (ValueError, RecursionError; Problem: a key comes twice)."""
    return json.loads(text, object_pairs_hook=by_name, parse_constant=refuse_constant)


def check_values(data: bytes) -> None:
    """Refuse too many values before they are parsed: each takes a hundred bytes (Problem)."""
    # also of signs within texts: base64 and sane metadata have few
    if sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise Problem("bad-request", f"the body must have at most {MAX_VALUES:,} values in JSON")


def refuse_constant(name: str) -> None:
    raise ValueError(name)


def kinds_of(model: type[BaseModel], name: str) -> set[type]:
    """The types that a field takes: ``{list, NoneType}`` of ``list[int] | None``."""
    field = model.model_fields.get(name)
    return set() if field is None else set(types_in(field.annotation))


def types_in(kind: Any) -> Iterator[type]:
    outer = get_origin(kind) or kind
    if outer in (Annotated, Union, UnionType):
        for part in get_args(kind):
            yield from types_in(part)
    elif isinstance(outer, type):
        yield outer


def read_form(request: Request, model: type[BaseModel]) -> dict[str, Any]:
    """The fields and files of a form by name (Problem)."""
    if not request.form and not request.files:
        raise Problem(
            "bad-request",
            "the form has no field that can be read; for a multipart form the header Content-Type "
            "has the boundary of its parts, which HTTP libraries set themselves",
        )
    sent = [
        *((name, value_of(model, name, t)) for name, all in request.form.lists() for t in all),
        *((name, file_of(model, name, f)) for name, all in request.files.lists() for f in all),
    ]
    return gathered(sent, model)


def file_of(model: type[BaseModel], name: str, file: FileStorage) -> Any:
    """The bytes of a picture; in other fields what the text in the file is: a browser's Blob."""
    data, kinds = file.read(), kinds_of(model, name)
    if bytes in kinds or not kinds:
        return data
    return value_of(model, name, data.decode(errors="replace"))


def gathered(sent: list[tuple[str, Any]], model: type[BaseModel]) -> dict[str, Any]:
    """Fields by name; those that are lists may come several times (Problem)."""
    lists = [name for name in model.model_fields if list in kinds_of(model, name)]
    several = {name: [value for each, value in sent if each == name] for name in lists}
    whole = {name: listed(values) for name, values in several.items() if values}
    return {**by_name([each for each in sent if each[0] not in whole]), **whole}


def listed(values: list[Any]) -> Any:
    """``fields=path`` and ``fields=url``, or the JSON of the list at once."""
    first = values[0]
    scalar = isinstance(first, int | str) and not isinstance(first, bool)
    return values if scalar or len(values) > 1 else first


def read_query(
    request: Request, model: type[Checked], body: type[BaseModel] | None = None
) -> Checked:
    """The parameters of the address as the model; ``body`` is the model of the route's body."""
    values = by_name(in_address(request, model))
    if values and not model.model_fields:
        in_body = body.model_fields if body else {}
        where = {name: "; send it in the body" for name in values if name in in_body}
        none = "is not a field here: this route takes no query parameters"
        raise invalid([(name, none + where.get(name, "")) for name in values])
    return check(model, values)


def by_name(sent: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(sent)
    if len(values) < len(sent):
        counts = Counter(name for name, _ in sent)
        raise invalid([(n, "was sent more than once") for n, times in counts.items() if times > 1])
    return values


def value_of(model: type[BaseModel], name: str, text: str) -> Any:
    """``10``, ``0.5`` and ``{"a": 1}`` as what they are; anything that is not JSON stays text.

    In a field of text ``10`` is text too, and so is ``"10"``, without its quotes.
    """
    kinds = kinds_of(model, name)
    if bytes in kinds:  # base64
        return text
    check_values(text.encode(errors="surrogatepass"))
    try:
        value = parsed(text)
    except (ValueError, RecursionError):
        return text
    is_text = str in kinds and kinds <= {str, NoneType}
    return text if is_text and type(value) not in kinds else value


def check(model: type[Checked], values: dict[str, Any]) -> Checked:
    """The values as the model, or a problem that names every invalid field."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise invalid([fault(model, each["loc"], each) for each in faults]) from None
