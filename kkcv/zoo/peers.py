"""The same networks in other libraries, and how to build them there."""

import ast
import importlib.util
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from torch import nn

from kkcv.errors import MissingExtra

from .shapes import shapes_only


@dataclass(frozen=True)
class Peer:
    """A network of ours in another library.

    ``call`` is ``library:builder(arguments)``; ``ours`` are the arguments of ``zoo.create`` that
    make ours the same. ``differs`` says why it is not a peer after all, ``trains_differently`` why
    it is one in eval mode only; both are empty for a true peer.
    """

    network: str
    call: str
    ours: Mapping[str, Any]
    differs: str
    trains_differently: str

    @property
    def library(self) -> str:
        return self.call.partition(":")[0]

    def build(self) -> nn.Module:
        """The peer's network without memory, on the meta device.

        Raises MissingExtra when its library is not installed.
        """
        if importlib.util.find_spec(self.library) is None:
            raise MissingExtra(self.library, "dev")
        builder, arguments = parse(self.call)
        with shapes_only():
            return BUILDERS[self.library](builder, arguments)


@cache
def peers() -> tuple[Peer, ...]:
    """Every peer of every network."""
    with Path(__file__).with_name("peers.toml").open("rb") as file:
        table = tomllib.load(file)

    def about(section: str, call: str, default: Any) -> Any:
        found = (value for key, value in table[section].items() if fnmatchcase(call, key))
        return next(found, default)

    return tuple(
        Peer(
            network,
            call,
            about("ours", call, {}),
            about("differs", call, ""),
            about("trains_differently", call, ""),
        )
        for network, calls in table["peers"].items()
        for call in calls
    )


def peers_of(network: str) -> tuple[Peer, ...]:
    return tuple(peer for peer in peers() if peer.network == network)


def parse(call: str) -> tuple[str, dict[str, Any]]:
    """``library:builder(a=1)`` → (builder, {"a": 1})."""
    text = call.partition(":")[2]
    node = ast.parse(text if text.endswith(")") else f"{text}()", mode="eval").body
    assert isinstance(node, ast.Call)
    return ast.unparse(node.func), {k.arg or "": ast.literal_eval(k.value) for k in node.keywords}


def build_torchvision(builder: str, arguments: dict[str, Any]) -> nn.Module:
    from torchvision import models

    if builder == "DenseNet":  # the depth of 264 is not among its named networks
        return models.DenseNet(**arguments)
    if builder.startswith(("googlenet", "inception")):
        arguments = {"init_weights": False, **arguments}  # its way to draw them takes a minute
    return models.get_model(builder, weights=None, **arguments)


def build_timm(builder: str, arguments: dict[str, Any]) -> nn.Module:
    from timm import create_model

    return create_model(builder, **arguments)


def build_pytorchcv(builder: str, arguments: dict[str, Any]) -> nn.Module:
    from pytorchcv.model_provider import get_model
    from pytorchcv.models.shufflenet import get_shufflenet

    if builder == "get_shufflenet":  # scales of 1.5 and 2 are not among its named networks
        return get_shufflenet(**arguments)
    return get_model(builder, **arguments)


BUILDERS = {"torchvision": build_torchvision, "timm": build_timm, "pytorchcv": build_pytorchcv}
