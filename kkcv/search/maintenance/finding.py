"""Something that is wrong with a gallery."""

from typing import NamedTuple

RESTORE = "restore a backup: kkcv restore"


class Finding(NamedTuple):
    """Something wrong. ``mended`` says what was done about it, if anything.

    ``kind`` is one of: damaged-catalog, bad-row, bad-metadata, bad-vector, missing-file,
    changed-file, orphaned-file, unfinished-file, stale-index, bad-index.
    """

    kind: str
    what: str
    advice: str
    mended: str = ""
