"""A filter as a mapping, for Python: ``{"label": "cat", "year": {">=": 2020}}``, as its text.

    {"label": "cat"}              label == "cat"
    {"label": ["cat", "dog"]}     label in ["cat", "dog"]
    {"year": {">=": 2020}}        year >= 2020
    {"tags": {"contains": "beach"}}    "beach" in tags
    {"path": {"startswith": "/home/me"}}
    {"added": {">=": date(2026, 1, 31)}}

Several keys must all match.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from keyword import iskeyword
from typing import Any

from kkcv.errors import RequestError
from kkcv.query import plain

SIGNS = ("==", "!=", "<", "<=", ">", ">=")
Where = str | Mapping[str, Any]


def as_text(where: Where) -> str:
    """The text of a filter, which a text is already (RequestError, its field ``where``)."""
    if not isinstance(where, Mapping):
        return where
    return " and ".join(part for name, wanted in where.items() for part in parts(name, wanted))


def parts(name: Any, wanted: Any) -> Iterator[str]:
    """The comparisons of one name, which all must hold."""
    if not isinstance(name, str) or not name:
        raise refused(f"{name!r:.60} cannot be a name in a filter")
    # a key of other signs, or a word of the language, is only a key in brackets
    if not all(part.isidentifier() and not iskeyword(part) for part in name.split(".")):
        name = f"meta[{name!r}]"
    if isinstance(wanted, Mapping):
        for sign, value in wanted.items():
            if sign == "startswith":
                yield f"{name}.startswith({literal(value)})"
            elif sign == "contains":
                yield f"{literal(value)} in {name}"
            elif sign in ("in", "not in") or sign in SIGNS:
                yield f"{name} {sign} {literal(value)}"
            else:
                raise refused(
                    f"no sign {sign!r:.60}; there are: {', '.join(SIGNS)}, startswith, contains"
                )
    elif isinstance(wanted, list | tuple | set | frozenset):
        yield f"{name} in {literal(wanted)}"
    else:
        yield f"{name} == {literal(wanted)}"


def literal(value: Any) -> str:
    """A value as a filter writes it; a date, a ``datetime`` too, as ISO 8601."""
    if getattr(value, "ndim", None) == 0:  # a number of NumPy
        value = plain(value)
    if isinstance(value, date):
        return repr(value.isoformat())
    if isinstance(value, list | tuple | set | frozenset):
        return f"[{', '.join(map(literal, value))}]"
    if value is None or isinstance(value, str | bool | int | float):
        return repr(value)
    raise refused(f"a filter compares with numbers, texts and dates, got {value!r:.60}")


def refused(message: str) -> RequestError:
    return RequestError(f'{message}; such as: {{"label": "cat", "year": {{">=": 2020}}}}', "where")
