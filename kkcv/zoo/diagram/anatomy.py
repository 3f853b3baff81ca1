"""All that the diagram of a network shows, read from the network."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

from kkcv.zoo.costs import Cost, cost
from kkcv.zoo.network import Network, Spec
from kkcv.zoo.registry import create
from kkcv.zoo.shapes import WithoutValues, shapes_only

from .dense import dense_stage
from .forms import Form, forms, stem
from .graph import Node, Shape, form, graph
from .sparse import reads_of
from .stages import Column, columns
from .theme import KINDS


@dataclass(frozen=True)
class Anatomy:
    """All that a diagram shows, without words and places.

    ``stem``, ``whole`` and ``heads`` are graphs, the first and the last with the names of their
    stages; ``dense`` and ``sparse`` are a stage with its channels, or with who reads what.
    """

    spec: Spec
    cost: Cost
    columns: list[Column]
    colors: dict[str, str]  # of the kinds of blocks
    stem: tuple[str, list[Node]] | None
    forms: list[Form]
    dense: tuple[str, list[int]] | None
    whole: list[Node] | None  # where no block is repeated
    sparse: list[tuple[str, list[list[bool]]]]
    heads: list[tuple[str, list[Node]]]


@cache
def anatomy(name: str) -> Anatomy:
    """The anatomy of a network of the zoo (UnknownNetwork)."""
    network = with_auxiliary_heads(name)
    spec = network.spec
    assert spec is not None
    reads, makes = shapes_in(network)
    shown = forms(network, reads)
    kinds = dict.fromkeys(found.kind for found in shown if found.kind)
    colors = {kind: f"kind{i % len(KINDS)}" for i, kind in enumerate(kinds)}
    measured = cost(spec.name)
    heads = auxiliary_heads(network)
    return Anatomy(
        spec,
        measured,
        columns(network, measured, reads, colors, [stage for stage, _ in heads]),
        colors,
        stem_of(network),
        shown,
        dense_stage(network, reads),
        None if shown else graph(in_a_row(network), spec.input_size),
        [(n, table) for n, s in network.stages.named_children() if (table := reads_of(s))],
        alike([(stage, graph(head, makes[stage])) for stage, head in heads]),
    )


def with_auxiliary_heads(name: str) -> Network:
    """The network without memory, with the heads that it can have for training."""
    with shapes_only():
        network = create(name)
        assert network.spec is not None
        return create(name, auxiliary=True) if network.spec.auxiliary else network


def auxiliary_heads(network: Network) -> list[tuple[str, nn.Module]]:
    """The classifiers for training, by the stage that they read."""
    heads = getattr(network, "auxiliary", None)
    return list(heads.named_children()) if isinstance(heads, nn.ModuleDict) else []


def shapes_in(network: Network) -> tuple[dict[nn.Module, Shape], dict[str, Shape]]:
    """For a picture of the published size: what each module reads, and what each stage makes."""
    assert network.spec is not None
    reads: dict[nn.Module, Shape] = {}

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        reads[module] = tuple(inputs[0].shape[1:])

    hooks = [module.register_forward_pre_hook(note) for module in network.stages.modules()]
    makes, x = {}, torch.empty(1, *network.spec.input_size, device="meta")
    with torch.no_grad(), WithoutValues():
        for name, stage in network.stages.named_children():
            x = stage(x)
            makes[name] = tuple(x.shape[1:])
    for hook in hooks:
        hook.remove()
    return reads, makes


def stem_of(network: Network) -> tuple[str, list[Node]] | None:
    """The first and the last stage of a stem with branches, and the graph of all of it."""
    assert network.spec is not None
    front = stem(network)
    if not front:
        return None
    row = nn.Sequential(*(stage for _, stage in front))
    return f"{front[0][0]} – {front[-1][0]}", graph(row, network.spec.input_size)


def in_a_row(network: Network) -> nn.Sequential:
    """The whole network as one row of modules."""
    whole = nn.Sequential()
    for part, module in (("stages", network.stages), ("neck", network.neck), ("fc", network.head)):
        whole.add_module(part, module)
    return whole


def alike(heads: list[tuple[str, list[Node]]]) -> list[tuple[str, list[Node]]]:
    """Heads of the same form as one: the names of their stages, and the graph of the first."""
    found: dict[tuple[object, ...], tuple[list[str], list[Node]]] = {}
    for stage, nodes in heads:
        found.setdefault(form(nodes), ([], nodes))[0].append(stage)
    return [(", ".join(stages), nodes) for stages, nodes in found.values()]
