"""Rows whose path or metadata are not as they were written, by their checksums.

SQLite keeps both twice: in the row, and in the index beside it that filters read. Where one copy is
damaged, the checksum tells which.
"""

from collections.abc import Iterator
from typing import NamedTuple

from kkcv.search.folder.catalog import Catalog
from kkcv.search.folder.checksums import SAME, VALUES
from kkcv.search.folder.reader import Reader, as_text

RESTORE = "restore a backup: kkcv restore"
ROWS = "pictures NOT INDEXED"
ONE = "WHERE id = ?"
BESIDE = "pictures INDEXED BY pictures_described"


class Finding(NamedTuple):
    """Something that is wrong with a gallery; ``mended`` says what was done about it, if anything.

    ``kind`` is one of: damaged-catalog, bad-row, bad-metadata, bad-vector, missing-file,
    changed-file, orphaned-file, unfinished-file, stale-index, bad-index.
    """

    kind: str
    what: str
    advice: str
    mended: str = ""


def half_damaged(catalog: Catalog, repair: bool) -> list[Finding]:
    """Rows of which one copy is whole; repaired, both are.

    This comes before SQLite makes its indexes again from the rows.
    """
    with catalog.reading() as rows:
        good = {
            id: rows.execute(f"SELECT {VALUES} FROM {ROWS if in_row else BESIDE} {ONE}", (id,)).get
            for id, in_row, beside in differing(rows)
            if in_row or beside
        }
    if repair and good:
        with catalog.writing() as writer:
            writer.execute("REINDEX")  # SQLite changes a row only where both copies agree
            values = "path = CAST(? AS TEXT), bytes = ?, added = ?, metadata = CAST(? AS TEXT)"
            for id, copy in good.items():
                writer.execute(f"UPDATE pictures SET {values} {ONE}", (*copy, id))
    return [
        Finding(
            "bad-row",
            f"path or metadata of the picture with id {id}, {as_text(copy[0])}",
            "--repair takes the copy that is whole",
            "taken from the copy that is whole" if repair else "",
        )
        for id, copy in good.items()
    ]


def damaged(catalog: Catalog) -> list[Finding]:
    """Rows of which no copy is whole; what writes a row makes it whole."""
    with catalog.reading() as rows:
        return [
            Finding(
                "bad-row",
                f"path or metadata of the picture with id {id} are not as they were written",
                f"if they look right, describe it again or index its file again; else {RESTORE}",
            )
            for id, in_row, beside in differing(rows)
            if not in_row and not beside
        ]


def differing(rows: Reader) -> Iterator[tuple[int, bool, bool]]:
    """The ids of damaged rows, with whether the row is whole, and the copy beside it."""
    whole: dict[int, list[bool]] = {}
    for source in (ROWS, BESIDE):
        for id, same in rows.execute(f"SELECT id, {SAME} FROM {source} ORDER BY id"):
            whole.setdefault(id, []).append(same != 0)  # None: no checksum is known
    for id, copies in whole.items():
        if not all(copies):
            yield id, copies[0], copies[-1] and len(copies) == 2
