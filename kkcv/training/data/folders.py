"""Folders of labelled pictures: one a class, perhaps within parts, or Kaggle's flat folder."""

import re
from collections.abc import Iterable
from pathlib import Path

from kkcv.errors import DataError
from kkcv.images.folder import find_pictures, labelled_pictures
from kkcv.images.source import label_of

from .labelled import PART_NAMES, LabelledData, Picture, labelled_data

UNLABELLED = ("test1", "test", "unlabelled", "unlabeled")  # folders of pictures without a class
KAGGLE = re.compile(r"(?P<label>[^.]+)\.\d+\.[^.]+")  # cat.0.jpg


def read_folder(path: Path) -> LabelledData:
    """The labelled pictures of a folder, and those without a label beside them.

    The folder holds class folders, or ``train``, ``val``, ``test`` with class folders in them, or
    the contents of Kaggle's zip: ``train/cat.0.jpg`` … and ``test1/`` without labels.

    Raises DataError.
    """
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
    return labelled_data(path, pictures, unlabelled)


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
