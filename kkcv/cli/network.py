"""The options that choose a network, as one value that loads the embedder."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kkcv import environment
from kkcv.errors import RequestError

from .options import Command, OneOf
from .output import echo

if TYPE_CHECKING:
    from kkcv.embedding.embedder import Embedder


@dataclass(frozen=True)
class Network:
    """A network as the flags of a command describe it; None is the default."""

    model: str | None = None
    weights: str | None = None
    backend: str | None = None
    device: str | None = None
    runtime: str | None = None
    precision: str | None = None

    @property
    def given(self) -> dict[str, str]:
        """The options that were given."""
        return {name: value for name, value in vars(self).items() if value}

    @property
    def int8(self) -> bool:
        return (self.precision or environment.precision()) == "int8"

    def several(self) -> list["Network"]:
        """One network for each name in ``model``, which has commas between (RequestError)."""
        if self.model is None or "," not in self.model or os.path.exists(self.model):
            return [self]
        names = [name.strip() for name in self.model.split(",")]
        if not all(names) or len(set(names)) < len(names):
            raise RequestError(f"--model names networks, each once, as a,b,c; got {self.model!r}")
        return [replace(self, model=name) for name in names]

    def check(self) -> None:
        """Raises what ``load`` raises for an unknown name or missing weights."""
        from kkcv.checkpoint import DEFAULT_NETWORK, resolve
        from kkcv.embedding.terms import say

        model = DEFAULT_NETWORK if self.model is None else self.model
        say(model)  # before a download
        resolve(model, self.weights or "imagenet")

    def load(self, pictures: Iterable[str | Path] | None = None) -> "Embedder":
        """The embedder; with int8 it is calibrated with the pictures."""
        from kkcv.checkpoint import DEFAULT_NETWORK
        from kkcv.embedding.embedder import BACKEND, Embedder

        model = DEFAULT_NETWORK if self.model is None else self.model
        weights, backend = self.weights or "imagenet", self.backend or BACKEND
        if pictures is not None and self.int8:
            return Embedder.calibrated(pictures, model, weights, backend=backend)
        return Embedder(
            model,
            weights,
            backend=backend,
            device=self.device,
            runtime=self.runtime,
            precision=self.precision,
        )


def warn_of_random(embedder: "Embedder", way_out: str) -> None:
    """Warn about a network with random weights, which is useful only in tests."""
    if embedder.space.weights == "random":
        echo(
            "kkcv: with --weights none the network is random, and so is what it finds alike; "
            f"{way_out}",
            err=True,
        )


def runtimes() -> Sequence[str]:
    from kkcv.embedding.runtimes import RUNTIMES

    return ("auto", *RUNTIMES)


def precisions() -> Sequence[str]:
    from kkcv.embedding.runtimes import PRECISIONS

    return ("auto", *PRECISIONS)


def backends() -> Sequence[str]:
    from kkcv.images.backends import BACKENDS

    return tuple(BACKENDS)


ema_option = click.option(
    "--ema/--no-ema",
    default=None,
    help="Of a --weights file with an average of the weights, take the average, or the raw ones."
    "  [default: the average, where there is one]",
)


def weights_meant(weights: str | None, ema: bool | None) -> str | None:
    """The value of --weights with --ema or --no-ema behind it (RequestError for no file)."""
    from kkcv.zoo.loading.averages import with_ending

    if ema is None:
        return weights
    if weights is None or weights == "none" or weights.partition(":")[0] == "imagenet":
        raise RequestError("--ema and --no-ema are about a weights file: give it as --weights PATH")
    return with_ending(weights, ema)


FLAGS: tuple[Callable[[Command], Command], ...] = (
    click.option(
        "--model",
        metavar="NAME|RUN",
        help="An embedder of today by one word (kkcv models), a network of the zoo (kkcv zoo list),"
        " of another library (timm:resnet50d, torchvision:, open_clip:, transformers:), or the"
        " folder of a training run; dinov3-small@448 takes pictures of 448 pixels; with"
        " +mirrored, +scales, +gem or +stages behind it, a richer embedding; with +parts,"
        " also vectors of parts.  [default: efficientnet_lite0]",
    ),
    click.option(
        "--weights",
        metavar="imagenet|none|PATH",
        help="The network's own public weights, none (random), a .pth or .safetensors file, or for"
        " kkcv models a folder with one.  [default: imagenet]",
    ),
    ema_option,
    click.option(
        "--backend",
        type=OneOf(backends),
        help="Library that resizes the pictures.  [default: opencv]",
    ),
    click.option(
        "--device", help="Device of the network: cpu, cuda, mps.  [default: a GPU if any]"
    ),
    click.option(
        "--runtime",
        type=OneOf(runtimes),
        help="Runtime of the network (kkcv runtimes).  [default: the fastest here]",
    ),
    click.option(
        "--precision",
        type=OneOf(precisions),
        help="Number type of the network; int8 is calibrated with the pictures, and its"
        " vectors cannot be mixed with others.  [default: the faster of the other two]",
    ),
)


def network_options(command: Command) -> Command:
    """Gives a command the flags of a network, as one Network named ``network``."""

    @wraps(command)
    def call(*arguments: Any, **others: Any) -> Any:
        given = {field.name: others.pop(field.name) for field in fields(Network)}
        given["weights"] = weights_meant(given["weights"], others.pop("ema"))
        network = Network(**given)
        return command(*arguments, network=network, **others)

    with_options: Command = call
    for flag in reversed(FLAGS):  # each goes before those that are there
        with_options = flag(with_options)
    return with_options
