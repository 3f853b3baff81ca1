"""The paper that describes a family of networks."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """Where a network is described."""

    title: str
    authors: str
    year: int
    where: str  # venue and arXiv number

    @property
    def published(self) -> str:
        """``where``, with the year if that does not name one."""
        named = re.search(r"(?<!arXiv:)\b(19|20)\d\d\b", self.where)
        return self.where if named else f"{self.where}, {self.year}"
