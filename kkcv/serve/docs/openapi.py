"""The OpenAPI 3.1 description, made from the table of routes and its models."""

from collections.abc import Collection, Iterable
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from kkcv import __version__
from kkcv.serve.keys import METRICS
from kkcv.serve.models.fields import LARGEST_ID
from kkcv.serve.models.parsing import JSON, MULTIPART
from kkcv.serve.models.responses import ProblemInfo
from kkcv.serve.problems import CONTENT_TYPE, KINDS, REASON_STATUS
from kkcv.serve.routes import Route

from .samples import ADDRESS, samples

REF = "#/components/schemas/{model}"
FILE = {"type": "string", "format": "binary", "description": "A picture file."}
ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "Of a picture. An id is never used twice.",
    "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
}
NAMED = "Galleries by name"
RAW = "A picture may be the whole body; the other fields are then in the address: `?k=2`."
KEY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The API key."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def openapi(
    routes: Iterable[Route], galleries: Collection[str] = (), *, needs_key: bool
) -> dict[str, Any]:
    """The whole document. ``needs_key``: every route that is not open needs a key.

    With several ``galleries`` each route of a gallery is there a second time, with its name.
    """
    routes = tuple(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = operation(route, needs_key)
    for route in routes if len(galleries) > 1 else ():
        if route.of_gallery:
            path = route.path.replace("/v1/", "/v1/galleries/{gallery}/", 1)
            named = operation(route, needs_key)
            named["operationId"] += "_in_gallery"  # ids are unique in a document
            named["tags"] = [NAMED]
            first = next(iter(galleries))
            for sample in named["x-codeSamples"]:
                sample["source"] = sample["source"].replace("/v1/", f"/v1/galleries/{first}/")
                sample["source"] = sample["source"].replace(
                    f'Client("{ADDRESS}"', f'Client("{ADDRESS}", gallery="{first}"'
                )
            named["parameters"] = [gallery_name(galleries), *named.get("parameters", [])]
            paths.setdefault(path, {})[route.method.lower()] = named
    components: dict[str, Any] = {"schemas": schemas(routes)}
    if needs_key:
        components["securitySchemes"] = KEY
    operations = [each for methods in paths.values() for each in methods.values()]
    tags = dict.fromkeys(tag for each in operations for tag in each["tags"])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "kkcv",
            "version": __version__,
            "summary": "Search a gallery of pictures by picture.",
            "description": "Errors are RFC 9457 problem details; their `type` never changes its "
            "meaning. Unknown fields and parameters are errors.",
        },
        "paths": paths,
        "components": components,
        "tags": [{"name": name} for name in tags],
    }


def gallery_name(galleries: Collection[str]) -> dict[str, Any]:
    return {
        "name": "gallery",
        "in": "path",
        "required": True,
        "description": "The name of a gallery, as /v1/galleries lists it.",
        "schema": {"type": "string", "enum": list(galleries)},
    }


def schemas(routes: Iterable[Route]) -> dict[str, Any]:
    """Every model of a request or response, by its name."""
    # a dict for its order: the document is the same every time
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {
        (ProblemInfo, "serialization"): None
    }
    for route in routes:
        if route.body is not None:
            wanted[route.body, "validation"] = None
        for answer in route.answers.values():
            if isinstance(answer, type):
                wanted[answer, "serialization"] = None
    described = models_json_schema(list(wanted), ref_template=REF)[1]["$defs"]
    return {name: required_first(schema) for name, schema in described.items()}


def required_first(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema with its required fields first, which is easier to read."""
    if "properties" not in schema or "required" not in schema:
        return schema
    required = schema["required"]
    ordered = sorted(schema["properties"].items(), key=lambda each: each[0] not in required)
    return {**schema, "properties": dict(ordered)}


def operation(route: Route, needs_key: bool) -> dict[str, Any]:
    """The description of one route."""
    summary, _, rest = (route.handler.__doc__ or "").strip().partition(".")
    described: dict[str, Any] = {
        "operationId": route.name,
        "summary": " ".join(summary.split()),
        "tags": [route.tag],
        "responses": {**answers(route), **problems(route, needs_key)},
    }
    if needs_key and route.writes:
        rest += " Needs a key that may write."
    if rest.strip():
        described["description"] = " ".join(rest.split())
    parameters = [ID] if "{id}" in route.path else []
    if route.query is not None:
        parameters = parameters + query_parameters(route.query)
    if parameters:
        described["parameters"] = parameters
    if route.body is not None:
        content = {media: {"schema": body_schema(route.body, media)} for media in route.media}
        if MULTIPART in route.media:
            content["image/*"] = {"schema": FILE}
            described["description"] = " ".join([RAW, described.get("description", "")]).strip()
        described["requestBody"] = {"required": True, "content": content}
    described["x-codeSamples"] = samples(route, needs_key=needs_key)
    if needs_key and not route.open:
        described["security"] = [{"bearer": []}, {"header": []}]
    return described


def query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    parameters = []
    for name, schema in model.model_json_schema()["properties"].items():
        schema = {key: value for key, value in schema.items() if key != "title"}
        description = schema.pop("description", "")
        parameters.append(
            {"name": name, "in": "query", "description": description, "schema": schema}
        )
    return parameters


def body_schema(model: type[BaseModel], media: str) -> dict[str, Any]:
    """A reference to the model for JSON; for a form its fields, with the picture as a file."""
    if media == JSON:
        return {"$ref": REF.format(model=model.__name__)}
    schema = model.model_json_schema(ref_template=REF)
    schema.pop("$defs", None)
    if media == MULTIPART:
        schema["properties"] = {**schema["properties"], "image": FILE}
    return required_first(schema)


def answers(route: Route) -> dict[str, Any]:
    """The responses of success, by status."""
    described: dict[str, Any] = {}
    for status, what in route.answers.items():
        entry: dict[str, Any] = {"description": HTTPStatus(status).phrase}
        if isinstance(what, type):
            entry["content"] = {JSON: {"schema": {"$ref": REF.format(model=what.__name__)}}}
        elif what is not None:
            entry["content"] = {what: {"schema": FILE}}
        described[str(status)] = entry
    return described


def problems(route: Route, needs_key: bool) -> dict[str, Any]:
    """The problem responses, by status."""
    codes = ["wrong-host", "internal", *route.problems]
    codes += ["busy", "not-a-gallery"] if not route.open else []
    if needs_key and not route.open:
        codes += ["unauthorized", "too-many-requests"]
        codes += ["read-only-key"] if route.scope != METRICS else []
    codes += ["unknown-picture"] if "{id}" in route.path else []
    codes += ["unknown-gallery"] if route.of_gallery else []
    codes += ["bad-request"] if route.query is not None or route.body is not None else []
    codes += ["forbidden", "bad-http"] if route.method != "GET" else []
    if route.body is not None:
        codes += ["too-slow", "bad-json", "length-required", "too-large", "unsupported-media-type"]
    by_status: dict[int, list[str]] = {}
    for code in codes:
        statuses = {KINDS[code].status}
        statuses |= set(REASON_STATUS.values()) if code == "bad-picture" else set()
        for status in statuses:
            by_status.setdefault(status, []).append(code)
    content = {CONTENT_TYPE: {"schema": {"$ref": REF.format(model=ProblemInfo.__name__)}}}
    return {
        str(status): {"description": ", ".join(codes), "content": content}
        for status, codes in sorted(by_status.items())
    }
