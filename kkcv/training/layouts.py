"""How labelled pictures lie on disk: class folders, Kaggle's flat folder, or a CSV."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kkcv.errors import DataError
from kkcv.images.folder import find_pictures, labelled_pictures
from kkcv.images.source import label_of

PARTS = ("train", "val", "test")
PART_NAMES = {
    **dict.fromkeys(("train", "training", "training_set"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validation_set", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "test_set"), "test"),
}
UNLABELLED = ("test1", "test", "unlabelled", "unlabeled")  # folders of pictures without a class
PATH_COLUMNS = ("path", "file", "filename", "image", "image_path")
LABEL_COLUMNS = ("label", "class", "category", "target")
PART_COLUMNS = ("part", "split", "set")
KAGGLE = re.compile(r"(?P<label>[^.]+)\.\d+\.[^.]+")  # cat.0.jpg


class Picture(NamedTuple):
    """``path`` is below the root, with forward slashes; ``part`` is empty while undecided."""

    path: str
    label: str
    part: str = ""


@dataclass(frozen=True)
class LabelledData:
    """Pictures with their classes, as they lie; ``unlabelled`` are those to predict."""

    root: Path
    pictures: tuple[Picture, ...]
    unlabelled: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """In alphabetic order: the index of a class is its place here."""
        return tuple(sorted({picture.label for picture in self.pictures}))

    def of(self, part: str) -> tuple[Picture, ...]:
        return tuple(picture for picture in self.pictures if picture.part == part)


def read_data(
    path: str | Path,
    *,
    path_column: str | None = None,
    label_column: str | None = None,
    root: str | Path | None = None,
) -> LabelledData:
    """The labelled pictures of a folder or a CSV, in an order that does not change.

    A folder holds class folders, or ``train``, ``val``, ``test`` with class folders in them, or
    what Kaggle's zip holds: ``train/cat.0.jpg`` … and ``test1/`` without labels. A CSV has a column
    of paths, relative to ``root`` (its own folder), one of labels, and perhaps one of parts.

    Raises DataError.
    """
    path = Path(path)
    if path.is_file():
        if path.suffix.lower() != ".csv":
            raise DataError(f"{path}: give a folder or a .csv; a .zip must be unzipped first")
        return read_csv(path, path_column, label_column, Path(root) if root else path.parent)
    if not path.is_dir():
        raise DataError(f"{path}: there is no folder and no .csv at this path")
    parts, unlabelled = part_folders(path)
    if parts:
        pictures = [
            Picture(relative(file, path), label, part)
            for folder, part in parts
            for file, label in in_folder(folder)
        ]
    else:
        pictures = [Picture(relative(file, path), label) for file, label in in_folder(path)]
    if parts and {part for _, part in parts} == {"train"}:
        pictures = [picture._replace(part="") for picture in pictures]
    return checked(path, pictures, unlabelled)


@dataclass(frozen=True)
class Source:
    """Where labelled pictures are, before they are read."""

    path: Path
    path_column: str | None = None
    label_column: str | None = None
    root: Path | None = None

    def read(self) -> LabelledData:
        """See ``read_data``."""
        return read_data(
            self.path,
            path_column=self.path_column,
            label_column=self.label_column,
            root=self.root,
        )


def part_folders(root: Path) -> tuple[list[tuple[Path, str]], tuple[str, ...]]:
    """The folders that are parts, and the pictures of those that have no labels."""
    folders = sorted(p for p in root.iterdir() if p.is_dir())
    parts = [(f, PART_NAMES[f.name.lower()]) for f in folders if f.name.lower() in PART_NAMES]
    if not any(part == "train" for _, part in parts):
        return [], ()  # a class may be called "test"
    bare = [f for f in folders if f.name.lower() in UNLABELLED and not is_labelled(f)]
    files = tuple(relative(file, root) for folder in bare for file in find_pictures(folder))
    return [(f, part) for f, part in parts if f not in bare], files


def is_labelled(folder: Path) -> bool:
    """Whether it has class folders, or names such as cat.0.jpg."""
    if any(p.is_dir() and not p.name.startswith(".") for p in folder.iterdir()):
        return True
    first = next(find_pictures(folder), None)
    return first is not None and KAGGLE.fullmatch(first.name) is not None


def in_folder(folder: Path) -> Iterable[tuple[Path, str]]:
    """Pictures with their classes: by the names of subfolders, or by Kaggle's file names."""
    flat = list(find_pictures(folder, recursive=False))
    named = [(file, KAGGLE.fullmatch(file.name)) for file in flat]
    if flat and all(match for _, match in named):
        return [(file, match["label"]) for file, match in named if match]
    if flat and not any(p.is_dir() for p in folder.iterdir()):
        raise DataError(
            f"{label_of(folder)}{flat[0].name} says no class; pictures lie in one folder a class, "
            "or are named like cat.0.jpg, or are listed in a .csv of path and label"
        )
    return labelled_pictures(folder)


def relative(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix()


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
    return checked(root, pictures, (), named=path)


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


def checked(
    root: Path, pictures: list[Picture], unlabelled: tuple[str, ...], named: Path | None = None
) -> LabelledData:
    """Refuse what cannot be learned from: nothing, one class, a path with two labels."""
    where = named or root
    data = LabelledData(root, tuple(pictures), unlabelled)
    if not pictures:
        raise DataError(f"{where}: there are no pictures")
    if len(data.classes) < 2:
        raise DataError(
            f"{where}: there is one class, {data.classes[0]!r}; a classifier needs two or more"
        )
    seen: dict[str, str] = {}
    for picture in pictures:
        if seen.setdefault(picture.path, picture.label) != picture.label:
            both = f"{seen[picture.path]!r} and {picture.label!r}"
            raise DataError(f"{where}: {picture.path} has two labels, {both}")
    if len(seen) < len(pictures):
        raise DataError(f"{where}: {len(pictures) - len(seen)} pictures are listed twice")
    return data
