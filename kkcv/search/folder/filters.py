"""A filter as SQL with bindings, for the rows of catalog.sqlite."""

import json
from typing import Any, NamedTuple

from kkcv.search.where import COLUMNS, AllOf, AnyOf, Compare, Condition, Not, StartsWith


class Where(NamedTuple):
    """An SQL condition on a row of the catalog, and the values of its question marks."""

    sql: str
    bindings: tuple[Any, ...]


EVERY = Where("1", ())


def as_sql(condition: Condition) -> Where:
    match condition:
        case AllOf(parts):
            return joined(" AND ", parts)
        case AnyOf(parts):
            return joined(" OR ", parts)
        case Not(part):
            inner = as_sql(part)
            return Where(f"NOT coalesce({inner.sql}, 0)", inner.bindings)
        case StartsWith(name, prefix):
            sql, bindings = field(name)
            text = f"(typeof({sql}) = 'text' AND substr({sql}, 1, ?) = ?)"
            return Where(text, (*bindings, *bindings, len(prefix), prefix))
        case Compare():
            return comparison(condition)


def joined(word: str, parts: tuple[Condition, ...]) -> Where:
    found = [as_sql(part) for part in parts]
    bindings = tuple(binding for part in found for binding in part.bindings)
    return Where(f"({word.join(part.sql for part in found) or '0'})", bindings)


def field(name: str) -> Where:
    """A column of the catalog, or a key of the metadata."""
    if name in COLUMNS:
        return Where(name, ())
    return Where("json_extract(metadata, ?)", (f"$.{json.dumps(name, ensure_ascii=False)}",))


def comparison(condition: Compare) -> Where:
    """Numbers with numbers and text with text."""
    sql, bindings = field(condition.name)
    if condition.value is None:
        return Where(f"{sql} IS {'NOT ' if condition.sign == '!=' else ''}NULL", bindings)
    kinds = "('text')" if isinstance(condition.value, str) else "('integer', 'real')"
    sign = {"==": "=", "!=": "<>"}.get(condition.sign, condition.sign)
    text = f"(typeof({sql}) IN {kinds} AND {sql} {sign} ?)"
    return Where(text, (*bindings, *bindings, condition.value))
