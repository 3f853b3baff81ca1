"""Finding the pictures below a folder, always in the same order."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from errno import EHOSTDOWN, EIO, ENOTCONN, ESTALE, ETIMEDOUT
from pathlib import Path

from kkcv.answering import answers, is_stuck
from kkcv.disk import typed
from kkcv.errors import DataError, PictureError

from .formats import extensions, passed_over
from .skipped import CATALOG, GALLERY, RUN, SPLIT, in_a_gallery, is_gallery, is_run, system_folder
from .source import label_of

Path_ = str | os.PathLike[str]
Skips = Callable[[str, bool], bool]  # a path, and whether it is a folder: whether it is left out
EXCLUDED = "excluded"
DEAD = {EIO, ENOTCONN, ESTALE, EHOSTDOWN, ETIMEDOUT}  # of a mount or a disk, not of a path


def find_pictures(
    paths: Path_ | Iterable[Path_],
    *,
    recursive: bool = True,
    skips: Skips = lambda path, is_folder: False,
    passed: Counter[str] | None = None,
) -> Iterator[Path]:
    """Files with the extension of a picture, folder by folder in the order of their names.

    A path given by itself is always yielded, whatever its extension. Hidden files and folders,
    recycle bins, folders of the system, galleries and training runs are left out (skipped.py).
    Links are followed, but no folder is entered twice, so a loop of links ends. What looks like a
    picture and cannot be read (a broken link, a folder that is locked) is yielded too: decoding it
    says why, and nothing is left out without a word.

    Args:
        paths: of files and folders.
        recursive: with the folders below.
        skips: more that is left out.
        passed: counts what is left out, by the reason; hidden files are not counted.

    Raises:
        PictureError: not-found, before anything is yielded, when a path does not exist.
    """
    given = [typed(p) for p in ([paths] if isinstance(paths, (str, os.PathLike)) else paths)]
    must_exist(given)
    walk = Walk(recursive, skips, passed)
    return map(Path, walk.all(given))


def must_exist(paths: Iterable[Path_]) -> None:
    """Raises PictureError, not-found; a link that leads nowhere does exist.

    A path on a dead mount passes: it is listed later with its reason, and the rest goes on.
    """
    for path in paths:
        if answers(os.fspath(path)) and not os.path.lexists(path) and not is_dead(path):
            raise PictureError(f"{label_of(path)}there is no file at this path", "not-found")


def is_dead(path: Path_) -> bool:
    """Whether the disk, or the server that it is on, fails at a path, and so says nothing of it."""
    try:
        os.lstat(path)
    except (OSError, ValueError) as error:  # ValueError: a null character
        return getattr(error, "errno", None) in DEAD
    return False


class Walk:
    """The paths of pictures as text: making a Path of each takes longer than finding it."""

    def __init__(
        self,
        recursive: bool = True,
        skips: Skips = lambda path, is_folder: False,
        passed: Counter[str] | None = None,
        entered: Iterable[str] = (),
    ) -> None:
        """As find_pictures; folders of ``entered`` count as entered already."""
        self.recursive = recursive
        self.skips = skips
        self.answers: Callable[[str], bool] = lambda folder: True  # else it is yielded, not entered
        self.passed = Counter() if passed is None else passed
        self._entered: set[tuple[int, int]] = set()
        for folder in entered:
            with suppress(OSError):
                self._was_entered(os.stat(folder))

    def all(self, given: Iterable[str]) -> Iterator[str]:
        for path in dict.fromkeys(given):
            if is_stuck(path) or not os.path.isdir(path):
                yield path
            elif in_a_gallery(path):
                self.passed[GALLERY] += 1
            else:
                yield from self.below(path)

    def below(self, folder: str) -> Iterator[str]:
        """Files first, then folders, each by name; a stack, as folders may be nested deeply."""
        waiting = [folder]
        while waiting:
            here = waiting.pop()
            if not self.answers(here):
                yield here
                continue
            try:
                if self._was_entered(os.stat(here)):
                    continue
                with os.scandir(here) as found:
                    entries = sorted(found, key=lambda entry: entry.name)
            except OSError:
                yield here
                continue
            if any(e.name == CATALOG for e in entries) and is_gallery(here):
                self.passed[GALLERY] += 1
                continue
            if any(e.name == SPLIT for e in entries) and is_run(here):
                self.passed[RUN] += 1
                continue
            folders = []
            for entry in entries:
                if is_folder(entry):
                    if self.recursive and not self._left_out(entry, True):
                        folders.append(entry.path)
                elif not is_named_as_picture(entry.name):
                    if not entry.name.startswith("."):
                        self.passed[passed_over(entry.name)] += 1
                elif not self._left_out(entry, False):
                    yield entry.path
            waiting.extend(reversed(folders))

    def _was_entered(self, status: os.stat_result) -> bool:
        before = len(self._entered)
        self._entered.add((status.st_dev, status.st_ino))
        return len(self._entered) == before

    def _left_out(self, entry: "os.DirEntry[str]", folder: bool) -> bool:
        if entry.name.startswith("."):
            return True
        why = system_folder(entry.name) if folder else None
        if folder and entry.is_symlink() and in_a_gallery(entry.path):
            why = GALLERY
        if why is None and self.skips(entry.path, folder):
            why = EXCLUDED
        if why is not None:
            self.passed[why] += 1
        return why is not None


def is_named_as_picture(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in extensions()


def is_folder(entry: "os.DirEntry[str]") -> bool:
    """Also for a link to a folder; False where it cannot be looked at."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_hidden(name: str) -> bool:
    """Whether files and folders of this name are skipped."""
    return name.startswith(".") or system_folder(name) is not None


def labelled_pictures(folder: Path_, without: list[Path] | None = None) -> list[tuple[Path, str]]:
    """Each picture below the subfolders of a folder, with its class: the subfolder's name.

    Subfolders without pictures are left out, and listed in ``without``.

    Raises:
        DataError: no such folder, or no subfolder with pictures.
    """
    root = Path(typed(folder))
    if not root.is_dir():
        raise DataError(f"{label_of(root)}there is no folder at this path")
    pairs, empty = by_subfolder(root)
    if not pairs:
        raise DataError(f"{label_of(root)}there are no pictures in its subfolders")
    if without is not None:
        without += empty
    return pairs


def by_subfolder(folder: Path) -> tuple[list[tuple[Path, str]], list[Path]]:
    """Each picture with the name of its subfolder, and the subfolders without any (DataError)."""
    classes = subfolders(folder)
    if not classes:
        raise DataError(
            f"{label_of(folder)}it has no subfolders; each class needs one, as cats/ dogs/"
        )
    found: list[tuple[Path, str]] = []
    empty = []
    for each in classes:
        pictures = [(path, each.name) for path in find_pictures(each)]
        found += pictures
        if not pictures:
            empty.append(each)
    return found, empty


def subfolders(folder: Path) -> list[Path]:
    """By name, without hidden ones such as .ipynb_checkpoints, those of systems, and runs."""
    return sorted(
        p for p in folder.iterdir() if p.is_dir() and not is_hidden(p.name) and not is_run(str(p))
    )
