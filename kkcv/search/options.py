"""How a search shall answer: one value, made at the edge and handed down whole."""

import dataclasses
from dataclasses import dataclass
from typing import Literal, TypedDict

from kkcv.errors import RequestError

from .ranking.names import RANKINGS

Verify = bool | Literal["ties"]


@dataclass(frozen=True)
class SearchOptions:
    """What may be found, in which order, and what is left out.

    ``where`` is a filter (where.py). What scores less than ``min_score``, or what unrelated
    pictures reach more often than at the rate ``max_chance``, is left out. ``ranking`` is the name
    of an order (ranking/names.py), None the gallery's own. ``verify`` looks for what the query
    shows in the first hits, point by point, and puts those first where it is; ``"ties"`` does so
    only where the scores do not decide. Hits that score ``fold`` or more with a better one are
    folded into it.

    Raises RequestError for a value that makes no sense.
    """

    where: str | None = None
    min_score: float = -1.0
    ranking: str | None = None
    verify: Verify = False
    max_chance: float | None = None
    fold: float | None = None

    def __post_init__(self) -> None:
        if self.ranking is not None:
            check_ranking(self.ranking)
        if self.verify not in (True, False, "ties"):
            raise RequestError(f"verify is true, false or 'ties', not {self.verify!r}")
        check_min_score(self.min_score)
        if self.max_chance is not None and not 0 < self.max_chance <= 1:
            raise RequestError(
                f"max_chance is a rate above 0 and up to 1, such as 0.0001, not {self.max_chance:g}"
            )

        if self.fold is not None and not 0 < self.fold <= 1:
            raise RequestError(
                f"fold is a score above 0 and up to 1, such as 0.95, got {self.fold:g}"
            )

    def but(self, **words: object) -> "SearchOptions":
        """The same with some values replaced."""
        return dataclasses.replace(self, **words) if words else self  # type: ignore[arg-type]


class OptionWords(TypedDict, total=False):
    """The fields of SearchOptions as keyword arguments: ``gallery.search(picture, where=…)``."""

    where: str | None
    min_score: float
    ranking: str | None
    verify: Verify
    max_chance: float | None
    fold: float | None


def check_min_score(score: float) -> None:
    """Raises RequestError for what no score can be, as nan."""
    if not -1 <= score <= 1:
        raise RequestError(f"min_score is a score from -1 to 1, got {score:g}")


def check_ranking(name: str) -> None:
    """Raises RequestError for a name that is none."""
    if name not in RANKINGS:
        raise RequestError(f"no ranking {name!r}; there are: {', '.join(RANKINGS)}")


USUAL = SearchOptions()
