"""Catalogs of older kkcv brought to today's format, when they are opened, all at once or not.

Format 1 was the first. 2 keeps what filters look at and hits show beside the rows, for these are as
large as their vectors: a filter on a million pictures reads a twentieth of what it did. 3 knows
which rows were edited, so that an index can keep what hits show of all others. 4 knows the last
edit of each alone: a job that edits every picture every night must not fill the disk.
"""

import logging

import apsw

FORMAT = 4

DESCRIBED = """
CREATE INDEX pictures_described ON pictures (id, path, bytes, added, metadata)
"""
EDITS = "CREATE TABLE edits (sequence INTEGER PRIMARY KEY, id INTEGER NOT NULL)"
LAST_EDITS = "CREATE UNIQUE INDEX edits_by_id ON edits (id)"
OLDER_EDITS = (
    "DELETE FROM edits WHERE sequence NOT IN (SELECT max(sequence) FROM edits GROUP BY id)"
)
# the format that a step begins with, and what it does
STEPS = {1: DESCRIBED, 2: EDITS, 3: f"{OLDER_EDITS}; {LAST_EDITS}"}
log = logging.getLogger(__name__)


def migrate(connection: apsw.Connection) -> None:
    """Take the steps that are missing, in one transaction; another process may be faster.

    A catalog of no format, or of a newer one, is left as it is.
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
