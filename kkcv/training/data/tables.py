"""A CSV of labelled pictures: a column of paths, one of labels, perhaps one of parts."""

import csv
from pathlib import Path

from kkcv.errors import DataError

from .labelled import PART_NAMES, PARTS, LabelledData, Picture, labelled_data

PATH_COLUMNS = ("path", "file", "filename", "image", "image_path")
LABEL_COLUMNS = ("label", "class", "category", "target")
PART_COLUMNS = ("part", "split", "set")


def read_csv(
    path: Path, path_column: str | None, label_column: str | None, root: Path
) -> LabelledData:
    """A table with a header; columns are found by their usual names where none is given."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            columns = list(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a CSV in UTF-8: {error}") from None
    of_path = column(path, columns, path_column, PATH_COLUMNS, "paths", "--path-column")
    of_label = column(path, columns, label_column, LABEL_COLUMNS, "labels", "--label-column")
    of_part = next((c for c in columns if c.lower() in PART_COLUMNS), None)
    pictures = []
    for number, row in enumerate(rows, 2):  # the header is line 1
        file, label = (row[of_path] or "").strip(), (row[of_label] or "").strip()
        if not file or not label:
            what = "path" if not file else "label"
            raise DataError(
                f"{path}, row {number}: there is no {what} (column {of_path!r} or {of_label!r})"
            )
        pictures.append(
            Picture(file, label, part_of(path, number, row[of_part] if of_part else ""))
        )
    return labelled_data(root, pictures, (), named=path)


def column(
    path: Path, columns: list[str], asked: str | None, usual: tuple[str, ...], what: str, flag: str
) -> str:
    """The column that is asked for, or the first with a usual name."""
    found = [c for c in columns if (c == asked if asked else c.lower() in usual)]
    if not found:
        wanted = repr(asked) if asked else f"{what} (one of: {', '.join(usual)})"
        raise DataError(
            f"{path} has no column {wanted}; it has: {', '.join(columns)}; choose with {flag}"
        )
    return found[0]


def part_of(path: Path, number: int, text: str | None) -> str:
    name = (text or "").strip().lower()
    if name and name not in PART_NAMES:
        raise DataError(f"{path}, row {number}: no part {text!r}; there are: {', '.join(PARTS)}")
    return PART_NAMES.get(name, "")
