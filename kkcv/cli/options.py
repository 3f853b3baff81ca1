"""Options that several commands share."""

from collections.abc import Callable
from typing import Any

import click

Command = Callable[..., Any]


def network_options(command: Command) -> Command:
    """``--model``, ``--weights``, ``--backend``, ``--device``, ``--runtime`` and ``--precision``.

    The last two go to ``load_embedder`` through the context: they change no vector that matters.
    """
    for option in (
        click.option(
            "--precision",
            type=click.Choice(["auto", "float32", "bfloat16"]),
            callback=remember,
            expose_value=False,
            help="What the network computes in.  [default: the fastest here]",
        ),
        click.option(
            "--runtime",
            type=click.Choice(["auto", "openvino", "onnxruntime", "pytorch"]),
            callback=remember,
            expose_value=False,
            help="What runs the network (kkcv runtimes).  [default: the fastest here]",
        ),
        click.option(
            "--device", help="Where the network runs: cpu, cuda, mps.  [default: a GPU if any]"
        ),
        click.option(
            "--backend",
            type=click.Choice(["pillow", "opencv", "torchvision"]),
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
            help="A network of the zoo (kkcv zoo list), or the folder of a training run."
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


def load_embedder(
    model: str | None, weights: str | None, backend: str | None, device: str | None
) -> Any:
    """The embedder that the network options ask for."""
    from kkcv.checkpoint import DEFAULT_NETWORK
    from kkcv.embedding.embedder import BACKEND, Embedder

    return Embedder.load(
        model or DEFAULT_NETWORK,
        weights or "imagenet",
        backend=backend or BACKEND,
        device=device,
        **asked_of_runtimes(),
    )


def asked_of_runtimes() -> dict[str, str | None]:
    """``--runtime`` and ``--precision`` of the command that is running."""
    context = click.get_current_context(silent=True)
    meta = context.meta if context else {}
    return {name: meta.get(f"kkcv.{name}") for name in ("runtime", "precision")}
