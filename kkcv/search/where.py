"""Filters on metadata, path and time: a small safe expression, turned into SQL with bindings.

    label == "cat" and year >= 2020
    label in ["cat", "dog"] and not path.startswith("/home/me/old")
    added >= "2026-01-31"
    label=cat                                  (short for label == "cat")

A name is a key of the metadata, or one of ``id``, ``path``, ``bytes`` and ``added``. Only what is
listed here is understood; nothing is ever run. A picture without the key does not match.
"""

import ast
import json
import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

from kkcv.errors import RequestError

COLUMNS = ("id", "path", "bytes", "added")
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "=",
    ast.NotEq: "<>",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
SHORT = re.compile(r"\s*([^\W\d]\w*)\s*=\s*([^=\s'\"].*?)\s*")
LONGEST = 2000  # characters
DEEPEST = 50  # SQLite takes expressions 1000 deep


class Where(NamedTuple):
    """An SQL condition on a row of the catalog, and what its question marks stand for."""

    sql: str
    bindings: tuple[Any, ...]


def parse(text: str) -> Where:
    """The filter that an expression stands for (RequestError)."""
    if len(text) > LONGEST:
        raise RequestError(f"a filter has at most {LONGEST} characters, this has {len(text)}")
    if short := SHORT.fullmatch(text):
        value: Any = short[2]
        return compare(field(short[1]), ast.Eq(), number_or_text(value))
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        return condition(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise RequestError(
            f'the filter {text!r} cannot be read; such as: label == "cat" and year >= 2020'
        ) from None


def number_or_text(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def condition(node: ast.expr, levels: int = DEEPEST) -> Where:
    """True or false for a picture."""
    if levels == 0:
        raise RequestError(f"a filter is nested at most {DEEPEST} deep")
    if isinstance(node, ast.BoolOp):
        parts = [condition(value, levels - 1) for value in node.values]
        word = " AND " if isinstance(node.op, ast.And) else " OR "
        bindings = tuple(b for part in parts for b in part.bindings)
        return Where(f"({word.join(part.sql for part in parts)})", bindings)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = condition(node.operand, levels - 1)
        return Where(f"NOT coalesce({inner.sql}, 0)", inner.bindings)
    if isinstance(node, ast.Compare):
        return comparison(node)
    if isinstance(node, ast.Call):
        return starts_with(node)
    raise refused(node)


def comparison(node: ast.Compare) -> Where:
    """A name compared with a value; ``1 < year < 5`` is two of them."""
    if not isinstance(node.left, ast.Name):
        raise refused(node.left)
    if len(node.ops) > 1:
        raise RequestError("one comparison at a time: write year > 1 and year < 5")
    operator, right = node.ops[0], node.comparators[0]
    name = field(node.left.id)
    if isinstance(operator, ast.In | ast.NotIn):
        if not isinstance(right, ast.List | ast.Tuple | ast.Set):
            raise RequestError(f'{node.left.id} in […] wants a list, such as ["cat", "dog"]')
        any_of = [compare(name, ast.Eq(), constant(element)) for element in right.elts]
        sql = " OR ".join(part.sql for part in any_of) or "0"
        negation = "NOT " if isinstance(operator, ast.NotIn) else ""
        return Where(f"{negation}({sql})", tuple(b for part in any_of for b in part.bindings))
    return compare(name, operator, constant(right))


def starts_with(node: ast.Call) -> Where:
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
    name = field(call.value.id)
    sql = f"(typeof({name.sql}) = 'text' AND substr({name.sql}, 1, ?) = ?)"
    return Where(sql, (*name.bindings, *name.bindings, len(prefix), prefix))


def field(name: str) -> Where:
    """A column of the catalog, or a key of the metadata."""
    if name in COLUMNS:
        return Where(name, ())
    return Where("json_extract(metadata, ?)", (f"$.{json.dumps(name, ensure_ascii=False)}",))


def compare(name: Where, operator: ast.cmpop, value: Any) -> Where:
    """Numbers with numbers and text with text; ``added`` takes a date, too."""
    if type(operator) not in COMPARISONS:
        raise RequestError("comparisons are == != < <= > >= and in")
    if name.sql == "added" and isinstance(value, str):
        value = seconds(value)
    if value is None:
        sql = f"{name.sql} IS {'NOT ' if isinstance(operator, ast.NotEq) else ''}NULL"
        return Where(sql, name.bindings)
    kinds = "('text')" if isinstance(value, str) else "('integer', 'real')"
    sql = f"(typeof({name.sql}) IN {kinds} AND {name.sql} {COMPARISONS[type(operator)]} ?)"
    return Where(sql, (*name.bindings, *name.bindings, value))


def constant(node: ast.expr) -> Any:
    """A number, a text, True, False or None."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = constant(node.operand)
        if isinstance(value, int | float):
            return -value
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | None):
        if isinstance(node.value, int) and abs(node.value) >= 2**63:
            raise RequestError(f"{node.value} is too large a number for a filter")
        return node.value
    raise refused(node)


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
