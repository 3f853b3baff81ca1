"""Folders of labelled pictures: one a class, perhaps within parts, or Kaggle's flat folder."""

import re
from pathlib import Path

from kkcv.errors import DataError
from kkcv.images.folder import by_subfolder, find_pictures, subfolders
from kkcv.images.source import label_of

from .labelled import PART_NAMES, LabelledData, Picture, check_paths

UNLABELLED = ("test1", "test", "unlabelled", "unlabeled")  # folders of pictures without a class
KAGGLE = re.compile(r"(?P<label>[^.]+)\.\d+\.[^.]+")  # cat.0.jpg


def read_folder(root: Path) -> LabelledData:
    """The labelled pictures of a folder, in the order of their paths, and the unlabelled beside.

    The folder holds class folders, or ``train``, ``val``, ``test`` with class folders in them, or
    the contents of Kaggle's zip: ``train/cat.0.jpg`` … and ``test1/`` without labels. Class folders
    without a picture are listed as empty, pictures in no class folder as loose; hidden folders are
    not classes.

    Raises DataError when no picture has a class, or a path cannot be used.
    """
    parts, unlabelled = part_folders(root)
    pictures: list[Picture] = []
    empty: list[str] = []
    for folder, part in parts or [(root, "")]:
        found, without = classes_of(folder)
        pictures += [Picture(relative(file, root), label, part) for file, label in found]
        empty += [relative(each, root) for each in without]
    if {part for _, part in parts} == {"train"}:
        pictures = [picture._replace(part="") for picture in pictures]
    check_paths(root, pictures)
    taken = {picture.path for picture in pictures} | set(unlabelled)
    loose = [path for file in find_pictures(root) if (path := relative(file, root)) not in taken]
    return LabelledData(root, tuple(pictures), unlabelled, tuple(empty), tuple(loose))


def part_folders(root: Path) -> tuple[list[tuple[Path, str]], tuple[str, ...]]:
    """The folders that are parts, and the pictures of those that have no labels."""
    folders = [unwrapped(folder) for folder in subfolders(root)]
    parts = [(f, PART_NAMES[f.name.lower()]) for f in folders if f.name.lower() in PART_NAMES]
    if not any(part == "train" for _, part in parts):
        return [], ()  # a class may be called "test"
    bare = [f for f in folders if f.name.lower() in UNLABELLED and not is_labelled(f)]
    files = tuple(relative(file, root) for folder in bare for file in find_pictures(folder))
    return [(f, part) for f, part in parts if f not in bare], files


def unwrapped(folder: Path) -> Path:
    """``train/train`` of ``train`` where that is all there is: Windows unzips train.zip so."""
    inside = folder / folder.name
    alone = subfolders(folder) == [inside] and not any(find_pictures(folder, recursive=False))
    return inside if alone else folder


def is_labelled(folder: Path) -> bool:
    """Whether it has class folders, or names such as cat.0.jpg."""
    if subfolders(folder):
        return True
    first = next(find_pictures(folder), None)
    return first is not None and KAGGLE.fullmatch(first.name) is not None


def classes_of(folder: Path) -> tuple[list[tuple[Path, str]], list[Path]]:
    """Pictures with their classes, by subfolder or by Kaggle's file names; empty subfolders."""
    flat = list(find_pictures(folder, recursive=False))
    named = [(file, KAGGLE.fullmatch(file.name)) for file in flat]
    if flat and all(match for _, match in named):
        return [(file, match["label"]) for file, match in named if match], []
    if flat and not subfolders(folder):
        raise DataError(
            f"{label_of(folder)}{flat[0].name} has no class; pictures lie in one folder a class, "
            "or are named like cat.0.jpg, or are listed in a .csv of path and label"
        )
    return by_subfolder(folder)


def relative(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix()
