"""Rows as they were before the last change of many, so that it can be undone.

The engine keeps them in the transaction of the change (Writer.keep), and says what was done in a
setting.
"""

from collections.abc import Collection
from typing import NamedTuple

from kkcv.errors import NothingToUndo
from kkcv.search.engine import Catalog, Writer
from kkcv.search.engine.kept import SETTING, Kept
from kkcv.search.library.forgetting import remembered
from kkcv.search.library.library import Library
from kkcv.search.library.roots import as_root
from kkcv.search.picture import Picture

NOTHING = "there is nothing to undo: no removal or description is kept"

SUPERSEDED = "this cannot be undone: the last removal or description was of other pictures"


class Undone(NamedTuple):
    """``what`` was done at ``when``, in seconds since 1970, to how many ``pictures``."""

    what: str
    when: float
    pictures: int


def undo(library: Library, only: Collection[int] | None = None, by: float | None = None) -> Undone:
    """Take back the last removal or description of many pictures.

    ``only`` and ``by`` say which is meant: one of the pictures with these ids, done no later than
    this, in seconds since 1970.

    Later changes stay: another file at the path of a picture, and metadata that were set since.
    Raises NothingToUndo if there is nothing to undo, another change came after the one that was
    meant, or the gallery has another network by now.
    """
    catalog: Catalog = library.catalog
    with catalog.writing() as writer:
        done = Kept.from_text(writer.setting(SETTING))
        if done is None:
            raise NothingToUndo(NOTHING)
        kept = list(writer.kept())
        others = only is not None and {picture.id for picture in kept} != set(only)
        if others or (by is not None and done.when > by):
            raise NothingToUndo(SUPERSEDED)
        if done.what == "described":
            count = describe_again(writer, kept)
        elif done.epoch != writer.epoch:
            raise NothingToUndo(
                f"the pictures were removed before {catalog.address} had its network; go back to "
                f"that first: kkcv reindex {catalog.address} --undo"
            )
        else:
            count = sum(put_back(writer, picture) for picture in kept)
        writer.forget()
    if done.roots:
        remembered(library, [as_root(**root) for root in done.roots])
    return Undone(done.what, done.when, count)


def describe_again(writer: Writer, kept: list[Picture]) -> int:
    count = 0
    for was in kept:
        if writer.picture(was.id) is not None:
            writer.update(was.id, metadata=was.metadata)
            count += 1
    return count


def put_back(writer: Writer, was: Picture) -> int:
    """A removed picture, with its id; one that is at its path by now becomes this one again."""
    there = writer.by_path(was.file.path)
    if there is not None and there.file.sha256 != was.file.sha256:  # another picture by now
        writer.update(there.id, metadata={**was.metadata, **there.metadata})
        return 1
    if there is not None:
        writer.remove(there.id)
    writer.put_back(was.id)
    if there is not None and there.metadata:
        writer.update(was.id, metadata={**was.metadata, **there.metadata})
    return 1
