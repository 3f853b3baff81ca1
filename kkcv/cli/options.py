"""Options that several commands share."""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

from kkcv.search.option import Number, Option, Switch
from kkcv.search.options import OPTIONS, SearchOptions

Command = Callable[..., Any]


class OneOf(click.Choice[str]):
    """A choice among the names of a table that is imported only when it is needed."""

    def __init__(self, names: Callable[[], Sequence[str]]) -> None:
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


def runtimes() -> Sequence[str]:
    from kkcv.embedding.runtimes import RUNTIMES

    return ("auto", *RUNTIMES)


def precisions() -> Sequence[str]:
    from kkcv.embedding.runtimes import PRECISIONS

    return ("auto", *PRECISIONS)


def backends() -> Sequence[str]:
    from kkcv.images.backends import BACKENDS

    return tuple(BACKENDS)


def kinds() -> Sequence[str]:
    from kkcv.search.index.kinds import KINDS

    return tuple(KINDS)


def network_options(command: Command) -> Command:
    """``--model``, ``--weights``, ``--backend``, ``--device``, ``--runtime`` and ``--precision``.

    The last two go to ``load_embedder`` through the context.
    """
    for option in (
        click.option(
            "--precision",
            type=OneOf(precisions),
            callback=remember,
            expose_value=False,
            help="Number type of the network; int8 is calibrated with the pictures, and its"
            " vectors cannot be mixed with others.  [default: the faster of the other two]",
        ),
        click.option(
            "--runtime",
            type=OneOf(runtimes),
            callback=remember,
            expose_value=False,
            help="Runtime of the network (kkcv runtimes).  [default: the fastest here]",
        ),
        click.option(
            "--device", help="Device of the network: cpu, cuda, mps.  [default: a GPU if any]"
        ),
        click.option(
            "--backend",
            type=OneOf(backends),
            help="Library that resizes the pictures.  [default: opencv]",
        ),
        click.option(
            "--weights",
            metavar="imagenet|none|PATH",
            help="Public weights, none (random), or a .pth or .safetensors file."
            "  [default: imagenet]",
        ),
        click.option(
            "--model",
            metavar="NAME|RUN",
            help="A network of the zoo (kkcv zoo list), of another library (timm:resnet50d,"
            " torchvision:, open_clip:, transformers:), or the folder of a training run; with"
            " +mirrored, +scales, +gem or +stages behind it, a richer embedding."
            "  [default: efficientnet_lite0]",
        ),
    ):
        command = option(command)
    return command


def remember(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Keep an option for ``load_embedder``."""
    context.meta[f"kkcv.{parameter.name}"] = value
    return value


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
    for each in reversed(OPTIONS.values()):
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


def load_embedder(
    model: str | None,
    weights: str | None,
    backend: str | None,
    device: str | None,
    pictures: Iterable[str | Path] | None = None,
) -> Any:
    """The embedder of the network options; int8 is calibrated with the pictures."""
    from kkcv.checkpoint import DEFAULT_NETWORK
    from kkcv.embedding.embedder import BACKEND, Embedder

    named = DEFAULT_NETWORK if model is None else model
    if pictures is not None and wants_int8():
        return Embedder.calibrated(
            pictures, named, weights or "imagenet", backend=backend or BACKEND
        )
    return Embedder.load(
        named,
        weights or "imagenet",
        backend=backend or BACKEND,
        device=device,
        **asked_of_runtimes(),
    )


def warn_of_random(embedder: Any, way_out: str) -> None:
    """Warn about a network with random weights, which is useful only in tests."""
    if embedder.space.weights == "random":
        click.echo(
            "kkcv: with --weights none the network is random, and so is what it finds alike; "
            f"{way_out}",
            err=True,
        )


def wants_int8() -> bool:
    from kkcv import environment

    return (asked_of_runtimes()["precision"] or environment.precision()) == "int8"


def asked_of_runtimes() -> dict[str, Any]:
    """``--runtime`` and ``--precision`` of the command that is running."""
    context = click.get_current_context(silent=True)
    meta = context.meta if context else {}
    return {name: meta.get(f"kkcv.{name}") for name in ("runtime", "precision")}
