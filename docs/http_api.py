"""The reference of the HTTP API, made from its OpenAPI document (docs/generated.py)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kkcv.serve.docs.openapi import openapi
from kkcv.serve.problems import KINDS
from kkcv.serve.routes import ROUTES

INTRODUCTION = """\
# HTTP

Made from the OpenAPI 3.1 document of the service, `/openapi.json`. How to use
it: [the HTTP API](../http.md).
"""
LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
}


def markdown() -> str:
    """The page: routes by tag, then models, then the kinds of problem."""
    document = openapi(ROUTES, needs_key=True)
    parts = [INTRODUCTION]
    for tag in document["tags"]:
        parts.append(f"## {tag['name']}\n")
        for path, methods in document["paths"].items():
            for method, described in methods.items():
                if tag["name"] in described["tags"]:
                    parts += route(f"{method.upper()} {path}", described)
    parts.append("## Models\n")
    for name, schema in document["components"]["schemas"].items():
        parts += model(name, schema)
    return "\n".join([*parts, *problems()])


def route(title: str, described: Mapping[str, Any]) -> Iterator[str]:
    """A route: its description, parameters, request and responses."""
    yield f"### {title}\n"
    key = "" if described.get("security") else " Needs no key."
    yield f"{described['summary']}. {described.get('description', '')}{key}\n".replace(
        ". \n", ".\n"
    )
    parameters = described.get("parameters", ())
    if parameters:
        rows = ((f"`{p['name']}`", p["in"], *details(p["schema"], p)) for p in parameters)
        yield table(("parameter", "in", "type", "limits", "what it is"), rows)
    if "requestBody" in described:
        content = described["requestBody"]["content"]
        known = [schema_name(media["schema"]) for media in content.values()]
        name = next(filter(None, known), "")
        yield f"Takes {kind({'$ref': name}) if name else 'a form'} as {', '.join(content)}.\n"
    answers = [answer(*item) for item in described["responses"].items() if int(item[0]) < 400]
    wrong = [f"{status} ({a['description']})" for status, a in described["responses"].items()
             if int(status) >= 400]  # fmt: skip
    yield f"Answers {'; '.join(answers)}.\n"
    yield f"Problems: {'; '.join(wrong)}.\n"


def answer(status: str, described: Mapping[str, Any]) -> str:
    """``200 with Hits``."""
    content = described.get("content", {})
    what = [kind(media["schema"]) if schema_name(media["schema"]) else name
            for name, media in content.items()]  # fmt: skip
    return f"{status} with {', '.join(what)}" if what else f"{status} with nothing"


def model(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    """The fields of a request or response."""
    yield f"### {name}\n"
    if schema.get("description"):
        yield f"{schema['description']}\n"
    required = schema.get("required", ())
    rows = [
        (f"`{field}`{'' if field in required or 'default' in one else ' (may lack)'}",
         *details(one, one))
        for field, one in schema.get("properties", {}).items()
    ]  # fmt: skip
    if rows:
        yield table(("field", "type", "limits", "what it is"), rows)


def details(schema: Mapping[str, Any], described: Mapping[str, Any]) -> tuple[str, str, str]:
    """Type, limits and default, description."""
    limits = [text.format(schema[key]) for key, text in LIMITS.items() if key in schema]
    if "default" in schema:
        limits.append(f"default {schema['default']!r}")
    return kind(schema), ", ".join(limits), described.get("description", "")


def kind(schema: Mapping[str, Any]) -> str:
    """A schema's type in words; a model as a link."""
    name = schema_name(schema) or schema.get("$ref")
    if name:
        return f"[{name}](#{name.lower()})"
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(kind(one) for one in schema[choice])
    if "enum" in schema or "const" in schema:
        return " or ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        some = schema.get("prefixItems", [schema.get("items", {})])
        return f"list of {', '.join(kind(one) for one in some)}"
    return str(schema.get("type", "any"))


def schema_name(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).removeprefix("#/components/schemas/")


def problems() -> Iterator[str]:
    """The table of problem types."""
    yield "## Problems\n"
    rows = ((f"`/problems/{code}`", known.status, known.title) for code, known in KINDS.items())
    yield table(("type", "status", "title"), rows)


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [tuple(head)]
    lines += [("---",) * len(lines[0])]
    lines += [tuple(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row)
              for row in rows]  # fmt: skip
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
