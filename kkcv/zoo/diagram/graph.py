"""The graph of a block: what its ``forward`` does, traced, with what belongs together in one node.

A convolution takes in the norm and the activation that follow it; reshapes fall away.
"""

import math
import operator
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from kkcv.zoo.layers import channel_shuffle
from kkcv.zoo.shapes import WithoutValues

from .labels import FUNCTIONS, SILENT, TAGS, is_one_box, module_label

Shape = tuple[int, ...]


@dataclass
class Node:
    """One box: ``title``, and ``tags`` under it; ``inputs`` are places in the list of nodes.

    ``kind`` is input, conv, depthwise, pool, dense, se, tag (a norm or an activation), add, concat,
    shuffle or other.
    """

    kind: str
    title: str
    inputs: tuple[int, ...] = ()
    tags: list[str] = field(default_factory=list)
    shape: Shape = ()


class BlockTracer(fx.Tracer):
    def __init__(self) -> None:
        super().__init__(autowrap_functions=(channel_shuffle,))

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return is_one_box(m) or super().is_leaf_module(m, module_qualified_name)


class Shapes(fx.Interpreter):
    """Runs a graph, and keeps the shape of every tensor in it, for one picture."""

    def __init__(self, module: nn.Module, graph: fx.Graph) -> None:
        super().__init__(module, graph=graph)
        self.shapes: dict[fx.Node, Shape] = {}

    def run_node(self, n: fx.Node) -> Any:
        out = super().run_node(n)
        if isinstance(out, Tensor):
            self.shapes[n] = tuple(out.shape[1:])
        return out


def graph(block: nn.Module, shape: Shape) -> list[Node]:
    """The nodes of a block on the meta device, in the order of computation, the input first.

    ``shape`` is (C, H, W) of its input. A block that cannot be traced is its layers in a row.
    """
    try:
        traced = BlockTracer().trace(block)
    except (TypeError, ValueError, fx.proxy.TraceError):
        return layers_in_a_row(block, shape)
    shapes = Shapes(block, traced)
    with WithoutValues():
        shapes.run(torch.empty(1, *shape, device="meta"))
    nodes: list[Node] = []
    places: dict[fx.Node, int] = {}
    for node in traced.nodes:
        sources = [a for a in node.all_input_nodes if a in places]
        if node.op == "placeholder":
            nodes.append(Node("input", "input", shape=shape))
        elif node.op == "output" or not sources:
            continue
        else:
            here = describe(node, block, [places[s] for s in sources], shapes.shapes)
            if here is None or (here.kind == "tag" and joins(nodes[here.inputs[0]], sources[0])):
                places[node] = places[sources[0]]
                nodes[places[node]].tags += [here.title] if here else []
                continue
            nodes.append(here)
        places[node] = len(nodes) - 1
    return flat(nodes)


def flat(nodes: list[Node]) -> list[Node]:
    """A concat that only another concat reads is part of it, as the papers' figures have it."""
    readers = Counter(source for node in nodes for source in node.inputs)
    inner = {
        source
        for node in nodes
        for source in node.inputs
        if node.kind == nodes[source].kind == "concat" and readers[source] == 1
    }
    kept = [i for i in range(len(nodes)) if i not in inner]
    place = {old: new for new, old in enumerate(kept)}

    def sources(node: Node) -> tuple[int, ...]:
        found: tuple[int, ...] = ()
        for source in node.inputs:
            found += sources(nodes[source]) if source in inner else (place[source],)
        return found

    return [replace(nodes[i], inputs=sources(nodes[i])) for i in kept]


def joins(before: Node, source: fx.Node) -> bool:
    """Whether a norm or an activation can stand in the box before it."""
    return len(source.users) == 1 and before.kind not in ("input", "add", "concat", "shuffle")


def describe(
    node: fx.Node, block: nn.Module, inputs: list[int], shapes: dict[fx.Node, Shape]
) -> Node | None:
    """The box of one operation; None where there is nothing to show."""
    shape = shapes.get(node, ())
    if node.op == "call_module":
        module = block.get_submodule(str(node.target))
        before = shapes.get(node.all_input_nodes[0])
        if isinstance(module, nn.AdaptiveAvgPool2d) and shape == before:
            return None  # it is there for pictures of other sizes
        found = module_label(module, str(node.target), shape)
        return Node(found[0], found[1], (inputs[0],), found[2], shape) if found else None
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
    if node.target in (operator.add, operator.iadd, torch.add) and len(inputs) == 2:
        return Node("add", "+", tuple(inputs), shape=shape)
    if node.target in (operator.mul, torch.mul):
        if any(isinstance(a, fx.Node) and a.op == "get_attr" for a in node.args):  # a parameter
            return Node("tag", TAGS["LayerScale"], (inputs[0],), shape=shape)
        factor = next((a for a in node.args if isinstance(a, int | float)), None)
        return Node("other", "×" if factor is None else f"× {factor:g}", tuple(inputs), shape=shape)
    if node.target is operator.truediv and isinstance(node.args[1], fx.Node):
        root = node.args[1].target is math.sqrt
        return Node("tag", "÷ √d", (inputs[0],), shape=shape) if root else None
    if node.target in (F.relu, torch.relu) or name in TAGS:
        return Node("tag", TAGS[name], (inputs[0],), shape=shape)
    function = FUNCTIONS.get(node.target)
    return Node(*function, tuple(inputs), shape=shape) if function else None


def layers_in_a_row(block: nn.Module, shape: Shape) -> list[Node]:
    """A block without its forward: its layers, in the order in which they were made."""
    nodes = [Node("input", "input", shape=shape)]
    for path, module in block.named_modules():
        if module is block or not is_one_box(module) or type(module).__name__ in SILENT:
            continue
        found = module_label(module, path, ())
        if found and found[0] == "tag" and nodes[-1].kind != "input":
            nodes[-1].tags.append(found[1])
        elif found:
            nodes.append(Node(found[0], found[1], (len(nodes) - 1,), found[2]))
    return nodes


def form(nodes: Sequence[Node]) -> tuple[object, ...]:
    """The form of a block: equal for blocks that differ in the number of channels alone."""
    labels = (" · ".join((node.title, *node.tags)) for node in nodes)
    alike = (re.sub(r"(, |fc )\d+", r"\1", label) for label in labels)  # without the channels
    return tuple((node.kind, label, node.inputs) for node, label in zip(nodes, alike, strict=True))
