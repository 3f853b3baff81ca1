"""The roots of a gallery: the folders that were indexed, and how the catalog names what is below.

A picture's row holds the path of its root, as it was named first, and the path below. So a folder
that is reached by another name, or that is mounted elsewhere, has the rows that it had. All roots
are one setting of the catalog, in every engine.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace

from .identity import Identity, below, is_below, join, upwards

SETTING = "roots"


@dataclass(frozen=True)
class Root:
    """A folder that was indexed, or one that a link or a mount below such a folder leads to.

    ``path`` begins the paths of its rows, ``names`` are other paths that led to it, and ``real`` is
    the path without links. ``excludes`` are patterns of gitignore. ``within`` is the path of the
    root that led to it, or "" if a person named it.
    """

    path: str
    real: str
    identity: Identity
    names: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    within: str = ""


class Roots:
    """All roots of a gallery, immutable."""

    def __init__(self, roots: Iterable[Root] = ()) -> None:
        self._by_path = {root.path: root for root in roots}

    @classmethod
    def from_text(cls, text: str) -> "Roots":
        return cls(as_root(**each) for each in json.loads(text or "[]"))

    def to_text(self) -> str:
        return json.dumps([asdict(root) for root in self])

    def __iter__(self) -> Iterator[Root]:
        return iter(self._by_path.values())

    def __len__(self) -> int:
        return len(self._by_path)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Roots) and list(self) == list(other)

    def get(self, path: str) -> Root | None:
        return self._by_path.get(path)

    def of(self, path: str) -> Root | None:
        """The root that a path of the catalog is below: the innermost."""
        if not self._by_path or not path.startswith("/"):  # in the gallery's own folder
            return None
        return next((self._by_path[up] for up in upwards(path) if up in self._by_path), None)

    def named(self, name: str) -> Root | None:
        """The root of this path, or with this as another name."""
        return self.get(name) or next((root for root in self if name in root.names), None)

    def with_root(self, root: Root) -> "Roots":
        """With one more, or one that has changed."""
        return Roots((self._by_path | {root.path: root}).values())

    def without(self, root: Root) -> "Roots":
        """Without one, and those that it led to."""
        return Roots(r for r in self if root.path not in (r.path, r.within))

    def relocated(self, old: str, new: str) -> "Roots":
        """After the folder ``old`` has become ``new``, with the roots below it.

        Where ``new`` was a root already, both become one, with the patterns of both.
        """
        changed = Roots(
            replace(root, path=renamed(root.path, old, new), within=renamed(root.within, old, new))
            for root in self
        )
        there, here = self.get(new), changed.get(new)
        if there and here and there.path != old:
            patterns = tuple(dict.fromkeys((*there.excludes, *here.excludes)))
            changed = changed.with_root(replace(here, excludes=patterns))
        return changed


def as_root(
    path: str, real: str, identity: list, names: list[str], excludes: list[str], within: str
) -> Root:
    return Root(path, real, Identity(*identity), tuple(names), tuple(excludes), within)


def renamed(path: str, old: str, new: str) -> str:
    """A path after the folder ``old`` has become ``new``."""
    return join(new, below(path, old)) if is_below(path, old) else path
