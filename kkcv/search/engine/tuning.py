"""The goal of a gallery's index: a recall, and perhaps a limit on memory."""

import json
import logging
from dataclasses import asdict, dataclass

from kkcv.errors import RequestError
from kkcv.search.index.kinds import KINDS, Kind, kind_for

RECALL = 0.99  # of the exact top 10
GOAL = "goal"  # a setting of the catalog
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Goal:
    """``recall`` of the exact ten nearest, ``memory`` in bytes, ``kind`` by name; None: by size."""

    recall: float = RECALL
    memory: int | None = None
    kind: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.recall <= 1:  # nan too
            raise RequestError(f"a recall is a share above 0 and up to 1, got {self.recall:g}")

    def kind_for(self, rows: int, dim: int) -> Kind:
        """The kind of index for a number of rows (RequestError if none fits into the memory)."""
        chosen = KINDS[self.kind] if self.kind else kind_for(rows)
        if self.memory is None:
            return chosen
        takes = {kind.name: rows * kind.resident(dim) for kind in KINDS.values()}
        fitting = [name for name, size in takes.items() if size <= self.memory]
        if chosen.name in fitting:
            return chosen
        if self.kind or not fitting:
            name = self.kind or min(takes, key=takes.__getitem__)
            raise RequestError(
                f"an index of {rows} pictures of kind {name} takes {takes[name]:,} bytes of "
                f"memory, the limit is {self.memory:,}"
            )
        return KINDS[max(fitting, key=takes.__getitem__)]  # the largest that fits finds the most

    def nearest_kind(self, rows: int, dim: int) -> Kind:
        """As ``kind_for``; the smallest kind, with a warning, if the gallery has outgrown it."""
        try:
            return self.kind_for(rows, dim)
        except RequestError as error:
            log.warning("%s; the smallest kind is built", error)
            return min(KINDS.values(), key=lambda kind: kind.resident(dim))

    def to_text(self) -> str:
        """For the setting ``GOAL``; an existing index stays until it is built again."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Goal":
        return cls(**json.loads(text or "{}"))


def parse_memory(text: str) -> int:
    """``800MB`` or ``2GB`` in bytes (RequestError)."""
    units = {"KB": 10**3, "MB": 10**6, "GB": 10**9}
    number, unit = text.strip()[:-2], text.strip()[-2:].upper()
    try:
        size = float(number) * units[unit]
    except (KeyError, ValueError):
        size = 0
    if not 1 <= size < 2**63:  # what a number of SQLite can be
        raise RequestError(f"a memory limit is a number and KB, MB or GB, as 800MB, got {text!r}")
    return int(size)
