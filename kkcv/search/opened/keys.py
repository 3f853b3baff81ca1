"""The keys that the pictures of a gallery have, and a filter that misspells one."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from kkcv.errors import RequestError
from kkcv.search.engine import Reader
from kkcv.search.filters.conditions import (
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
)
from kkcv.search.filters.expression import spelled

SAMPLE = 1000  # pictures: the first and the last ones of a gallery


def known_keys(rows: Reader) -> list[str]:
    """The keys of some pictures, as filters name them, the most frequent first."""
    counts: dict[Name, int] = {}
    for newest in (False, True):
        for picture in rows.page(SAMPLE, None, newest):
            for name, _ in leaves((META,), picture.metadata):
                counts[name] = counts.get(name, 0) + 1
    return [spelled(name) for name in sorted(counts, key=lambda name: -counts[name])]


def leaves(name: Name, values: Mapping[str, Any]) -> Iterator[tuple[Name, Any]]:
    """Each value that is not itself an object with keys, and its name in a filter."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves((*name, key), value)
        else:
            yield (*name, key), value


def must_name_known_keys(rows: Reader, condition: Condition) -> None:
    """For a filter that no picture matches: raises RequestError if it misspells a key."""
    unknown = [n for n in dict.fromkeys(keys_in(condition)) if not has(rows, n)]
    known = {each.lower(): each for each in known_keys(rows)} if unknown else {}
    for name in map(spelled, unknown):
        # without a near one nothing says that it is misspelled
        if near := get_close_matches(name.lower(), known, 1):
            raise RequestError(
                f"no picture has the key {name}; the nearest that there is: {known[near[0]]}",
                field="where",
            )


def has(rows: Reader, name: Name) -> bool:
    """Whether a picture has a value under this name."""
    return rows.count(Compare(name, "!=", None)) > 0


def keys_in(condition: Condition) -> Iterator[Name]:
    """The keys of the metadata that a filter asks for."""
    match condition:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from keys_in(part)
        case Not(part):
            yield from keys_in(part)
        case Near():
            yield LATITUDE
        case StartsWith(name) | Contains(name) | Compare(name) if name[0] == META:
            yield name
