"""Files that the owner of a library leaves out: patterns of gitignore, given or in .kkcvignore."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kkcv.errors import RequestError

from .identity import below, is_below

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

FILE = ".kkcvignore"


class Ignored:
    """The files and folders that are left out below a folder.

    The last pattern that matches decides, first of those that were given, then of the files from
    the folder of a picture upwards, as git does it.
    """

    def __init__(self, folder: str, patterns: Sequence[str] = ()) -> None:
        """Patterns apply from ``folder`` on, which is a root (RequestError)."""
        self._folder = folder
        self._given = spec_of(patterns, "--exclude")
        self._files: dict[str, GitIgnoreSpec | None] = {}

    def __call__(self, path: str, is_folder: bool) -> bool:
        """Whether a file or folder is left out; those above it are not asked for."""
        if (decision := decided(self._given, self._folder, path, is_folder)) is not None:
            return decision
        folder = os.path.dirname(path)
        while is_below(folder, self._folder):
            decision = decided(self._file_in(folder), folder, path, is_folder)
            if decision is not None:
                return decision
            if folder == self._folder:
                break
            folder = os.path.dirname(folder)
        return False

    def with_those_above(self, path: str) -> bool:
        """Whether a file is left out, itself or with a folder that it is in."""
        above = os.path.dirname(path)
        while is_below(above, self._folder) and above != self._folder:
            if self(above, True):
                return True
            above = os.path.dirname(above)
        return self(path, False)

    def _file_in(self, folder: str) -> "GitIgnoreSpec | None":
        if folder not in self._files:
            self._files[folder] = read(folder)
        return self._files[folder]


def decided(spec: "GitIgnoreSpec | None", folder: str, path: str, is_folder: bool) -> bool | None:
    """Whether the patterns leave a path out; None if no pattern matches it."""
    if spec is None:
        return None
    # a pattern that ends with a slash is for folders alone
    return spec.check_file(below(path, folder) + "/" * is_folder).include


def read(folder: str) -> "GitIgnoreSpec | None":
    """The patterns in a folder's file, or None if it has none that can be read."""
    file = os.path.join(folder, FILE)
    try:
        # -sig: editors of Windows begin a file with a mark
        with open(file, encoding="utf-8-sig", errors="surrogateescape") as lines:
            return spec_of(lines.read().splitlines(), file)
    except OSError:
        return None


def spec_of(patterns: Sequence[str], where: str) -> "GitIgnoreSpec | None":
    """The patterns, compiled (RequestError for an invalid one)."""
    if not patterns:
        return None
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:
        raise RequestError(f"{where}: {error}; patterns are those of gitignore") from None
