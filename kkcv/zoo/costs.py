"""The cost of a network, measured from itself: parameters and multiply-adds, by stage.

One multiply-add (MAC) is one multiplication with its addition. Only convolutions and linear layers
are counted, as papers do: no biases, norms, activations or pools, and not the two products of
queries, keys and values inside an attention.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from .network import Network
from .recorded import Shape, StageCost
from .registry import create_on_meta, spec
from .shapes import WithoutValues


@dataclass(frozen=True)
class Cost:
    """A whole network for one picture of ``input_size`` (C, H, W).

    ``maps`` are the shapes of all feature maps in it, (C, H, W), in the order of their making.
    """

    network: str
    input_size: tuple[int, int, int]
    parameters: int
    macs: int
    stages: tuple[StageCost, ...]
    maps: tuple[Shape, ...]


class Call(NamedTuple):
    """One call of a module: its output for one picture, and its own multiply-adds."""

    module: nn.Module
    shape: Shape
    macs: int


@cache
def cost(name: str, height: int | None = None, width: int | None = None) -> Cost:
    """The cost of a network of the zoo, at its published input size or at another.

    Raises UnknownNetwork, InputShapeError.
    """
    known = spec(name)
    channels, h, w = known.input_size
    return measure(create_on_meta(known.name), (channels, height or h, width or height or w))


def measure(network: Network, input_size: tuple[int, int, int]) -> Cost:
    """The cost of a built network, found by sending one picture through it in eval mode.

    On ``torch.device("meta")`` no number is computed, which is quick.
    """
    assert network.spec is not None
    calls = trace(network, input_size)
    if network.classifies_map:  # then the scores do not pass the neck
        last = next(call.shape for call in reversed(calls) if call.module is network.stages)
        calls += trace(network.neck, last)
    return Cost(
        network.spec.name,
        input_size,
        sum(p.numel() for p in network.parameters()),
        sum(call.macs for call in calls),
        tuple(measure_row(*row, calls) for row in table(network)),
        tuple(call.shape for call in calls if len(call.shape) == 3),  # maps alone
    )


def measure_row(part: str, name: str, row: nn.Module, calls: list[Call]) -> StageCost:
    inside = set(row.modules())
    return StageCost(
        part,
        name,
        next(call.shape for call in reversed(calls) if call.module is row),
        blocks(row),
        sum(p.numel() for p in row.parameters()),
        sum(call.macs for call in calls if call.module in inside),
    )


def table(network: Network) -> Iterator[tuple[str, str, nn.Module]]:
    """The rows of a network's table: its stages, and the layers of its neck and its head.

    A neck or head of one layer is a row by that layer's name, together with its norm.
    """
    for name, stage in network.stages.named_children():
        yield "stages", name, stage
    for part, module in (("neck", network.neck), ("head", network.head)):
        layers = [(n, m) for n, m in module.named_children() if isinstance(m, nn.Linear)]
        if len(layers) > 1:
            yield from ((part, name, layer) for name, layer in layers)
        else:
            yield part, layers[0][0] if layers else part, module


def blocks(row: nn.Module) -> int:
    """How many units with weights stand in a row: the repeats of the paper's table."""
    if isinstance(row, nn.Sequential):
        return sum(has_weights(child) for child in row)
    return int(has_weights(row))


def has_weights(module: nn.Module) -> bool:
    return any(isinstance(m, nn.Conv2d | nn.Linear) for m in module.modules())


def trace(network: nn.Module, input_size: Shape) -> list[Call]:
    """Every module's call, in the order in which they end."""
    calls: list[Call] = []

    def note(module: nn.Module, _: Any, out: Any) -> None:
        if isinstance(out, Tensor):
            calls.append(Call(module, tuple(out.shape[1:]), own_macs(module, out)))

    hooks: list[RemovableHandle] = [m.register_forward_hook(note) for m in network.modules()]
    was_training = network.training
    first = next(network.parameters(), torch.empty(0, device="meta"))
    try:
        with torch.no_grad(), WithoutValues():
            network.eval()(torch.empty(1, *input_size, device=first.device, dtype=first.dtype))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return calls


def own_macs(module: nn.Module, out: Tensor) -> int:
    """Multiply-adds of one convolution or linear layer for one picture; 0 for anything else."""
    if isinstance(module, nn.Conv2d):
        return out[0].numel() * module.weight[0].numel()
    if isinstance(module, nn.Linear):
        return out[0].numel() * module.in_features
    return 0
