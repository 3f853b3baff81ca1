"""The folders below which the rows of a file that is imported may name pictures.

A file from outside could name any file of this machine, whose bytes the gallery would then read.
Its rows lie below the roots of the gallery, below folders that the person names, or below those
that the export says it is of. A file that says none, as workers of ``kkcv embed`` write them, names
files of picture formats.
"""

import os
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from kkcv.disk import absolute
from kkcv.errors import DataError
from kkcv.images.folder import is_named_as_picture
from kkcv.search.files import is_own_name
from kkcv.search.gallery import Gallery
from kkcv.search.library.identity import is_below
from kkcv.search.picture import PictureFile


def folders_of(gallery: Gallery) -> list[str]:
    """The folders that hold all pictures of a gallery: its own, its roots, those of other files."""
    found = [str(gallery.folder), *(gallery.library.located(r.path) for r in gallery.library.roots)]
    with gallery.catalog.reading() as rows:
        for picture in rows.pictures():
            path = str(gallery.path(picture))
            if not any(is_below(path, folder) for folder in found):
                found.append(os.path.dirname(path))
    return found


class Allowed:
    """The files that rows may name."""

    def __init__(
        self,
        gallery: Gallery,
        described: Iterable[str] | None,
        named: Iterable[str | PathLike[str]],
        source: Path,
    ) -> None:
        self._source = source
        roots = gallery.library.roots
        self._said = described is not None
        self.folders = [
            *(str(absolute(folder)) for folder in named),
            *(path for root in roots for path in (root.path, *root.names)),
            *(folder for folder in described or () if folder != "/"),  # that would be any
        ]

    def check(self, file: PictureFile) -> None:
        """Raises DataError for a row that names another file."""
        own = file.stored  # in the gallery's own folder, where the name tells the bytes
        if own and is_own_name(file.path, file.sha256):
            return
        below = any(is_below(file.path, folder) for folder in self.folders)
        picture = not self._said and is_named_as_picture(file.path)
        if own or not (below or picture):
            raise DataError(
                f"{self._source}: the row of {file.path!r:.200} names a file that is in none of "
                "the folders that it is of; if it is right, name its folder: "
                "kkcv import --root FOLDER"
            )
