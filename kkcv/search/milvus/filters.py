"""A filter as a Milvus expression over the field ``terms`` of a row.

``terms`` is a JSON object of everything that filters can name: numbers under ``n`` and texts under
``t``, each followed by the name, and for each item of a list its name and value under ``i``. Names
and texts are in hexadecimal, which keeps order and prefixes and needs no escapes: versions of
Milvus differ in their escapes. A name without a value is left out. ``exists`` precedes each
comparison, because versions differ in ``not`` of a missing value.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kkcv.errors import RequestError
from kkcv.search.filters.conditions import (
    COLUMNS,
    LATITUDE,
    META,
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Contains,
    Name,
    Near,
    Not,
    StartsWith,
    comparable,
    value_of,
)
from kkcv.search.picture import Picture

NOTHING = "(id < 0)"  # in parentheses: not binds more closely than <
LARGEST = 60_000  # bytes of JSON: Milvus takes 65,536


def terms_of(picture: Picture) -> dict[str, Any]:
    """The values that filters can name (RequestError if Milvus cannot hold them)."""
    terms: dict[str, Any] = {}
    for column in COLUMNS:
        terms |= term((column,), value_of(picture, (column,)))
    for name, value in named_values((META,), picture.metadata):
        terms |= term(name, value)
    if len(json.dumps(terms)) > LARGEST or len(packed(picture.metadata).encode()) > LARGEST:
        raise RequestError(
            f"the metadata of {picture.file.path} are too long for Milvus, "
            "which takes about 30,000 bytes"
        )
    return terms


def named_values(name: Name, values: Mapping[str, Any]) -> Iterator[tuple[Name, Any]]:
    """Each value below an object, and the name that a filter has for it."""
    for key, value in values.items():
        yield (*name, key), value
        if isinstance(value, dict):
            yield from named_values((*name, key), value)


def term(name: Name, value: Any) -> dict[str, Any]:
    items = [comparable(item) for item in value] if isinstance(value, list) else []
    terms: dict[str, Any] = {item_key(name, item): 1 for item in items if item is not None}
    plain = comparable(value)
    if isinstance(plain, str):
        terms[key("t", name)] = hexadecimal(plain)
    elif plain is not None:
        terms[key("n", name)] = plain
    return terms


def packed(metadata: Mapping[str, Any]) -> str:
    return json.dumps(metadata, ensure_ascii=False)


def key(kind: str, name: Name) -> str:
    """A key of the metadata that is called as a column begins with a line."""
    first, *keys = name
    words = [first] if first != META else ["", *keys] if keys[0] in COLUMNS else keys
    return kind + "_".join(map(hexadecimal, words))


def item_key(name: Name, item: str | int | float) -> str:
    """1 and 1.0 are the same item."""
    if isinstance(item, str):
        return f"{key('i', name)}_t{hexadecimal(item)}"
    return f"{key('i', name)}_n{hexadecimal(str(int(item) if item == int(item) else item))}"


def hexadecimal(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").hex()


def expression(condition: Condition | None, near: Callable[[Near], list[int]]) -> str:
    """A filter in the words of Milvus; None keeps every row. ``near`` finds ids near a place."""
    match condition:
        case None:
            return ""
        case AllOf(parts):
            return f"({' and '.join(expression(part, near) for part in parts)})"
        case AnyOf(parts):
            return f"({' or '.join(expression(part, near) for part in parts) or NOTHING})"
        case Not(part):
            return f"(not {expression(part, near)})"
        case StartsWith(name, prefix):
            if not prefix:
                return there("t", name)
            return f'({there("t", name)} and {term_of("t", name)} like "{hexadecimal(prefix)}%")'
        case Contains(name, value):
            return f'(exists terms["{item_key(name, value)}"])'
        case Near():
            return f"(id in {near(condition)})"
        case Compare():
            return comparison(condition)


def around(place: Near) -> str:
    """The rows between two circles of latitude, which have all near a place."""
    degrees = place.km / 110  # a degree has 110.6 km at least
    least, most = (
        Compare(LATITUDE, sign, place.latitude + by)
        for sign, by in ((">=", -degrees), ("<=", degrees))
    )
    return f"({comparison(least)} and {comparison(most)})"


def comparison(condition: Compare) -> str:
    name, sign, value = condition.name, condition.sign, condition.value
    if value is None:
        either = f"({there('n', name)} or {there('t', name)})"
        return either if sign == "!=" else f"(not {either})"
    if isinstance(value, str):
        return f'({there("t", name)} and {term_of("t", name)} {sign} "{hexadecimal(value)}")'
    number = int(value) if isinstance(value, bool) else value
    return f"({there('n', name)} and {term_of('n', name)} {sign} {number!r})"


def there(kind: str, name: Name) -> str:
    return f"(exists {term_of(kind, name)})"


def term_of(kind: str, name: Name) -> str:
    return f'terms["{key(kind, name)}"]'
