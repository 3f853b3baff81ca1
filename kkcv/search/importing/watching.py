"""Following the roots of a gallery: what is done to their files is done to the gallery too."""

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import KW_ONLY, dataclass, field
from typing import NamedTuple

from kkcv.errors import KkcvError
from kkcv.images.folder import is_named_as_picture
from kkcv.images.skipped import system_folder
from kkcv.search.filters.conditions import in_folder
from kkcv.search.library.changes import Changes
from kkcv.search.library.identity import Identity, below, is_below, seen
from kkcv.search.library.ignore import FILE, Ignored
from kkcv.search.library.library import nearest
from kkcv.search.library.places import presence
from kkcv.search.opened.rows import Rows

from .importing import REJECTS, ImportReport, Reject, import_pictures, write_rejects

LOOK_FOR_ROOTS = 2.0  # seconds between two looks for roots that come and go
LONGEST_PAUSE = 60.0  # seconds between two rounds that fail
Places = dict[str, Identity]  # folders that are roots, and what they are now


class Followed(NamedTuple):
    """One round of watching: an import, and the pictures whose files have gone since."""

    report: ImportReport
    missing: list[str]


@dataclass
class Watching:
    """The roots of a gallery, followed until ``stop`` is set.

    Args:
        gallery: whose roots are followed.
        stop: ends it.
        tell: is called after each import that changed something.
        warn: is called once with what could not be done; it is tried again until it can.
        poll: look for changes also where the system tells of them.
        threads: that decode; None is one a core.
    """

    gallery: Rows
    stop: threading.Event
    tell: Callable[[Followed], None]
    warn: Callable[[str], None]
    _: KW_ONLY
    poll: bool = False
    threads: int | None = None
    _rejects: dict[str, Reject] = field(default_factory=dict, init=False)
    _warned: str = field(default="", init=False)

    def run(self) -> None:
        """Follow the roots; those that come back are imported again from the start."""
        known: Places = {}
        waiting: set[str] = set()  # changed paths that no round has taken yet
        pause = 0.0  # seconds after a round that failed: it may have walked a whole root
        while not self.stop.is_set():
            roots = self._there()
            changes = Changes(roots, self.poll)
            waiting |= {root for root in roots if known.get(root) != roots[root]}
            try:
                while not self.stop.is_set() and self._there() == roots:
                    if waiting and self._follow(waiting):
                        waiting, pause = set(), 0.0
                    elif waiting:
                        pause = min(2 * pause or LOOK_FOR_ROOTS, LONGEST_PAUSE)
                        self.stop.wait(pause)
                    waiting |= changes.next(LOOK_FOR_ROOTS)
            finally:
                changes.close()
            known = roots
            if not roots:
                self.stop.wait(LOOK_FOR_ROOTS)

    def _there(self) -> Places:
        """The roots that can be reached, by where they are."""
        found: Places = {}
        for root in self.gallery.library.roots:
            place = self.gallery.library.places.now(root)
            if place.is_reachable:
                try:
                    found[place.path] = seen(place.path)
                except OSError:
                    continue
        return found

    def _pictures_in(self, changed: Iterable[str]) -> list[str]:
        """The paths that an import has to look at, by the rules of their roots."""
        rules: dict[str, Ignored] = {}
        found = []
        for path in sorted(changed):
            at = nearest(self.gallery.library.roots, path)
            if at is None or is_below(path, str(self.gallery.folder)) or not os.path.lexists(path):
                continue
            root, up = at
            if path == up:
                found.append(path)
                continue
            if os.path.basename(path) == FILE:  # other rules: all is looked at again
                found.append(os.path.dirname(path))
                continue
            rule = rules.setdefault(up, Ignored(up, root.excludes))
            if is_hidden(below(path, up)) or rule.with_those_above(path):
                continue
            if os.path.isdir(path) or is_named_as_picture(path):
                found.append(path)
        return found

    def _follow(self, changed: set[str]) -> bool:
        """Import what is at changed paths, and look which have gone; whether it could be done."""
        there: list[str] = []
        try:
            there = self._pictures_in(changed)
            report = ImportReport()
            if there:
                report = import_pictures(self.gallery, there, threads=self.threads)
                self._keep_rejects(there, report)
                self.gallery.generation.index.rebuild_in_background()
            missing = self._missing(changed)
        except KkcvError as error:  # as of a gallery that others write for too long
            # a file that has gone since it was seen stops the import of all: said to nobody
            if self._warned != str(error) and all(map(os.path.lexists, there)):
                self._warned = str(error)
                self.warn(self._warned)
            return False
        self._warned = ""
        if report.files - report.unchanged or missing:
            self.tell(Followed(report, missing))
        return True

    def _keep_rejects(self, paths: list[str], report: ImportReport) -> None:
        """The list of rejected files is that of all roots, not of the last import."""
        for path in list(self._rejects):
            if any(is_below(path, imported) for imported in paths) or not os.path.lexists(path):
                del self._rejects[path]
        self._rejects |= {reject.path: reject for reject in report.rejected}
        write_rejects(self.gallery.folder / REJECTS, list(self._rejects.values()))

    def _missing(self, changed: Iterable[str]) -> list[str]:
        """The pictures that were at changed paths, or below, and are not there now."""
        found: set[str] = set()
        library = self.gallery.library
        gone = [library.named(path) for path in changed if not os.path.lexists(path)]
        with self.gallery.catalog.reading() as rows:
            for name in gone:
                if rows.by_path(name):
                    found.add(library.located(name))
                elif not is_named_as_picture(name):
                    ids = rows.ids(in_folder(name))
                    found.update(library.located(path) for path, _ in rows.shown(ids).values())
        return sorted(path for path in found if presence(path) != "there")


def is_hidden(path: str) -> bool:
    """Whether a path below a root is hidden, or in a folder of the system."""
    return any(part.startswith(".") or system_folder(part) for part in path.split("/"))
