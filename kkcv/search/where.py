"""Filters on metadata, path and time: a small safe expression, read into a tree of conditions.

    label == "cat" and year >= 2020
    label in ["cat", "dog"] and not path.startswith("/home/me/old")
    added >= "2026-01-31"
    label=cat                                  (short for label == "cat")

A name is a key of the metadata, or one of ``id``, ``path``, ``bytes`` and ``added``. Numbers are
compared with numbers, and texts with texts by code points; a picture without the key does not
match. Nothing else is understood, and nothing is ever executed. ``matches`` decides for one
picture; folder/filters.py and milvus/filters.py ask their database the same.
"""

import ast
import json
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kkcv.errors import RequestError

from .picture import Picture

COLUMNS = ("id", "path", "bytes", "added")  # names that are not keys of the metadata
SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
SHORT = re.compile(r"\s*([^\W\d]\w*)\s*=\s*([^=\s'\"].*?)\s*")
LONGEST = 2000  # characters
DEEPEST = 50  # SQLite takes expressions 1000 deep


@dataclass(frozen=True)
class Compare:
    """A name compared with a number, a text or None, by a sign of SIGNS."""

    name: str
    sign: str
    value: int | float | str | None


@dataclass(frozen=True)
class StartsWith:
    name: str
    prefix: str


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


Condition = Compare | StartsWith | Not | AllOf | AnyOf
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
            value = value_of(picture, name)
            return isinstance(value, str) and value.startswith(prefix)
        case Compare(name, sign, None):
            return (value_of(picture, name) is None) == (sign == "==")
        case Compare(name, sign, wanted):
            value = value_of(picture, name)
            alike = isinstance(value, str) == isinstance(wanted, str)
            return value is not None and alike and OPERATORS[sign](value, wanted)


def value_of(picture: Picture, name: str) -> int | float | str | None:
    """A column or a key of the metadata, as ``comparable``."""
    if name not in COLUMNS:
        return comparable(picture.metadata.get(name))
    return getattr(picture if name in ("id", "added") else picture.file, name)


def comparable(value: Any) -> int | float | str | None:
    """A JSON value as SQLite compares it: true is 1, a list or an object is its text."""
    if isinstance(value, int):
        return int(value) if abs(value) < 2**63 else float(value)
    if value is None or isinstance(value, float | str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def parse(text: str) -> Condition:
    """The filter that an expression stands for (RequestError, its field ``where``)."""
    try:
        return parsed(text)
    except RequestError as error:
        error.field = "where"
        raise


def parsed(text: str) -> Condition:
    if not isinstance(text, str):
        raise RequestError(f"a filter is text, such as 'year >= 2020', got {text!r:.60}")
    if len(text) > LONGEST:
        raise RequestError(f"a filter has at most {LONGEST} characters, this has {len(text)}")
    if short := SHORT.fullmatch(text):
        return compared(short[1], ast.Eq(), number_or_text(short[2]))
    try:
        return condition(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise RequestError(
            f'the filter {text!r} cannot be read; such as: label == "cat" and year >= 2020'
        ) from None


def number_or_text(value: str) -> Any:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = value
    return bindable(found if isinstance(found, str | int | float | None) else value)


def condition(node: ast.expr, levels: int = DEEPEST) -> Condition:
    """True or false for a picture."""
    if levels == 0:
        raise RequestError(f"a filter is nested at most {DEEPEST} deep")
    if isinstance(node, ast.BoolOp):
        parts = tuple(condition(value, levels - 1) for value in node.values)
        return AllOf(parts) if isinstance(node.op, ast.And) else AnyOf(parts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return Not(condition(node.operand, levels - 1))
    if isinstance(node, ast.Compare):
        return comparison(node)
    if isinstance(node, ast.Call):
        return starts_with(node)
    raise refused(node)


def comparison(node: ast.Compare) -> Condition:
    """A name compared with a value; ``1 < year < 5`` is two of them."""
    if not isinstance(node.left, ast.Name):
        raise refused(node.left)
    if len(node.ops) > 1:
        raise RequestError("one comparison at a time: write year > 1 and year < 5")
    name, sign, right = node.left.id, node.ops[0], node.comparators[0]
    if isinstance(sign, ast.In | ast.NotIn):
        if not isinstance(right, ast.List | ast.Tuple | ast.Set):
            raise RequestError(f'{name} in […] wants a list, such as ["cat", "dog"]')
        any_of = AnyOf(tuple(compared(name, ast.Eq(), constant(each)) for each in right.elts))
        return Not(any_of) if isinstance(sign, ast.NotIn) else any_of
    return compared(name, sign, constant(right))


def starts_with(node: ast.Call) -> StartsWith:
    """``path.startswith("/home/me")``"""
    call = node.func
    good = (
        isinstance(call, ast.Attribute)
        and call.attr == "startswith"
        and isinstance(call.value, ast.Name)
        and len(node.args) == 1
        and not node.keywords
    )
    if not good or not isinstance(prefix := constant(node.args[0]), str):
        raise refused(node)
    assert isinstance(call, ast.Attribute)
    assert isinstance(call.value, ast.Name)
    return StartsWith(call.value.id, prefix)


def compared(name: str, sign: ast.cmpop, value: Any) -> Compare:
    """``added`` may also be compared with a date."""
    if type(sign) not in SIGNS:
        raise RequestError("comparisons are == != < <= > >= and in")
    if name == "added" and isinstance(value, str):
        value = seconds(value)
    if value is None and not isinstance(sign, ast.Eq | ast.NotEq):
        raise RequestError(f"nothing is less or more than None: write {name} != None")
    return Compare(name, SIGNS[type(sign)], value)


def constant(node: ast.expr) -> Any:
    """A number, a text, True, False or None."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = constant(node.operand)
        if isinstance(value, int | float):
            return -value
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | None):
        return bindable(node.value)
    raise refused(node)


def bindable(value: str | int | float | None) -> str | int | float | None:
    """The value, if a catalog can hold it (RequestError)."""
    if isinstance(value, int) and abs(value) >= 2**63:
        raise RequestError(f"{value} is too large a number for a filter")
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise RequestError(f"{value[:60]!a} has half of a surrogate pair, which is no character")
    return value


def seconds(date: str) -> float:
    """A date of ISO 8601 as seconds since 1970; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(date)
    except ValueError:
        raise RequestError(f"{date!r} is no date; such as 2026-01-31 or 2026-01-31T12:00") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def refused(node: ast.AST) -> RequestError:
    part = ast.unparse(node)
    return RequestError(
        f"a filter cannot hold {part[:60]!r}; it compares names with values, such as: "
        'label == "cat" and year >= 2020'
    )
