"""Where a root is now, as seen from this process, and in which state."""

import os
import time
from collections.abc import Callable
from typing import Literal, NamedTuple

from kkcv.answering import SILENT, answers, in_time, is_stuck
from kkcv.disk import reason
from kkcv.images.folder import Walk

from .identity import elsewhere, mounts, seen
from .roots import Root

THERE, EMPTY, UNREACHABLE, READ_ONLY = "there", "empty", "unreachable", "read-only"
REMEMBERED = 2.0  # seconds, in which a root is not looked for again

Presence = Literal["there", "gone", "unknown"]


class Place(NamedTuple):
    """``path`` is where a root was last known to be if it is ``UNREACHABLE``, and ``why``."""

    path: str
    state: str
    why: str = ""

    @property
    def is_reachable(self) -> bool:
        return self.state != UNREACHABLE


class Places:
    """Where roots are, remembered for moments. Safe to use from several threads."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Root, Place]] = {}

    def of(self, root: Root) -> Place:
        """``THERE`` or ``UNREACHABLE``: nothing in it is looked at."""
        if known := self._known.get(root.path):
            when, of_root, place = known
            if of_root is root and time.monotonic() - when < REMEMBERED:
                return place
        return self.now(root)

    def now(self, root: Root) -> Place:
        """As ``of``, without what is remembered."""
        place = in_time(root.path, lambda: found(root), silent(root.path))
        self._known[root.path] = time.monotonic(), root, place
        return place


def found(root: Root) -> Place:
    """The first path that leads to the root, or else what is where it was."""
    for path in (root.path, root.real, *root.names, *elsewhere(root.identity)):
        try:
            if seen(path).is_same(root.identity):
                return Place(path, THERE)
        except OSError:
            continue
    try:
        os.listdir(root.path)
        return Place(root.path, THERE)
    except OSError as error:
        return Place(root.path, UNREACHABLE, reason(error))


def looked_at(place: Place) -> Place:
    """The place with its state, for which something in it is read."""
    if not place.is_reachable:
        return place
    return in_time(place.path, lambda: inspected(place), silent(place.path))


def inspected(place: Place) -> Place:
    try:
        os.listdir(place.path)
    except OSError as error:
        return Place(place.path, UNREACHABLE, reason(error))
    if next(Walk().below(place.path), None) is None:
        return place._replace(state=EMPTY)
    return place if os.access(place.path, os.W_OK) else place._replace(state=READ_ONLY)


def silent(path: str) -> Place:
    return Place(path, UNREACHABLE, SILENT)


def answering() -> Callable[[str], bool]:
    """Whether a folder answers in time. Mounts are asked; other folders are taken to."""
    points = {mount.point for mount in mounts()}
    return lambda folder: folder not in points or answers(folder)


def presence(path: str) -> Presence:
    """Whether there is a file; "unknown" if the system does not say, as of a folder that is locked.

    A link that leads nowhere is no file.
    """
    if is_stuck(path):
        return "unknown"
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a zero byte in it
        return "gone"
    except OSError:
        return "unknown"
    return "there"
