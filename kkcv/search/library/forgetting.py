"""Forgetting a folder: its pictures leave the gallery, and it is no root any more."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from kkcv.errors import RequestError
from kkcv.search.files import delete_stored, keep
from kkcv.search.filters.conditions import in_folder
from kkcv.search.picture import Picture

from .identity import below, join
from .ignore import Ignored
from .library import Library
from .places import presence
from .roots import SETTING, Root, Roots


def forget(library: Library, folder: str) -> int:
    """Remove the pictures below a folder, by its path in the catalog; how many.

    It can be undone, as other removals. Raises RequestError if the gallery has nothing of it.
    """
    with library.catalog.writing() as writer:
        roots = Roots.from_text(writer.setting(SETTING))
        ids = writer.ids(in_folder(folder)).tolist()
        root = roots.get(folder)
        if root is None and not ids:
            raise RequestError(no_such_root(library, folder, roots))
        left = roots if root is None else roots.without(root)
        gone = [asdict(each) for each in roots if each not in set(left)]
        orphans = keep(writer, "removed", ids, roots=gone)
        for id in ids:
            writer.remove(id)
        writer.set(SETTING, left.to_text())
    library.forget()
    delete_stored(library.catalog, orphans)
    return len(ids)


def still_walked(library: Library, pictures: Iterable[Picture]) -> Iterator[tuple[Root, str]]:
    """The pictures that the next import of their root adds again, if they are removed.

    Each with its root and the pattern of gitignore that leaves it out.
    """
    ignored: dict[str, Ignored] = {}
    for path in (picture.file.path for picture in pictures if not picture.file.stored):
        root = library.roots.of(path)
        if root is None or not library.places.of(root).is_reachable:
            continue
        here, rest = library.places.of(root).path, below(path, root.path)
        left_out = ignored.setdefault(here, Ignored(here, root.excludes))
        file = join(here, rest)
        if presence(file) == "there" and not left_out.with_those_above(file):
            yield root, pattern_of(rest)


def pattern_of(rest: str) -> str:
    """The pattern of gitignore for one path below a root."""
    return "/" + re.sub(r"([\\*?\[]| $)", r"\\\1", rest)


def no_such_root(library: Library, folder: str, roots: Roots) -> str:
    named = ", ".join(root.path for root in roots) or "none yet"
    return f"{folder} is no root of {library.catalog.address}; there are: {named}"


def remembered(library: Library, roots: list[Root]) -> None:
    """Roots that were forgotten are roots again."""
    with library.catalog.writing() as writer:
        now = Roots.from_text(writer.setting(SETTING))
        for root in roots:
            now = now.with_root(root) if now.get(root.path) is None else now
        writer.set(SETTING, now.to_text())
    library.forget()
