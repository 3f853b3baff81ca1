"""Finding the pictures below a folder, always in the same order."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from kkcv.errors import DataError, PictureError

from .formats import EXTENSIONS
from .source import label_of

# Files that systems leave beside pictures: Synology thumbnails, macOS resource forks.
_NOT_ALBUMS = frozenset({"@eaDir", "__MACOSX", "$RECYCLE.BIN", "lost+found"})

Path_ = str | os.PathLike[str]


def find_pictures(paths: Path_ | Iterable[Path_], *, recursive: bool = True) -> Iterator[Path]:
    """Files with the extension of a picture, folder by folder in the order of their names.

    A path given by itself is always yielded, whatever its extension. Hidden files and folders are
    left out. Links are followed, but no folder is entered twice, so a loop of links ends. What
    looks like a picture and cannot be read (a broken link, a folder that is locked) is yielded too:
    decoding it says why, and nothing is left out without a word.

    Raises:
        PictureError: not-found, before anything is yielded, when a path does not exist.
    """
    given = [Path(paths)] if isinstance(paths, (str, os.PathLike)) else [Path(p) for p in paths]
    for path in given:
        if not os.path.lexists(path):
            raise PictureError(f"{label_of(path)}there is no file at this path", "not-found")
    return _walk_all(given, recursive)


def _walk_all(given: list[Path], recursive: bool) -> Iterator[Path]:
    entered: set[tuple[int, int]] = set()
    for path in dict.fromkeys(given):
        if path.is_dir():
            yield from _walk(path, recursive, entered)
        else:
            yield path


def _walk(folder: Path, recursive: bool, entered: set[tuple[int, int]]) -> Iterator[Path]:
    """Files first, then folders, each by name; a stack, because folders may be nested deeply."""
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            status = here.stat()
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            names = sorted(os.listdir(here))
        except OSError:
            yield here
            continue
        paths = [here / name for name in names if not is_hidden(name)]
        folders = [path for path in paths if path.is_dir()]
        skipped = set(folders)
        yield from (p for p in paths if p not in skipped and p.suffix.lower() in EXTENSIONS)
        if recursive:
            waiting.extend(reversed(folders))


def is_hidden(name: str) -> bool:
    """Whether files and folders of this name are skipped."""
    return name.startswith(".") or name in _NOT_ALBUMS


def labelled_pictures(folder: Path_) -> list[tuple[Path, str]]:
    """Each picture below the subfolders of a folder, with its class: the subfolder's name.

    Raises:
        DataError: no such folder, no subfolder with pictures, or a subfolder without any.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DataError(f"{label_of(root)}there is no folder at this path")
    classes = sorted(p for p in root.iterdir() if p.is_dir() and not is_hidden(p.name))
    if not classes:
        raise DataError(
            f"{label_of(root)}it has no subfolders; each class needs one, as cats/ dogs/"
        )
    pairs = []
    for each in classes:
        pictures = [(path, each.name) for path in find_pictures(each)]
        if not pictures:
            raise DataError(f"{label_of(each)}there are no pictures of this class")
        pairs += pictures
    return pairs
