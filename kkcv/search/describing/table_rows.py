"""The pictures that the rows of a table name, by path or by id."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath, PureWindowsPath
from typing import NamedTuple

from kkcv.disk import absolute
from kkcv.errors import DataError
from kkcv.search.opened.rows import Rows
from kkcv.tables import PATH_COLUMNS, Table

NAMED = 1000  # pictures that are looked up together


class Found(NamedTuple):
    """The picture of each row by its number; rows without one picture, with the reason."""

    ids: dict[int, int]
    unknown: list[tuple[int, str]]


Finder = Callable[[Rows, Table, str], Found]


def column_of_pictures(table: Table, asked: str | None = None) -> tuple[str, Finder]:
    """The column that names pictures, and how to find them (DataError)."""
    for column in table.columns:
        if column == asked if asked else column.lower() in PATH_COLUMNS:
            return column, by_path
    if "id" in table.columns and not asked:
        return "id", by_id
    wanted = f"column {asked!r}" if asked else f"column of paths ({', '.join(PATH_COLUMNS)}) or id"
    raise DataError(
        f"{table.path} has no {wanted}; it has: {', '.join(table.columns)}; "
        "choose with --path-column"
    )


def by_id(gallery: Rows, table: Table, column: str) -> Found:
    # 20 digits are more than the largest id has, and int() refuses thousands
    asked = {n: int(row[column][:20]) if row[column].isdecimal() else 0 for n, row in table.rows}
    there = {p.id for some in parts(list(asked.values())) for p in gallery.get_many(some)}
    unknown = [
        (number, f"no picture has the id {row[column]!r}")
        for number, row in table.rows
        if asked[number] not in there
    ]
    return Found({number: id for number, id in asked.items() if id in there}, unknown)


def by_path(gallery: Rows, table: Table, column: str) -> Found:
    """A path that is in the gallery as it is; else the one picture whose path ends so."""
    names = {name_of(row[column]) for _, row in table.rows}
    named: dict[str, list[tuple[Path, int]]] = {name: [] for name in names}
    for picture in gallery.pictures():
        path = gallery.path(picture)
        if path.name in named:
            named[path.name].append((path, picture.id))
    found = Found({}, [])
    for number, row in table.rows:
        text = row[column]
        there = named[name_of(text)]
        places = {absolute(text), (table.path.parent / text).absolute()}
        ids = [id for path, id in there if path in places] or by_end(text, there)
        if len(ids) == 1:
            found.ids[number] = ids[0]
        else:
            why = f"{len(ids)} pictures have this path" if ids else "no picture has this path"
            found.unknown.append((number, f"{text}: {why}"))
    return found


def by_end(text: str, there: Sequence[tuple[Path, int]]) -> list[int]:
    """The ids of the pictures whose path has the longest common end with this one.

    A relative path has to be that end; of an absolute one, which may be another computer's, the
    file's name and its folder's suffice.
    """
    path = plain(text)
    wanted = [part for part in path.parts if part not in (path.anchor, ".")]
    least = min(2, len(wanted)) if path.anchor else len(wanted)
    shared = [(common_end(wanted, path.parts), id) for path, id in there]
    longest = max((length for length, _ in shared), default=0)
    return [id for length, id in shared if length == longest >= least]


def plain(text: str) -> PurePath:
    return PureWindowsPath(text) if "\\" in text else PurePath(text)


def name_of(text: str) -> str:
    return plain(text).name


def common_end(one: Sequence[str], other: Sequence[str]) -> int:
    length = 0
    while length < min(len(one), len(other)) and one[-1 - length] == other[-1 - length]:
        length += 1
    return length


def parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + NAMED] for start in range(0, len(ids), NAMED))
