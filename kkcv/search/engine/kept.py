"""The record of what was done to rows that an engine keeps, so that it can be undone."""

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

SETTING = "undo"  # of the catalog: the record as JSON


@dataclass(frozen=True)
class Kept:
    """``what`` was done ``when``, in seconds since 1970, in which ``epoch`` (Writer.epoch).

    ``roots`` are those that were forgotten with the rows (library/roots.py), and ``rows`` is where
    the engine keeps them, if it has to know.
    """

    what: str
    when: float
    epoch: str
    roots: tuple[dict[str, Any], ...] = ()
    rows: str = ""

    def at(self, old: str, new: str) -> "Kept":
        """The same for the epoch ``new``, which has the network of ``old``."""
        return replace(self, epoch=new) if self.epoch == old else self

    def to_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Kept | None":
        """From the text of ``to_text``, also of a newer kkcv; None for an empty one."""
        known = {field.name for field in fields(cls)}
        return cls(**{k: v for k, v in json.loads(text).items() if k in known}) if text else None
