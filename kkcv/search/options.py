"""How a search shall answer: one value, made at the edge and handed down whole."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

import numpy as np

from kkcv.errors import RequestError

from .ranking.names import RANKINGS

Verify = bool | Literal["ties"]


def is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def above_0_to_1(value: Any) -> bool:
    return is_number(value) and 0 < value <= 1


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
        if self.max_chance is not None and not above_0_to_1(self.max_chance):
            raise RequestError(
                "max_chance is a rate above 0 and up to 1, such as 0.0001, "
                f"not {self.max_chance!r:.60}"
            )
        if self.fold is not None and not above_0_to_1(self.fold):
            raise RequestError(
                f"fold is a score above 0 and up to 1, such as 0.95, got {self.fold!r:.60}"
            )

    def but(self, **words: object) -> "SearchOptions":
        """The same with some values replaced."""
        if unknown := words.keys() - OptionWords.__annotations__.keys():
            there_are = ", ".join(OptionWords.__annotations__)
            raise RequestError(f"no option {min(unknown)!r}; there are: {there_are}")
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
    if not is_number(score) or not -1 <= score <= 1:
        raise RequestError(f"min_score is a score from -1 to 1, got {score!r:.60}")


def chosen(options: SearchOptions, **words: object) -> SearchOptions:
    """The options with some replaced by words, as a search takes both (RequestError)."""
    if not isinstance(options, SearchOptions):
        raise RequestError(f"options are SearchOptions(…), or words: where=…, got {options!r:.60}")
    return options.but(**words)


def check_ranking(name: str) -> None:
    """Raises RequestError for a name that is none."""
    if not isinstance(name, str) or name not in RANKINGS:
        raise RequestError(f"no ranking {name!r}; there are: {', '.join(RANKINGS)}")


USUAL = SearchOptions()
