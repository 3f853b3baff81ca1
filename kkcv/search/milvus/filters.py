"""A filter as a Milvus expression over the field ``terms`` of a row.

``terms`` is a JSON object of everything that filters can name: numbers under ``n`` and texts under
``t``, each followed by the name. Names and texts are in hexadecimal, which keeps order and prefixes
and needs no escapes: versions of Milvus differ in their escapes. A name without a value is left
out. ``exists`` precedes each comparison, because versions differ in ``not`` of a missing value.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from kkcv.errors import RequestError
from kkcv.search.picture import Picture
from kkcv.search.where import COLUMNS, AllOf, AnyOf, Compare, Condition, Not, StartsWith, value_of

NOTHING = "(id < 0)"  # in parentheses: not binds more closely than <
LARGEST = 60_000  # bytes of JSON: Milvus takes 65,536


def terms_of(picture: Picture) -> dict[str, Any]:
    """The values that filters can name (RequestError if Milvus cannot hold them)."""
    terms: dict[str, Any] = {}
    for name in {*filter(str.isidentifier, picture.metadata), *COLUMNS}:
        terms |= term(name, value_of(picture, name))
    if len(json.dumps(terms)) > LARGEST or len(packed(picture.metadata).encode()) > LARGEST:
        raise RequestError(
            f"the metadata of {picture.file.path} are too long for Milvus, "
            "which takes about 30,000 bytes"
        )
    return terms


def term(name: str, value: int | float | str | None) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, str):
        return {key("t", name): hexadecimal(value)}
    return {key("n", name): value}


def packed(metadata: Mapping[str, Any]) -> str:
    return json.dumps(metadata, ensure_ascii=False)


def key(kind: str, name: str) -> str:
    return kind + hexadecimal(name)


def hexadecimal(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").hex()


def expression(condition: Condition | None) -> str:
    """Of a filter; None leaves every row."""
    match condition:
        case None:
            return ""
        case AllOf(parts):
            return f"({' and '.join(expression(part) for part in parts)})"
        case AnyOf(parts):
            return f"({' or '.join(expression(part) for part in parts) or NOTHING})"
        case Not(part):
            return f"(not {expression(part)})"
        case StartsWith(name, prefix):
            if not prefix:
                return there("t", name)
            return f'({there("t", name)} and {term_of("t", name)} like "{hexadecimal(prefix)}%")'
        case Compare():
            return comparison(condition)


def comparison(condition: Compare) -> str:
    name, sign, value = condition.name, condition.sign, condition.value
    if value is None:
        either = f"({there('n', name)} or {there('t', name)})"
        return either if sign == "!=" else f"(not {either})"
    if isinstance(value, str):
        return f'({there("t", name)} and {term_of("t", name)} {sign} "{hexadecimal(value)}")'
    if isinstance(value, float) and math.isinf(value):
        lies_there = sign == "!=" or (sign in ("<", "<=")) == (value > 0)
        return there("n", name) if lies_there and sign != "==" else NOTHING
    number = int(value) if isinstance(value, bool) else value
    return f"({there('n', name)} and {term_of('n', name)} {sign} {number!r})"


def there(kind: str, name: str) -> str:
    return f"(exists {term_of(kind, name)})"


def term_of(kind: str, name: str) -> str:
    return f'terms["{key(kind, name)}"]'
