"""The roots of an open gallery, and where the files of its pictures are."""

import os
import time
from collections import defaultdict
from collections.abc import Iterable

from kkcv.answering import answers, each_in_time
from kkcv.disk import absolute
from kkcv.search.engine import Catalog, Reader

from .identity import below, elsewhere, is_below, join, seen, upwards
from .places import Places, presence
from .roots import SETTING, Root, Roots

FRESH = 1.0  # seconds, in which the roots are not read again


class Library:
    """The roots as the catalog has them, read at most once a second. Safe to use from threads."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.places = Places()
        self._read = (0.0, Roots())
        self._text = ""
        self._pinned: Roots | None = None

    @property
    def roots(self) -> Roots:
        if self._pinned is not None:
            return self._pinned
        when, roots = self._read
        if when and time.monotonic() - when < FRESH:
            return roots
        with self.catalog.reading() as rows:
            return self.read(rows)

    def read(self, rows: Reader) -> Roots:
        """The roots as they are now."""
        text = rows.setting(SETTING)
        roots = self._read[1] if text == self._text else Roots.from_text(text)
        self._text, self._read = text, (time.monotonic(), roots)
        return roots

    def use(self, roots: Roots) -> None:
        """Go by these from now on: they are about to be written."""
        self._pinned = roots

    def forget(self) -> None:
        """Read the roots again: they were written."""
        self._pinned, self._read = None, (0.0, Roots())
        self._text = ""

    def located(self, path: str) -> str:
        """Where the file of a path of the catalog is, or should be, as seen from here."""
        if not path.startswith("/"):
            return os.path.join(self.catalog.folder, path)
        root = self.roots.of(path)
        return path if root is None else join(self.places.of(root).path, below(path, root.path))

    def missing(self, located: Iterable[str]) -> set[str]:
        """The paths, as ``located`` gives them, without a file; a dead disk is not waited for."""
        by_folder: dict[str, set[str]] = defaultdict(set)
        for path in located:
            by_folder[self.asked(path)].add(path)
        found: set[str] = set()
        for folder, paths in by_folder.items():
            # a slow disk is waited for as long as each file answers in time
            there = each_in_time(folder, presence, paths)
            found |= {path for path in paths if there.get(path) != "there"}
        return found

    def asked(self, located: str) -> str:
        """The folder to ask once for all paths on its disk, as each that is silent costs seconds.

        The gallery's own, the root, or else the folder of the file.
        """
        if is_below(located, own := str(self.catalog.folder)):
            return own
        root = self.roots.of(located)
        return root.path if root else os.path.dirname(located)

    def named(self, path: str | os.PathLike[str]) -> str:
        """The name that a file has, or would have, in the catalog: the opposite of ``located``."""
        text = str(absolute(path))
        found = nearest(self.roots, text)
        return text if found is None else join(found[0].path, below(text, found[1]))


def nearest(roots: Roots, path: str) -> tuple[Root, str] | None:
    """The root that an absolute path is in, and the folder above the path that is this root."""
    inodes = {root.identity.inode for root in roots}
    if inodes and not answers(path):  # names alone can tell
        inodes = set()
    for up in upwards(path):
        if (root := roots.get(up)) is not None:
            return root, up
        if not inodes:  # no root, or a silent disk: only names are compared
            continue
        try:
            if os.stat(up).st_ino not in inodes:
                continue
            for root in roots:
                if root.identity.is_same(seen(up)) and is_another_name(root, up):
                    return root, up
        except OSError:
            continue
    return None


def is_another_name(root: Root, folder: str) -> bool:
    """Whether a folder with the identity of a root is this root, and not one that came after it.

    The numbers of folders are used again.
    """
    if folder in root.names or os.path.realpath(folder) in elsewhere(root.identity):
        return True
    try:
        return seen(root.path).is_same(root.identity)
    except OSError:
        return False
