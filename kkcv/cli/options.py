"""Options that several commands share."""

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]


class OneOf(click.Choice[str]):
    """A choice among the names of a table, which is imported when they are needed."""

    def __init__(self, names: Callable[[], Sequence[str]]) -> None:
        self.names = names
        self.case_sensitive = True

    @property
    def choices(self) -> Sequence[str]:  # type: ignore[override]
        return self.names()


class Within(click.FloatRange):
    """A number between two others, which ``nan`` is not, though no comparison says so."""

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
            help="What the network computes in; int8 is calibrated with the pictures, and its"
            " vectors are not to be mixed with others.  [default: the fastest of the other two]",
        ),
        click.option(
            "--runtime",
            type=OneOf(runtimes),
            callback=remember,
            expose_value=False,
            help="What runs the network (kkcv runtimes).  [default: the fastest here]",
        ),
        click.option(
            "--device", help="Where the network runs: cpu, cuda, mps.  [default: a GPU if any]"
        ),
        click.option(
            "--backend",
            type=OneOf(backends),
            help="What resizes the pictures.  [default: opencv]",
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
    "--json", "as_json", is_flag=True, help="Print one JSON object, for programs."
)


RANKING_HELP = (
    "The order: plain, expanded, augmented, reciprocal, smoothed or best (docs/quality.md); "
    "the scores stay what they are."
)


def search_options(command: Command) -> Command:
    """How a search shall answer: the command gets one SearchOptions as ``options``."""

    @wraps(command)
    def with_options(
        *arguments: Any,
        where: str | None,
        min_score: float,
        ranking: str | None,
        verify: bool,
        verify_ties: bool,
        max_chance: float | None,
        fold: float | None,
        **others: Any,
    ) -> Any:
        from kkcv.search.options import SearchOptions, Verify

        verifying: Verify = True if verify else "ties" if verify_ties else False
        options = SearchOptions(where, min_score, ranking, verifying, max_chance, fold)
        return command(*arguments, options=options, **others)

    for option in (
        click.option(
            "--fold",
            type=float,
            is_flag=False,
            flag_value=0.95,
            metavar="SCORE",
            help="Near-duplicates, which score that much with each other, are one hit."
            "  [0.95 when no SCORE is given]",
        ),
        click.option(
            "--max-chance",
            type=float,
            metavar="RATE",
            help="Leave out what unrelated pictures reach more often, such as 1e-4.",
        ),
        click.option("--verify-ties", is_flag=True, help="--verify where scores do not decide."),
        click.option(
            "--verify",
            is_flag=True,
            help="Look for what PICTURE shows in the first hits, point by point.",
        ),
        click.option("--ranking", metavar="NAME", help=f"{RANKING_HELP}  [default: the gallery's]"),
        click.option(
            "--min-score",
            type=Within(-1, 1),
            default=-1,
            help="Leave out what scores less.",
        ),
        click.option(
            "--where", metavar="EXPR", help='A filter, such as: label == "cat" and year >= 2020'
        ),
    ):
        with_options = option(with_options)
    return with_options


def load_embedder(
    model: str | None,
    weights: str | None,
    backend: str | None,
    device: str | None,
    pictures: Iterable[str | Path] | None = None,
) -> Any:
    """The embedder that the network options ask for; int8 is calibrated with the pictures."""
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
    """Nobody means to search with a network that has learned nothing, but for a test."""
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
