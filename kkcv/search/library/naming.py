"""How an import calls the files that it finds, so that one folder has one name in the catalog."""

import os
import stat
from contextlib import suppress
from dataclasses import replace

from kkcv.search.engine import Writer

from .absence import holds_pictures_of
from .identity import below, identity_of, join, mounts, seen, upwards
from .library import Library, nearest
from .moving import move_root
from .places import presence
from .roots import SETTING, Root, Roots


class Naming:
    """The names of the files that an import walks through.

    New folders become roots, also those that a link or a mount within a root leads to. A root that
    is found under another name gets that name too; one that was renamed is moved, with its rows.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._roots = library.roots
        self._new: list[Root] = []  # those that are to be written
        self._names: dict[str, tuple[str, int]] = {}  # of folders, with their devices
        self._mounts = {mount.point for mount in mounts()}  # also those of one device
        self.linked: list[str] = []  # new folders that links and mounts lead to
        self._moved: set[str] = set()  # roots that were elsewhere before, by their path now

    def begin(self, folder: str, excludes: tuple[str, ...] = ()) -> None:
        """Make a folder, by its absolute path, a root unless it is in one (OSError)."""
        at, found = folder, self._known(folder)
        if found is None:  # a link into a root, perhaps one whose disk is not there now
            at = os.path.realpath(folder)
            found = self._known(at)
        if found is None:
            at, found = folder, self._renamed(folder)
        root, up = found or (new_root(folder), folder)
        rest = below(at, up)
        given = (from_root(each, rest) for each in excludes if each.strip())
        patterns = dict.fromkeys((*root.excludes, *given))  # a blank one matches nothing
        within = root.within if rest else ""  # a person has named it
        self._keep(replace(root, excludes=tuple(patterns), within=within))
        # ``at`` too: a link into a root is walked as the folder that it leads to
        self._names[folder] = self._names[at] = join(root.path, rest), os.stat(folder).st_dev

    def name(self, path: str) -> str:
        """The name of a file in the catalog, by its absolute path."""
        folder, file = os.path.split(path)
        return join(self._of_folder(folder), file)

    @property
    def has_news(self) -> bool:
        """Whether roots are still to be written."""
        return bool(self._new)

    def was_moved(self, name: str) -> bool:
        """Whether a name of the catalog is below a root that this import has moved."""
        root = self._roots.of(name) if self._moved else None
        return root is not None and root.path in self._moved

    def write(self, writer: Writer) -> None:
        """Write the roots that are new or have changed."""
        if self._new:
            roots = Roots.from_text(writer.setting(SETTING))
            for root in self._new:
                roots = roots.with_root(root)
            writer.set(SETTING, roots.to_text())
            self._new = []

    def _of_folder(self, folder: str) -> str:
        steps = []
        for up in upwards(folder):
            if up in self._names:
                break
            steps.append(up)
        else:  # of a file that was named by itself
            name = self._library.named(folder)
            with suppress(OSError):  # it has gone meanwhile: reading the file will say so
                self._names[folder] = name, os.stat(folder).st_dev
            return name
        for step in reversed(steps):
            self._names[step] = self._within(step, *self._names[os.path.dirname(step)])
        return self._names[folder][0]

    def _within(self, folder: str, above: str, device: int) -> tuple[str, int]:
        """Name and device of a folder in one that has these."""
        name = join(above, os.path.basename(folder))
        try:
            status = os.lstat(folder)
            # a bind mount has the device of the folder around it
            apart = status.st_dev != device or folder in self._mounts
            if not apart and not stat.S_ISLNK(status.st_mode):
                return name, device
            return self._led_to(folder, name), os.stat(folder).st_dev
        except OSError:  # it has gone meanwhile: reading the file will say so
            return name, device

    def _led_to(self, folder: str, name: str) -> str:
        """The name of a folder that a link or a mount leads to: of its own root, or a new one."""
        real = os.path.realpath(folder)
        if os.path.islink(folder) and (found := nearest(self._roots, real)):
            return join(found[0].path, below(real, found[1]))
        identity, known = identity_of(folder), self._roots.get(name)
        for root in self._roots:
            if root is not known and root.identity.is_same(identity):
                return root.path
        if known is None or known.identity != identity:
            outer = self._roots.of(name)
            within = (outer.within or outer.path) if outer is not None else ""
            self.linked += [folder] if known is None else []
            self._keep(Root(name, real, identity, within=within))
        return name

    def _known(self, folder: str) -> tuple[Root, str] | None:
        """The root that a folder is in, and the folder that is the root, by whatever name."""
        found = nearest(self._roots, folder)
        if found is None:
            return None
        root, up = found
        if up != root.path and up not in root.names and up != root.real:
            root = replace(root, names=(*root.names, up))
        elif up == root.path and not seen(up).is_same(root.identity) and self._holds(root, up):
            root = replace(root, identity=identity_of(up), real=os.path.realpath(up))
        return root, up

    def _renamed(self, folder: str) -> tuple[Root, str] | None:
        """A root that is no longer where it was, but where this folder is."""
        for up in upwards(folder):
            identity = seen(up)
            for root in self._roots:
                if not root.identity.is_same(identity) or presence(root.path) != "gone":
                    continue
                if self._holds(root, up):
                    move_root(self._library, root.path, up)
                    self._roots = self._library.roots
                    self._moved.add(up)
                    return self._roots.get(up) or root, up
        return None

    def _holds(self, root: Root, folder: str) -> bool:
        with self._library.catalog.reading() as rows:
            return holds_pictures_of(rows, root, folder)

    def _keep(self, root: Root) -> None:
        if self._roots.get(root.path) != root:
            self._roots = self._roots.with_root(root)
            self._new.append(root)
            self._library.use(self._roots)


def new_root(folder: str) -> Root:
    return Root(folder, os.path.realpath(folder), identity_of(folder))


def from_root(pattern: str, rest: str) -> str:
    """A pattern of gitignore for the folder ``rest`` of a root, as one for the root."""
    if not rest:
        return pattern
    no, pattern = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    anchored = "/" in pattern.rstrip("/")
    return f"{no}/{rest}/{pattern.lstrip('/')}" if anchored else f"{no}/{rest}/**/{pattern}"
