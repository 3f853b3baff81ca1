"""Decisions to keep pictures that look like duplicates. They are about bytes, not about ids.

They stand in the settings of the catalog, so a backup has them, and both engines.
"""

from collections.abc import Iterable
from itertools import count

from kkcv.errors import RequestError
from kkcv.search.engine import Reader, Writer
from kkcv.search.opened.rows import Rows

SETTING = "kept_both.{}"  # numbered, for Milvus limits the length of one
LONGEST = 60_000  # characters of each
DIGITS = 16  # of the sha256 of a file


class Decisions:
    """A decision is a set of pictures, all of which are kept."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._decided: dict[str, set[int]] = {}
        self._twice: set[str] = set()  # also beside another file with the same bytes
        for number, line in enumerate(lines):
            files = line.split(",")
            for file in files:
                self._decided.setdefault(file, set()).add(number)
                if files.count(file) > 1:
                    self._twice.add(file)

    def apart(self, a: bytes, b: bytes) -> bool:
        """Whether two files, by their sha256, are both to be kept."""
        first, second = shortened(a), shortened(b)
        if first == second:
            return first in self._twice
        nothing: set[int] = set()
        return bool(self._decided.get(first, nothing) & self._decided.get(second, nothing))


def decisions_of(rows: Reader) -> Decisions:
    return Decisions(line for text in texts(rows) for line in text.split())


def keep_both(gallery: Rows, ids: Iterable[int]) -> list[int]:
    """Remember that these pictures are all kept: ``duplicates`` does not group them again.

    Raises UnknownPicture, RequestError for fewer than two.
    """
    wanted = list(dict.fromkeys(ids))
    if len(wanted) < 2:
        raise RequestError("to keep both takes at least two pictures", field="ids")
    line = ",".join(shortened(gallery.get(id).file.sha256) for id in wanted)
    if len(line) > LONGEST:
        raise RequestError(f"one decision is about at most {LONGEST // (DIGITS + 1)} pictures")
    with gallery.catalog.writing() as writer:
        kept = texts(writer)
        if kept and len(kept[-1]) + 1 + len(line) <= LONGEST:
            if line not in kept[-1].split():  # decided before
                writer.set(SETTING.format(len(kept) - 1), f"{kept[-1]} {line}")
        else:
            writer.set(SETTING.format(len(kept)), line)
    return wanted


def forget_decisions(gallery: Rows) -> int:
    """Forget all decisions; how many there were."""
    with gallery.catalog.writing() as writer:
        kept = texts(writer)
        for number in range(len(kept)):
            writer.set(SETTING.format(number), None)
    return sum(len(text.split()) for text in kept)


def texts(rows: Reader | Writer) -> list[str]:
    found: list[str] = []
    for number in count():
        if not (text := rows.setting(SETTING.format(number))):
            return found
        found.append(text)
    return found


def shortened(sha256: bytes) -> str:
    return sha256.hex()[:DIGITS]
