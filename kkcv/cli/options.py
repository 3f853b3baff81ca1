"""Options that several commands share."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import click

from kkcv.search.option import Number, Option, Switch
from kkcv.search.options import OPTIONS, SearchOptions

Command = Callable[..., Any]


class OneOf(click.Choice[str]):
    """A choice among the names of a table that is imported only when it is needed."""

    def __init__(self, names: Callable[[], Sequence[str]]) -> None:
        # without super().__init__, which would ask for the names at once
        self.names = names
        self.case_sensitive = True

    @property
    def choices(self) -> Sequence[str]:  # type: ignore[override]
        return self.names()


class Within(click.FloatRange):
    """A number in a range; unlike in Click's FloatRange, nan is refused."""

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        number: float = super().convert(value, param, ctx)
        if number != number:
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return number


def kinds() -> Sequence[str]:
    from kkcv.search.index.kinds import KINDS

    return tuple(KINDS)


def open_gallery(command: Command) -> Command:
    """Gives a command the argument GALLERY, opened, as ``gallery``."""

    @wraps(command)
    def call(*arguments: Any, gallery: str, **others: Any) -> Any:
        from kkcv.search.gallery import Gallery

        with Gallery(gallery) as opened:
            return command(*arguments, gallery=opened, **others)

    return click.argument("gallery")(call)


threads_option = click.option(
    "--threads", type=click.IntRange(1), help="Decoding threads.  [default: one a core]"
)
json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    allow_from_autoenv=False,
    help="Print one JSON object, for programs.",
)


def search_options(command: Command) -> Command:
    """The options of a search: the command gets one SearchOptions as ``options``."""

    @wraps(command)
    def call(*arguments: Any, **others: Any) -> Any:
        given = {name: chosen(each, others) for name, each in OPTIONS.items()}
        return command(*arguments, options=SearchOptions(**given), **others)

    with_options: Command = call
    for each in reversed(OPTIONS.values()):  # each goes before those that are there
        for flag in reversed(flags_of(each)):
            with_options = flag(with_options)
    return with_options


def chosen(option: Option, flags: dict[str, Any]) -> Any:
    """The value of a search option, taken out of the values of its flags."""
    value = flags.pop(option.name)
    if isinstance(option.kind, Switch):
        words = [word for word in option.kind.words if flags.pop(f"{option.name}_{word}")]
        return value or (words[0] if words else False)
    return value


def flags_of(option: Option) -> list[Callable[[Command], Command]]:
    """The flag of a search option; a switch has another for each of its words."""
    name, kind = f"--{option.name.replace('_', '-')}", option.kind
    if isinstance(kind, Switch):
        words = [(f"{name}-{word}", help) for word, help in kind.words.items()]
        return [
            click.option(flag, is_flag=True, help=help)
            for flag, help in ((name, option.help), *words)
        ]
    details: dict[str, Any] = {"metavar": kind.metavar, "default": option.default}
    if isinstance(kind, Number):
        details["type"] = Within(kind.low, kind.high, min_open=kind.above)
        if option.whole:
            details["type"] = click.IntRange(int(kind.low), int(kind.high), min_open=kind.above)
    help = option.help
    if kind.usual is not None:
        details |= {"is_flag": False, "flag_value": kind.usual}
        help += f"  [{kind.usual} when no {kind.metavar} is given]"
    return [click.option(name, help=help, **details)]
