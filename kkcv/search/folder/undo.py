"""Rows as they were before the last change of many, so that it can be undone.

They are kept in the table ``undo``, which has the columns of the rows, and are put there in the
transaction of the change. What was done is the setting of the same name.
"""

import json
from typing import Any, NamedTuple

from kkcv.errors import RequestError
from kkcv.search.picture import Picture

from .catalog import Catalog
from .writer import KEPT, Writer

NOTHING = "there is nothing to undo: no pictures were removed or described together"


class Undone(NamedTuple):
    """``what`` was done at ``when``, in seconds since 1970, to how many ``pictures``."""

    what: str
    when: float
    pictures: int
    roots: list[dict[str, Any]]  # that were forgotten with them


def undo(catalog: Catalog) -> Undone:
    """Take the last removal or description of many pictures back.

    What was done to a picture since then is kept: its file, if the path has another one by now, and
    its metadata, where they say otherwise. Raises RequestError if there is nothing to undo, or the
    gallery has another network by now.
    """
    with catalog.writing() as writer:
        record = json.loads(writer.setting(KEPT, "null"))
        if record is None:
            raise RequestError(NOTHING)
        if record["what"] == "described":
            count = describe_again(writer)
        elif record["epoch"] != writer.setting("epoch", "0"):
            raise RequestError(
                f"the pictures were removed before {catalog.folder} had its network; go back to "
                f"that first: kkcv reindex {catalog.folder} --undo"
            )
        else:
            count = sum(put_back(writer, picture) for picture in list(writer.kept()))
        writer.forget()
    return Undone(record["what"], record["when"], count, record.get("roots", []))


def describe_again(writer: Writer) -> int:
    count = 0
    for was in writer.kept():
        if writer.picture(was.id) is not None:
            writer.update(was.id, metadata=was.metadata)
            count += 1
    return count


def put_back(writer: Writer, was: Picture) -> int:
    """A removed picture, with its id; one that is at its path by now becomes this one again."""
    there = writer.by_path(was.file.path)
    if there is not None and there.file.sha256 != was.file.sha256:
        writer.update(there.id, metadata={**was.metadata, **there.metadata})
        return 1
    if there is not None:
        writer.remove(there.id)
    writer.put_back(was.id)
    if there is not None and there.metadata:
        writer.update(was.id, metadata={**was.metadata, **there.metadata})
    return 1
