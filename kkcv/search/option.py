"""One option of a search: what it may be, and how it is described wherever it can be given.

Its kind, one of the classes here, decides how it is checked, which field it is over HTTP, which
flag on the command line, and which widget in the web app.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, get_args

from kkcv.errors import RequestError


@dataclass(frozen=True)
class Text:
    """Text. Empty text is the same as none."""

    metavar: str
    longest: int = 2000  # characters
    example: str = ""
    usual: str | None = None

    def check(self, name: str, value: Any) -> None:
        if not isinstance(value, str) or len(value) > self.longest:
            raise RequestError(
                f"{name} is text of at most {self.longest} characters, got {value!r:.60}"
            )


@dataclass(frozen=True)
class Number:
    """A number from ``low`` to ``high``, of which ``low`` itself is left out if it is ``above``.

    ``usual`` is the value where the option is only switched on, ``choices`` those that are offered
    where there is no room for a number to be typed.
    """

    metavar: str
    low: float
    high: float
    above: bool = False
    usual: float | None = None
    choices: Sequence[float] = ()

    def check(self, name: str, value: Any) -> None:
        number = isinstance(value, Real) and not isinstance(value, bool)
        good = number and self.low <= value <= self.high and not (self.above and value == self.low)
        if not good:  # nan is not either
            limits = f"from {self.low:g} to {self.high:g}"
            if self.above:
                limits = f"above {self.low:g} and up to {self.high:g}"
            if (example := (self.usual, *self.choices)[-1]) is not None:
                limits = f"{limits}, such as {example:g}"
            raise RequestError(f"{name} is a {self.metavar.lower()} {limits}, got {value!r:.60}")


@dataclass(frozen=True)
class OneOf:
    """One of some names, which ``names`` returns: looking them up may import a lot."""

    metavar: str
    names: Callable[[], Sequence[str]]
    usual: str | None = None

    def check(self, name: str, value: Any) -> None:
        if not isinstance(value, str) or value not in self.names():
            raise RequestError(f"no {name} {value!r}; there are: {', '.join(self.names())}")


@dataclass(frozen=True)
class Switch:
    """On or off, or one of a few ``words`` that mean on in their own way, with their help."""

    words: Mapping[str, str] = dataclasses.field(default_factory=dict)
    usual: None = None

    def check(self, name: str, value: Any) -> None:
        if not isinstance(value, bool) and not (isinstance(value, str) and value in self.words):
            *others, last = ["true", "false", *map(repr, self.words)]
            raise RequestError(f"{name} is {', '.join(others)} or {last}, not {value!r}")


Kind = Text | Number | OneOf | Switch


@dataclass(frozen=True)
class Option:
    """An option as its field in SearchOptions declares it."""

    name: str
    type: Any
    default: Any
    kind: Kind
    help: str

    @property
    def whole(self) -> bool:
        """Whether it is a whole number."""
        return int in (self.type, *get_args(self.type))

    def check(self, value: Any) -> None:
        """Raises RequestError, with the name of the option as its ``field``."""
        if value is None and self.default is None:
            return
        try:
            self.kind.check(self.name, value)
            if self.whole and not isinstance(value, Integral):
                raise RequestError(f"{self.name} is a whole number, got {value!r:.60}")
        except RequestError as error:
            error.field = self.name
            raise


def option(default: Any, kind: Kind, help: str) -> Any:
    """A field of SearchOptions. ``help`` is a sentence for people, in every interface."""
    return dataclasses.field(default=default, metadata={"kind": kind, "help": help})


def options_of(cls: type[Any]) -> dict[str, Option]:
    """The options that a dataclass declares, by their names."""
    return {
        field.name: Option(field.name, field.type, field.default, **field.metadata)
        for field in dataclasses.fields(cls)
    }
