"""Absence is not deletion: what is not there may be on a disk that is not plugged in.

A root that cannot be reached, is empty, or has lost more than LOST_SHARE of its pictures is in
doubt: nothing of it is taken for deleted.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from kkcv.answering import is_stuck
from kkcv.errors import RequestError
from kkcv.search.engine import Reader
from kkcv.search.filters.conditions import in_folder
from kkcv.search.picture import Picture

from .identity import below, join, upwards
from .library import Library
from .places import EMPTY, THERE, Place, Presence, looked_at, presence
from .roots import Root

LOST_SHARE = 0.5  # people delete less at once; a disk that is not plugged in loses all
SAMPLE = 200  # pictures of a root that are looked for, where not all have to be


@dataclass
class Standing:
    """A root as it is now, and what of its pictures is there.

    Without a ``root``: files that were named one by one, in the folder ``place``.
    """

    root: Root | None
    place: Place
    pictures: int = 0
    gone: list[Picture] = field(default_factory=list)
    unknown: list[Picture] = field(default_factory=list)

    @property
    def missing(self) -> int:
        return len(self.gone) + len(self.unknown)

    @property
    def doubt(self) -> str:
        """Why what is missing may come back, in words; "" without doubt."""
        if not self.missing:
            return ""
        if not self.place.is_reachable:
            return f"{self.place.path} is unreachable ({self.place.why})"
        if self.place.state == EMPTY:
            return f"{self.place.path} is empty"
        if self.missing > LOST_SHARE * self.pictures:
            return f"{self.place.path} has lost {self.missing:,} of {self.pictures:,} pictures"
        return ""


def standings(library: Library, pictures: Iterable[Picture]) -> list[Standing]:
    """Each root, in the order of paths, with the pictures that are its own."""
    roots = library.roots
    found = {root.path: Standing(root, looked_at(library.places.now(root))) for root in roots}
    for picture in pictures:
        if picture.file.stored:
            continue
        path = picture.file.path
        root = roots.of(path)
        key = root.path if root else os.path.dirname(path)
        if key not in found:
            found[key] = Standing(None, looked_at(Place(key, THERE)))
        standing = found[key]
        standing.pictures += 1
        if not standing.place.is_reachable:
            standing.unknown.append(picture)
            continue
        now = presence_of(join(standing.place.path, below(path, key)))
        if now == "gone":
            standing.gone.append(picture)
        elif now == "unknown":
            standing.unknown.append(picture)
    return [found[key] for key in sorted(found)]


class Judge:
    """Whether files that are gone from a root may have been moved, by a sample of its pictures."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._doubtful: dict[str, bool] = {}
        self._devices: dict[str, int] = {}

    def root_of(self, path: str) -> str:
        """The root that a path of the catalog is in, or else its folder."""
        root = self._library.roots.of(path)
        return root.path if root else os.path.dirname(path)

    def located(self, picture: Picture) -> str:
        return self._library.located(picture.file.path)

    def is_gone(self, path: str) -> bool:
        """Whether there is no file at a path of the catalog."""
        root = self._library.roots.of(path)
        if root is not None and not self._library.places.of(root).is_reachable:
            return True  # or away: may_move says no
        return presence_of(self._library.located(path)) == "gone"

    def may_move(self, rows: Reader, root: str, into: str) -> bool:
        """Whether a file that is gone from a root may be one that was found in another.

        A root that is walked is there, so what is gone from it is gone.
        """
        return root == into or not self._doubts(rows, root)

    def on_one_disk(self, root: str, other: str) -> bool:
        """Whether the inodes of two roots are of one file system: a backup may have the same."""
        return self._device(root) == self._device(other)

    def _device(self, path: str) -> int:
        if path not in self._devices:
            root = self._library.roots.get(path)
            place = path if root is None else self._library.places.of(root).path
            self._devices[path] = device_of(place)
        return self._devices[path]

    def is_doubtful(self, path: str) -> bool:
        """Whether a path of the catalog is in a root whose missing pictures may come back."""
        with self._library.catalog.reading() as rows:
            return self._doubts(rows, self.root_of(path))

    def _doubts(self, rows: Reader, root: str) -> bool:
        if root not in self._doubtful:
            self._doubtful[root] = self._is_doubtful(rows, root)
        return self._doubtful[root]

    def _is_doubtful(self, rows: Reader, path: str) -> bool:
        root = self._library.roots.get(path)
        if root is None:  # files that were named one by one
            return not has_entries(path)
        place = looked_at(self._library.places.now(root))
        if not place.is_reachable or place.state == EMPTY:
            return True
        there = [presence(join(place.path, rest)) == "there" for rest in sampled(rows, root.path)]
        return there.count(False) > LOST_SHARE * len(there)


def presence_of(file: str) -> Presence:
    """As ``presence``; also "unknown" of a link, where nothing is in the folder that it leads to.

    The disk of that folder may not be plugged in.
    """
    found = presence(file)
    if found == "gone" and os.path.islink(file):
        return found if has_entries(os.path.dirname(os.path.realpath(file))) else "unknown"
    return found


def device_of(folder: str) -> int:
    """The file system of a folder, or of the one above it that is there."""
    for up in upwards(folder):
        with suppress(OSError):
            if not is_stuck(up):
                return os.stat(up).st_dev
    return 0


def has_entries(folder: str) -> bool:
    try:
        return bool(os.listdir(folder))
    except OSError:
        return False


def sampled(rows: Reader, root: str) -> Iterator[str]:
    """Paths below a root of some of its pictures."""
    ids = rows.ids(in_folder(root))
    if len(ids) > SAMPLE:
        ids = np.random.default_rng(0).choice(ids, SAMPLE, replace=False)
    for path, _ in rows.shown(ids).values():
        yield below(path, root)


def holds_pictures_of(rows: Reader, root: Root, folder: str) -> bool:
    """Whether a folder is a root, as far as the root's pictures tell.

    The numbers of folders, and the paths, are used again for others.
    """
    there = [presence(join(folder, rest)) == "there" for rest in sampled(rows, root.path)]
    return bool(there) and there.count(False) <= LOST_SHARE * len(there)


def removable(library: Library, pictures: Iterable[Picture], insist: bool = False) -> list[int]:
    """The ids of the pictures whose files have been deleted.

    With ``insist``, of all that are not there. Raises RequestError if some may come back.
    """
    found = standings(library, pictures)
    doubts = [standing.doubt for standing in found if standing.doubt]
    if doubts and not insist:
        more = f" and {len(doubts) - 3} more" if len(doubts) > 3 else ""
        raise RequestError(
            f"nothing was removed: {'; '.join(doubts[:3])}{more}; pictures may come back with "
            "their disk. To remove them anyhow: --yes"
        )
    return [p.id for s in found for p in (*s.gone, *(s.unknown if insist else ()))]
