"""Filters on metadata, path and time: the conditions, and whether a picture meets them.

``expression.parse`` reads a filter. ``matches`` decides for one picture; folder/filters.py and
milvus/filters.py ask their database the same. Numbers are compared with numbers, and texts with
texts by code points; a picture without the key does not match.
"""

import json
import operator
from collections.abc import Callable
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Any

from kkcv.search.picture import Picture

COLUMNS = ("id", "path", "bytes", "added")
# One of COLUMNS, or META and the keys that lead to a value: ("meta", "exif", "taken").
Name = tuple[str, ...]
META = "meta"
TAKEN: Name = (META, "exif", "taken")
LATITUDE: Name = (META, "exif", "latitude")
LONGITUDE: Name = (META, "exif", "longitude")
EARTH_KM = 6371.0088  # mean radius (IUGG)


@dataclass(frozen=True)
class Compare:
    """A value compared with a number, a text or None, by a sign of OPERATORS."""

    name: Name
    sign: str
    value: int | float | str | None


@dataclass(frozen=True)
class StartsWith:
    name: Name
    prefix: str


@dataclass(frozen=True)
class Contains:
    """A list of the metadata that has a number or a text in it."""

    name: Name
    value: int | float | str


@dataclass(frozen=True)
class Near:
    """Taken within ``km`` of a place in degrees, along the surface of the earth."""

    latitude: float
    longitude: float
    km: float


@dataclass(frozen=True)
class Not:
    part: "Condition"


@dataclass(frozen=True)
class AllOf:
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class AnyOf:
    """Without parts, nothing matches."""

    parts: tuple["Condition", ...]


def in_folder(folder: str) -> StartsWith:
    """The paths in a folder, at any depth."""
    return StartsWith(("path",), folder.rstrip("/") + "/")


Condition = Compare | StartsWith | Contains | Near | Not | AllOf | AnyOf
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def matches(condition: Condition, picture: Picture) -> bool:
    """Whether a filter leaves a picture."""
    match condition:
        case AllOf(parts):
            return all(matches(part, picture) for part in parts)
        case AnyOf(parts):
            return any(matches(part, picture) for part in parts)
        case Not(part):
            return not matches(part, picture)
        case StartsWith(name, prefix):
            value = comparable(value_of(picture, name))
            return isinstance(value, str) and value.startswith(prefix)
        case Contains(name, wanted):
            values = value_of(picture, name)
            items = map(comparable, values) if isinstance(values, list) else ()
            return any(alike(item, wanted) and item == wanted for item in items)
        case Near():
            place = [comparable(value_of(picture, name)) for name in (LATITUDE, LONGITUDE)]
            numbers = [each for each in place if isinstance(each, int | float)]
            return len(numbers) == 2 and distance(condition, *numbers) <= condition.km
        case Compare(name, sign, wanted):
            value = comparable(value_of(picture, name))
            if wanted is None:
                return (value is None) == (sign == "==")
            return alike(value, wanted) and OPERATORS[sign](value, wanted)


def value_of(picture: Picture, name: Name) -> Any:
    """A column, or a value in the metadata; None where there is none."""
    first, *keys = name
    if first != META:
        if first == "added":
            return picture.added_seconds
        return picture.id if first == "id" else getattr(picture.file, first)
    found: Any = picture.metadata
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def comparable(value: Any) -> int | float | str | None:
    """A JSON value as SQLite compares it: true is 1, a list or an object is its text."""
    if isinstance(value, int):
        return int(value) if abs(value) < 2**63 else float(value)
    if value is None or isinstance(value, float | str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def alike(value: int | float | str | None, wanted: int | float | str) -> bool:
    """Whether both are numbers or both are texts."""
    return value is not None and isinstance(value, str) == isinstance(wanted, str)


def distance(place: Near, latitude: float, longitude: float) -> float:
    """Kilometers on a sphere, by the haversine formula."""
    here, there = radians(place.latitude), radians(latitude)
    across = sin(radians(longitude - place.longitude) / 2)
    chord = sin((there - here) / 2) ** 2 + cos(here) * cos(there) * across**2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(chord)))  # rounding may exceed 1
