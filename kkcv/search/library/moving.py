"""A root that is somewhere else now: its rows are given the paths that its pictures have there."""

import os
from dataclasses import replace

from kkcv.answering import answers
from kkcv.disk import absolute
from kkcv.errors import RequestError
from kkcv.search.filters.conditions import in_folder

from .absence import sampled
from .forgetting import no_such_root
from .identity import identity_of, is_below, join
from .library import Library
from .places import presence
from .roots import SETTING, Root, Roots, renamed


def move_root(library: Library, old: str, new: str) -> int:
    """Call the folder ``old`` of the catalog ``new`` from now on; how many pictures are below it.

    Where ``new`` was indexed already, pictures of the same path become one: with the id of the
    older one and the metadata of both. Raises GalleryLocked, OSError if ``new`` is not there.
    """
    # before the transaction: a folder that is not there changes nothing
    identity = identity_of(new)
    with library.catalog.writing() as writer:
        found = writer.ids(in_folder(old)).tolist()
        moving = [picture for picture in writer.pictures(found) if not picture.file.stored]
        # deepest first, or last, so that no path is taken by one that is still to be moved
        moving.sort(key=lambda p: len(p.file.path), reverse=is_below(new, old))
        files = [replace(p.file, path=renamed(p.file.path, old, new)) for p in moving]
        writer.expect(files)
        for picture, file in zip(moving, files, strict=True):
            metadata = picture.metadata
            if (there := writer.by_path(file.path)) and there.id != picture.id:
                metadata = {**there.metadata, **metadata}
                writer.remove(there.id)
            writer.update(picture.id, file=file, metadata=metadata)
        roots = Roots.from_text(writer.setting(SETTING)).relocated(old, new)
        root = roots.get(new) or Root(new, new, identity)
        root = replace(root, real=os.path.realpath(new), identity=identity, names=(), within="")
        writer.set(SETTING, roots.with_root(root).to_text())
    library.forget()
    return len(moving)


def moved_by_hand(library: Library, old: str, new: str, insist: bool = False) -> int:
    """As ``move_root``, of paths that a person has typed.

    Raises RequestError where there is nothing to move or nowhere to go; without ``insist`` also if
    none of the pictures is in ``new``.
    """
    folder, target = str(absolute(old)), str(absolute(new))
    root = library.roots.named(folder)
    source = root.path if root else library.named(folder)
    if not (answers(target) and os.path.isdir(target)):
        raise RequestError(f"{new} is no folder that can be reached from here")
    with library.catalog.reading() as rows:
        there = [presence(join(target, rest)) for rest in sampled(rows, source)]
    if root is None and not there:
        raise RequestError(no_such_root(library, old, library.roots))
    if there and "there" not in there and not insist:
        raise RequestError(
            f"none of the pictures of {old} is in {new}; nothing was changed. To insist: --yes"
        )
    return move_root(library, source, target)
