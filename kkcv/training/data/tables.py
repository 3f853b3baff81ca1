"""A CSV of labelled pictures: a column of paths, one of labels, perhaps one of parts."""

from pathlib import Path

from kkcv.errors import DataError
from kkcv.tables import PATH_COLUMNS, Table, column, posix, read_table

from .labelled import PART_NAMES, PARTS, LabelledData, Picture, check_paths

SUFFIXES = (".csv", ".tsv", ".txt")  # Excel's "Unicode text" is a .txt
LABEL_COLUMNS = ("label", "class", "category", "target", "标签", "类别")
PART_COLUMNS = ("part", "split", "set")
MULTI_LABEL_COLUMNS = ("labels", "tags", "classes")


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
            what, name = ("label", of_label) if file else ("path", of_path)
            raise DataError(f"{path}, row {number}: there is no {what} (column {name!r})")
        part = part_of(path, number, row[of_part] if of_part else "")
        pictures.append(Picture(posix(file, root), label, part))
    labels = {picture.label for picture in pictures}
    refuse_multi_labels(path, of_label, labels, chosen=label_column is not None)
    check_paths(path, pictures)
    return LabelledData(root, tuple(pictures))


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


def refuse_multi_labels(path: Path, name: str, labels: set[str], *, chosen: bool) -> None:
    """Raises DataError where cells of the label column hold several labels.

    Somebody who has ``chosen`` the column may have names like A|1, A|2, B|1 in it.
    """
    for separator in "|;,":
        split = {label: pieces(label, separator) for label in labels}
        several = sorted(label for label, parts in split.items() if len(parts) > 1)
        enough = all if separator == "," else any  # "Paris, France" and "Lyon, France" are names
        shared = [
            label
            for label in several
            if enough(comes_back(*piece, label, split, chosen) for piece in enumerate(split[label]))
        ]
        if several and 2 * len(shared) >= len(several):
            choose = f"choose --label-column {name}"
            way_out = f"write it without {separator!r}" if chosen else choose
            raise multi_label(
                path,
                f"column {name!r} has several labels a cell, as {shared[0]!r}; if that is one "
                f"name, {way_out}",
            )


def pieces(label: str, separator: str) -> list[str]:
    """``"['cat', 'dog']"`` and ``"cat,dog"`` → ``["cat", "dog"]``."""
    bare = label.strip("[](){}") if separator == "," else label
    return [piece.strip(" '\"") for piece in bare.split(separator) if piece.strip(" '\"")]


def comes_back(
    place: int, piece: str, label: str, split: dict[str, list[str]], elsewhere: bool
) -> bool:
    """Whether another cell has the piece; ``elsewhere``: alone, or not at the same place."""
    others = (parts for other, parts in split.items() if other != label and piece in parts)
    return any(not elsewhere or parts == [piece] or parts.index(piece) != place for parts in others)


def multi_label(path: Path, why: str) -> DataError:
    return DataError(
        f"{path} is a multi-label table, which cannot be trained on: {why}. "
        "kkcv needs one column with one label a picture"
    )
