"""Catalogs of an older kkcv are brought to the current format when they are opened.

1   the first format
2   an index of the columns that filters and hits need: a filter on a million pictures reads a
    twentieth of the rows, which are as large as their vectors
3   the log of edits: an index keeps what hits show of all rows that were not edited
4   only the last edit of each row: a job that edits all rows every night must not fill the disk
5   a checksum of what hits show of each row: damage is not shown in silence
"""

import logging

import apsw

from . import checksums

FORMAT = 5

DESCRIBED = """
CREATE INDEX pictures_described ON pictures (id, path, bytes, added, metadata)
"""
EDITS = "CREATE TABLE edits (sequence INTEGER PRIMARY KEY, id INTEGER NOT NULL)"
LAST_EDITS = "CREATE UNIQUE INDEX edits_by_id ON edits (id)"
OLDER_EDITS = (
    "DELETE FROM edits WHERE sequence NOT IN (SELECT max(sequence) FROM edits GROUP BY id)"
)
# the format that a step starts from: its SQL
STEPS = {
    1: DESCRIBED,
    2: EDITS,
    3: f"{OLDER_EDITS}; {LAST_EDITS}",
    4: f"{checksums.TABLE}; {checksums.WRITE} INDEXED BY pictures_described",
}
log = logging.getLogger(__name__)


def migrate(connection: apsw.Connection) -> None:
    """Take the missing steps in one transaction; another process may be faster.

    A catalog without a format, or of a newer one, stays as it is.
    """
    if not is_old(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        while (found := format_of(connection)) in STEPS:
            log.warning("the gallery is brought from format %d to %d", found, found + 1)
            connection.execute(STEPS[found])
            connection.execute(
                "UPDATE settings SET value = ? WHERE name = 'format'", (str(found + 1),)
            )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def is_old(connection: apsw.Connection) -> bool:
    return format_of(connection) in STEPS


def format_of(connection: apsw.Connection) -> int | None:
    found = connection.execute("SELECT value FROM settings WHERE name = 'format'").get
    return int(found) if isinstance(found, str) and found.isdecimal() else None
