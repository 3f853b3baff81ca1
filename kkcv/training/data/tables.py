"""A CSV of labelled pictures: a column of paths, one of labels, perhaps one of parts."""

import csv
import io
import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from kkcv.errors import DataError

from .labelled import PART_NAMES, PARTS, LabelledData, Picture, check_paths

SUFFIXES = (".csv", ".tsv", ".txt")  # Excel's "Unicode text" is a .txt
PATH_COLUMNS = ("path", "file", "filename", "image", "image_path")
LABEL_COLUMNS = ("label", "class", "category", "target")
PART_COLUMNS = ("part", "split", "set")
MULTI_LABEL_COLUMNS = ("labels", "tags", "classes")


class Table(NamedTuple):
    """The header, stripped, and each row that is not blank, with its line number."""

    path: Path
    columns: list[str]
    rows: list[tuple[int, dict[str, str]]]


def read_csv(
    path: Path, path_column: str | None, label_column: str | None, root: Path
) -> LabelledData:
    """The pictures of a table with a header, in its order.

    Args:
        path_column: its name; None finds the first of ``PATH_COLUMNS``, in any case.
        label_column: likewise, of ``LABEL_COLUMNS``.
        root: the folder where relative paths begin.

    Raises:
        DataError: a table that cannot be read, lacks a column or a value, or has several labels a
            picture.
    """
    table = read_table(path)
    refuse_multi_label_columns(table, label_column)
    of_path = column(table, path_column, PATH_COLUMNS, "paths", "--path-column")
    of_label = column(table, label_column, LABEL_COLUMNS, "labels", "--label-column")
    of_part = next((c for c in table.columns if c.lower() in PART_COLUMNS), None)
    pictures = []
    for number, row in table.rows:
        file, label = row[of_path], row[of_label]
        if not file or not label:
            what = "path" if not file else "label"
            raise DataError(
                f"{path}, row {number}: there is no {what} (column {of_path!r} or {of_label!r})"
            )
        part = part_of(path, number, row[of_part] if of_part else "")
        pictures.append(Picture(posix(file, root), label, part))
    refuse_multi_labels(path, of_label, {picture.label for picture in pictures})
    check_paths(path, pictures)
    return LabelledData(root, tuple(pictures))


def read_table(path: Path) -> Table:
    """A CSV in the encodings and with the separators that spreadsheets write."""
    try:
        text = decoded(path.read_bytes())
        if "\0" in text:
            raise DataError(f"{path} is not a table: it has NUL characters")
        hint = re.match(r"sep=(.)\r?\n", text)  # Excel's own first line
        separator = hint[1] if hint else separator_of(text.partition("\n")[0])
        skipped = 1 if hint else 0
        reader = csv.reader(
            io.StringIO(text[hint.end() if hint else 0 :], newline=""), delimiter=separator
        )
        columns = [name.strip() for name in next(reader, [])]
        rows = []
        for cells in reader:
            values = [cell.strip() for cell in cells]
            if any(values):
                padded = values + [""] * (len(columns) - len(values))
                rows.append((reader.line_num + skipped, dict(zip(columns, padded, strict=False))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a CSV: {error}") from None
    return Table(path, columns, rows)


def decoded(data: bytes) -> str:
    """Text in UTF-8, UTF-16, GBK, or else in the Windows encoding of Western Europe."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    if data[1:2] == b"\0":
        return data.decode("utf-16-le")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    # Both bytes of a common Chinese character are high. In a Western encoding a letter with an
    # accent is mostly followed by a plain one.
    high = len(re.findall(rb"[\x81-\xfe]", data))
    pairs = len(re.findall(rb"[\x81-\xfe][\xa1-\xfe]", data))
    if 4 * pairs >= high:
        try:
            return data.decode("gb18030")
        except UnicodeDecodeError:
            pass
    return data.decode("cp1252")


def separator_of(header: str) -> str:
    """The most frequent of the usual separators; a comma where there is none."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(",;\t|", key=bare.count)


def posix(file: str, root: Path) -> str:
    """A path with forward slashes, below the root where the picture is found there.

    Of a Windows path such as C:\\pets\\cats\\1.jpg the longest end that exists below the root
    counts: the drive is another computer's.
    """
    if "\\" not in file or (root / file).exists():
        return str(PurePosixPath(file))
    windows = PureWindowsPath(file)
    parts = windows.parts[1:] if windows.anchor else windows.parts
    if windows.anchor:
        for first in range(len(parts)):
            if (root / Path(*parts[first:])).exists():
                return "/".join(parts[first:])
    return "/".join(parts)


def column(table: Table, asked: str | None, usual: tuple[str, ...], what: str, flag: str) -> str:
    """The column that is asked for, or the first with a usual name."""
    found = [c for c in table.columns if (c == asked if asked else c.lower() in usual)]
    if not found:
        wanted = repr(asked) if asked else f"{what} (one of: {', '.join(usual)})"
        raise DataError(
            f"{table.path} has no column {wanted}; it has: {', '.join(table.columns)}; "
            f"choose with {flag}"
        )
    return found[0]


def part_of(path: Path, number: int, text: str) -> str:
    name = text.lower()
    if name and name not in PART_NAMES:
        raise DataError(f"{path}, row {number}: no part {text!r}; there are: {', '.join(PARTS)}")
    return PART_NAMES.get(name, "")


def refuse_multi_label_columns(table: Table, label_column: str | None) -> None:
    """Raises DataError for a column of 0 and 1 for each class, or one that is called tags."""
    names = [c.lower() for c in table.columns]
    if label_column or any(name in LABEL_COLUMNS for name in names):
        return
    binary = [
        c
        for c in table.columns
        if table.rows and {row[c] for _, row in table.rows} <= {"0", "1", "0.0", "1.0"}
    ]
    several = [c for c in table.columns if c.lower() in MULTI_LABEL_COLUMNS]
    if len(binary) > 1:
        raise multi_label(table.path, f"it has columns of 0 and 1: {', '.join(binary[:5])}")
    if several:
        raise multi_label(
            table.path,
            f"it has a column {several[0]!r}; if that has one label "
            f"a picture, choose it with --label-column {several[0]}",
        )


def refuse_multi_labels(path: Path, name: str, labels: set[str]) -> None:
    """Raises DataError where cells of the label column hold several labels."""
    for separator in "|;,":
        split = {label: pieces(label, separator) for label in labels}
        several = sorted(label for label, parts in split.items() if len(parts) > 1)
        # Pieces that come back in other cells are labels; "Paris, France" is one name.
        shared = [s for s in several if all(comes_back(p, s, split) for p in split[s])]
        if several and 2 * len(shared) >= len(several):
            raise multi_label(path, f"column {name!r} has several labels a cell, as {shared[0]!r}")


def pieces(label: str, separator: str) -> list[str]:
    """``"['cat', 'dog']"`` and ``"cat,dog"`` → ``["cat", "dog"]``."""
    bare = label.strip("[](){}") if separator == "," else label
    return [piece.strip(" '\"") for piece in bare.split(separator) if piece.strip(" '\"")]


def comes_back(piece: str, label: str, split: dict[str, list[str]]) -> bool:
    return any(piece in parts for other, parts in split.items() if other != label)


def multi_label(path: Path, why: str) -> DataError:
    return DataError(
        f"{path} is a multi-label table, which cannot be trained on: {why}. "
        "kkcv needs one column with one label a picture"
    )
