"""A filter as SQL with bindings, for the rows of catalog.sqlite."""

import json
from typing import Any, NamedTuple

from kkcv.search.filters.conditions import (
    EARTH_KM,
    LATITUDE,
    LONGITUDE,
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
)
from kkcv.search.picture import as_bytes


class Where(NamedTuple):
    """An SQL condition on a row of the catalog, and the values of its question marks."""

    sql: str
    bindings: tuple[Any, ...]


EVERY = Where("1", ())
NUMBERS = "('integer', 'real')"


def as_sql(condition: Condition) -> Where:
    match condition:
        case AllOf(parts):
            return joined(" AND ", [as_sql(part) for part in parts])
        case AnyOf(parts):
            return any_of(parts)
        case Not(part):
            inner = as_sql(part)  # NULL, as of a key that is not there, counts as false
            return Where(f"NOT coalesce({inner.sql}, 0)", inner.bindings)
        case StartsWith(name, prefix):
            sql, bindings = field(name)
            start = as_bytes(prefix)  # a path need not be UTF-8, and its characters are not counted
            text = f"(typeof({sql}) = 'text' AND substr(CAST({sql} AS BLOB), 1, ?) = ?)"
            return Where(text, (*bindings, *bindings, len(start), start))
        case Contains(name, value):
            return contains(path_of(name), value)
        case Near():
            return near(condition)
        case Compare():
            return comparison(condition)


def any_of(parts: tuple[Condition, ...]) -> Where:
    """The values that a name may have are one list, which SQLite looks up in for each row."""
    lists: dict[tuple[Name, bool], list[Any]] = {}
    others = []
    for part in parts:
        if isinstance(part, Compare) and part.sign == "==" and part.value is not None:
            lists.setdefault((part.name, isinstance(part.value, str)), []).append(part.value)
        else:
            others.append(as_sql(part))
    among = [one_of(name, tuple(values)) for (name, _), values in lists.items()]
    return joined(" OR ", [*among, *others])


def one_of(name: Name, values: tuple[Any, ...]) -> Where:
    """Whether a name has one of some values, which are all text or all numbers."""
    sql, bindings = field(name)
    marks = ", ".join([marked(values[0])] * len(values))
    text = f"(typeof({sql}) IN {kinds_like(values[0])} AND {sql} IN ({marks}))"
    return Where(text, (*bindings, *bindings, *map(bound, values)))


def joined(word: str, found: list[Where]) -> Where:
    bindings = tuple(binding for part in found for binding in part.bindings)
    return Where(f"({word.join(part.sql for part in found) or '0'})", bindings)


def field(name: Name) -> Where:
    """A column of the catalog, or a value in the metadata."""
    if name[0] != META:
        return Where(name[0], ())
    return Where("json_extract(metadata, ?)", (path_of(name),))


def path_of(name: Name) -> str:
    """Where a value lies in the metadata, for SQLite's JSON functions."""
    return "$" + "".join(f".{json.dumps(key, ensure_ascii=False)}" for key in name[1:])


def contains(path: str, value: str | int | float) -> Where:
    """json_each would give the members of an object, and a value that is no list, too."""
    items = f"SELECT 1 FROM json_each(metadata, ?) WHERE typeof(value) IN {kinds_like(value)}"
    sql = f"(json_type(metadata, ?) = 'array' AND EXISTS ({items} AND value = {marked(value)}))"
    return Where(sql, (path, path, bound(value)))


def near(place: Near) -> Where:
    """``where.distance``, in the same steps."""
    latitude, longitude = (f"json_extract(metadata, '{path_of(n)}')" for n in (LATITUDE, LONGITUDE))
    here, there = "radians(?)", f"radians({latitude})"
    across = f"sin(radians({longitude} - ?) / 2)"
    chord = f"pow(sin(({there} - {here}) / 2), 2) + cos({here}) * cos({there}) * pow({across}, 2)"
    sql = (
        f"(typeof({latitude}) IN {NUMBERS} AND typeof({longitude}) IN {NUMBERS} "
        f"AND {2 * EARTH_KM} * asin(min(1.0, sqrt({chord}))) <= ?)"
    )
    return Where(sql, (place.latitude, place.latitude, place.longitude, place.km))


def comparison(condition: Compare) -> Where:
    """Numbers with numbers and text with text."""
    sql, bindings = field(condition.name)
    if condition.value is None:
        return Where(f"{sql} IS {'NOT ' if condition.sign == '!=' else ''}NULL", bindings)
    kinds = kinds_like(condition.value)
    sign = {"==": "=", "!=": "<>"}.get(condition.sign, condition.sign)
    text = f"(typeof({sql}) IN {kinds} AND {sql} {sign} {marked(condition.value)})"
    return Where(text, (*bindings, *bindings, bound(condition.value)))


def marked(value: str | int | float) -> str:
    """The place of a value in SQL."""
    return "CAST(? AS TEXT)" if isinstance(value, str) else "?"


def bound(value: str | int | float) -> bytes | int | float:
    """A value for its place: text as bytes, because a path need not be UTF-8."""
    return as_bytes(value) if isinstance(value, str) else value


def kinds_like(value: str | int | float) -> str:
    """SQLite's names for the types of values that may be compared with this one."""
    return "('text')" if isinstance(value, str) else NUMBERS
