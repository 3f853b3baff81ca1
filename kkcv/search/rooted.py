"""The folders of an open gallery, and the last change of many pictures, taken back."""

from os import PathLike, fspath

from .library.absence import Standing, standings
from .library.forgetting import forget
from .library.moving import moved_by_hand
from .opened import Opened
from .undoing import Undone, undo


class Rooted(Opened):
    """An open gallery with its roots (docs/library.md)."""

    def roots(self) -> list[Standing]:
        """Each folder that was indexed, as it is now, and which of its pictures are missing."""
        with self.catalog.reading() as rows:
            return standings(self.library, rows.pictures())

    def move_root(
        self, old: str | PathLike[str], new: str | PathLike[str], *, insist: bool = False
    ) -> int:
        """Call the folder ``old`` ``new`` from now on; how many pictures are below it.

        Raises RequestError where there is nothing to move or nowhere to go; without ``insist`` also
        if none of the pictures is in ``new``.
        """
        return moved_by_hand(self.library, fspath(old), fspath(new), insist)

    def forget_root(self, folder: str | PathLike[str]) -> int:
        """Take a folder and its pictures out of the gallery; how many (RequestError)."""
        return forget(self.library, self.library.named(folder))

    def undo(self) -> Undone:
        """Take the last removal or description of several pictures back.

        Their ids, vectors and metadata return. Raises RequestError if there is nothing to undo, or
        the network was changed since.
        """
        return undo(self.library)
