"""Metadata for many pictures at once: by a filter, by a table, by the names of folders.

What a picture has already stays, unless it is given another value; an empty one takes a key away.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kkcv.answering import is_stuck
from kkcv.disk import absolute
from kkcv.errors import DataError, RequestError
from kkcv.metadata import storable
from kkcv.search.filters.conditions import COLUMNS, META, Name
from kkcv.search.filters.expression import named, spelled
from kkcv.search.opened.rows import Rows
from kkcv.search.picture import Picture
from kkcv.tables import Table

from .table_rows import NAMED, column_of_pictures, parts

LABEL: Name = (META, "label")


@dataclass
class Described:
    """Numbers of pictures; ``unknown`` are the rows of a table that name none, with the reason."""

    changed: int = 0
    unchanged: int = 0
    unknown: list[tuple[int, str]] = field(default_factory=list)


def assignments(texts: Iterable[str]) -> dict[Name, Any]:
    """The values of ``key=value``, each as JSON or else as text (RequestError)."""
    found: dict[Name, Any] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise RequestError(f"say what to set as key=value, such as label=cat, got {text!r:.60}")
        found[key_of(key.strip())] = as_value(value)
    return found


def key_of(text: str) -> Name:
    """The key that a header or an assignment names; ``exif.rating`` is a key below another."""
    name = named(text)
    if name[0] != META:
        raise RequestError(f"{text} is no key that can be set; as a key: {spelled((META, *name))}")
    return name


def as_value(words: str) -> Any:
    """The JSON value of a text, or the text itself; None, which takes the key away, of nothing."""
    if not words:
        return None
    try:
        value = json.loads(words)
    except (ValueError, RecursionError):
        return words
    # JSON of others has no NaN and no infinity
    return words if isinstance(value, float) and not abs(value) < float("inf") else value


def as_cell(value: Any) -> str:
    """Text of which ``as_value`` makes the same value again."""
    if isinstance(value, str) and as_value(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def described(metadata: Mapping[str, Any], values: Mapping[Name, Any]) -> dict[str, Any]:
    """Metadata with some values, of which None takes the key away."""
    found = dict(metadata)
    for (_, *keys), value in values.items():
        inner = found
        for key in keys[:-1]:
            below = inner.get(key)
            inner[key] = dict(below) if isinstance(below, dict) else {}
            inner = inner[key]
        if value is None:
            inner.pop(keys[-1], None)
        else:
            inner[keys[-1]] = value
    return found


def describe_where(gallery: Rows, where: str, values: Mapping[Name, Any]) -> Described:
    """Set values of all pictures that match a filter, in one step (RequestError)."""
    if not gallery.count(where):
        raise RequestError("no picture matches the filter; nothing was changed", field="where")
    return describe_each(gallery, matching(gallery, where), lambda picture: values)


def label_by_folder(gallery: Rows, paths: Sequence[str | os.PathLike[str]]) -> Described:
    """Give pictures below some paths the name of their folder as label, if they have none."""
    given = [absolute(path) for path in paths]
    # a path may be that of the root's name, or the one without links
    tops = {str(path) for path in given} | {
        os.path.realpath(path) for path in given if not is_stuck(path)
    }

    def label(picture: Picture) -> dict[Name, Any]:
        path = gallery.path(picture)
        below = any(os.path.commonpath([top, path]) == top for top in tops)
        new = below and "label" not in picture.metadata
        return {LABEL: path.parent.name} if new and path.parent.name else {}

    # it only adds, and may run each night: the last edit by hand is what undo is for
    return describe_each(gallery, gallery.pictures(), label, undoable=False)


def describe_by_table(gallery: Rows, table: Table, path_column: str | None = None) -> Described:
    """Set the values of a table: a row for a picture, named by its path or id, a column for a key.

    A path is absolute, or relative to the current folder or to the table's. Otherwise it is the
    end of the path of one picture only; of a path of another computer the longest end counts.
    Empty cells change nothing.

    Raises DataError for a table without such a column, RequestError for a key that cannot be set.
    """
    naming, pictures_of = column_of_pictures(table, path_column)
    keys = {c: key_of(c) for c in table.columns if c and c != naming and c not in COLUMNS}
    if not keys:
        raise DataError(f"{table.path} has no column beside {naming}; each other column is a key")
    found = pictures_of(gallery, table, naming)
    values = {
        found.ids[number]: {keys[c]: as_value(row[c]) for c in keys if row[c]}
        for number, row in table.rows
        if number in found.ids
    }
    pictures = (picture for some in parts(list(values)) for picture in gallery.get_many(some))
    report = describe_each(gallery, pictures, lambda picture: values[picture.id])
    report.unknown = sorted(found.unknown)
    return report


def describe_each(
    gallery: Rows,
    pictures: Iterable[Picture],
    values_of: Callable[[Picture], Mapping[Name, Any]],
    *,
    undoable: bool = True,
) -> Described:
    """Set the values of each picture, all in one step (RequestError)."""
    report, changes = Described(), {}
    for picture in pictures:
        new = described(picture.metadata, values_of(picture))
        if new == picture.metadata:
            report.unchanged += 1
        else:
            changes[picture.id] = storable(new)
    if changes:
        report.changed = gallery.describe_many(changes, undoable=undoable)
    return report


def matching(gallery: Rows, where: str | None) -> Iterable[Picture]:
    """All pictures that match a filter, in the order of ids."""
    after = None
    while page := gallery.page(NAMED, after, where=where):
        yield from page
        after = page[-1].id
