"""The options of a search: the only place where one has its name, type, default, limits and help.

Fields of HTTP requests, flags, widgets and Python's keyword arguments are made from this class.
docs/howto/add-search-option.md adds one.
"""

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypedDict, TypeVar

from kkcv.errors import RequestError
from kkcv.hit import HIGHEST, LOWEST
from kkcv.where import Where, as_text

from .filters.conditions import Condition
from .filters.expression import LONGEST, parse
from .option import Number, OneOf, Option, Switch, Text, option, options_of

SORTS = ("added", "taken")
Verify = bool | Literal["ties"]
Function = TypeVar("Function", bound=Callable[..., Any])


def rankings() -> Sequence[str]:
    from .ranking.names import RANKINGS  # with NumPy, which is not for --help

    return tuple(RANKINGS)


@dataclass(frozen=True)
class SearchOptions:
    """Options of a search: which pictures it may find, their order, and which hits it leaves out.

    Raises RequestError for a value that is out of its limits; its ``field`` is the option.
    """

    where: str | None = option(
        None,
        Text("EXPR", LONGEST, example='label == "cat"'),
        'Search only pictures that match a filter, such as: label == "cat" and year >= 2020. '
        "Names are keys of the metadata, also exif.taken or near(52.52, 13.40, 5), or id, path, "
        "bytes, added.",
    )
    min_score: float = option(
        LOWEST, Number("SCORE", LOWEST, HIGHEST), "Leave out hits that score less."
    )
    ranking: str | None = option(
        None,
        OneOf("NAME", rankings, usual="best"),
        "Order of the hits, by default the gallery's own: plain, expanded, augmented, reciprocal, "
        "smoothed or best. Scores stay the same.",
    )
    verify: Verify = option(
        False,
        Switch({"ties": "Verify only where the scores do not decide."}),
        "Compare the query with the first hits point by point, and put those first that show the "
        "same object.",
    )
    copies: bool = option(
        False,
        Switch(),
        "Find the picture that the query was taken from, or that was put into it: cropped, turned, "
        "mirrored, pasted, on a page. Small crops, such as a quarter, are found in a gallery with "
        "parts (--model NETWORK+parts).",
    )
    max_chance: float | None = option(
        None,
        Number("RATE", 0, 1, above=True, choices=(0.01, 0.001, 0.0001)),
        "Leave out hits whose score unrelated pictures reach more often than this, such as 1e-4.",
    )
    fold: float | None = option(
        None,
        Number("SCORE", 0, 1, above=True, usual=0.95),
        "Show near-duplicates, which score this or more with each other, as one hit.",
    )

    sort: str | None = option(
        None,
        OneOf("DATE", lambda: SORTS),
        "Order the hits by date, newest first: added (to the gallery) or taken (the photograph). "
        "With a cut-off by score or chance, all hits inside of it are sorted, else the nearest k.",
    )

    def __post_init__(self) -> None:
        if self.where is not None:  # a mapping, too
            object.__setattr__(self, "where", as_text(self.where))
        for each in OPTIONS.values():
            each.check(getattr(self, each.name))
        _ = self.condition  # refuses a filter that cannot be read

    @cached_property
    def condition(self) -> Condition | None:
        """The filter, parsed; None lets every picture through."""
        return parse(self.where) if self.where else None

    def chosen(self) -> dict[str, Any]:
        """The options that are not at their defaults."""
        values = {name: getattr(self, name) for name in OPTIONS}
        return {name: value for name, value in values.items() if value != OPTIONS[name].default}

    def replace(self, **values: Any) -> "SearchOptions":
        """The same with other values for some options (RequestError)."""
        if unknown := values.keys() - OPTIONS.keys():
            raise RequestError(f"no option {min(unknown)!r}; there are: {', '.join(OPTIONS)}")
        return dataclasses.replace(self, **values)


OPTIONS: dict[str, Option] = options_of(SearchOptions)
DEFAULTS = SearchOptions()
SearchOptions.__doc__ = f"{SearchOptions.__doc__}\n    Args:\n" + "".join(
    f"        {name}: {each.help}\n" for name, each in OPTIONS.items()
)


class SearchWords(TypedDict, total=False):
    """The same options as keyword arguments, for type checkers and editors; a test compares."""

    where: Where | None
    min_score: float
    ranking: str | None
    verify: Verify
    copies: bool
    max_chance: float | None
    fold: float | None
    sort: str | None


def with_words(function: Function) -> Function:
    """Show the options among the parameters of a function that takes them as ``**words``."""
    signature = inspect.signature(function)
    named = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=each.default)
        for name, each in OPTIONS.items()
    ]
    shown = signature.replace(parameters=[*named, *options])
    function.__signature__ = shown  # type: ignore[attr-defined]
    return function


def merged(options: SearchOptions, words: Mapping[str, Any]) -> SearchOptions:
    """Options given as a value and as keyword arguments, which win (RequestError)."""
    if not isinstance(options, SearchOptions):
        raise RequestError(f"options are SearchOptions(…), or words: where=…, got {options!r:.60}")
    return options.replace(**words) if words else options
