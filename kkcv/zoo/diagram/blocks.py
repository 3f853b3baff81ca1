"""The repeated blocks of a network: which to show, and their graphs as pictures."""

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kkcv.zoo.network import Network

from .graph import Node, Shape, graph, outline
from .labels import is_one_box
from .layout import Place, layered
from .svg import INK, PALE, WIDTH, arrow, fitting, line, rectangle, text, text_width, wrapped

COLORS = {  # fill, stroke
    "conv": ("#dbe8f6", "#3b6ea5"),
    "depthwise": ("#d8f0ea", "#2a8a7a"),
    "pool": ("#fbe6d2", "#c26a1b"),
    "dense": ("#f7dde5", "#b03a5b"),
    "se": ("#eadff6", "#7d4fa8"),
    "tag": ("#f2f4f6", "#8a94a0"),
    "other": ("#f2f4f6", "#8a94a0"),
    "shuffle": ("#fdf3c4", "#a98600"),
    "concat": ("#e0f0d8", "#4c8c3a"),
    "add": ("#e0f0d8", "#4c8c3a"),
    "input": ("none", "none"),
}
GAP = 24  # between layers
MARGIN = 20
MOST = 3  # kinds of blocks that are shown
LONGEST = 8  # of a row of layers, before it goes on in the next


@dataclass(frozen=True)
class Panel:
    """A block to show: its graph, how many are alike, and where the one that is shown stands."""

    title: str
    where: str
    nodes: list[Node]
    kind: str = ""  # the class


def unit_class(module: nn.Module) -> str:
    """The name of a block's class; empty for a plain layer or a row of layers."""
    convolutions = sum(isinstance(m, nn.Conv2d) for m in module.modules())
    ours = type(module).__module__.startswith("kkcv.") and any(True for _ in module.children())
    return type(module).__name__ if ours and convolutions and named_in_paper(module) else ""


def named_in_paper(module: nn.Module) -> bool:
    return not is_one_box(module)


def units(network: Network) -> list[tuple[str, nn.Module]]:
    """The blocks of the stages, by path."""
    found = []
    for name, stage in network.stages.named_children():
        inside = [(f"{name}.{i}", m) for i, m in enumerate(stage.children())]
        rows = inside if isinstance(stage, nn.Sequential) else [(name, stage)]
        found += [(path, module) for path, module in rows if unit_class(module)]
    return found


def panels(network: Network) -> list[Panel]:
    """The most repeated kinds of blocks, in the order of the network; then their other forms."""
    found = units(network)
    if not found:
        return [layers_panel(network)]
    shapes = input_shapes(network, [module for _, module in found])
    forms: dict[tuple[object, ...], list[tuple[str, list[Node]]]] = {}
    traced: dict[tuple[str, Shape], list[Node]] = {}  # equal blocks of equal inputs but once
    for path, module in found:
        known = repr(module), shapes[module]
        nodes = traced[known] = traced.get(known) or graph(module, shapes[module])
        forms.setdefault((unit_class(module), *outline(nodes)), []).append((path, nodes))
    many = Counter(unit_class(module) for _, module in found)
    ranked = sorted(forms.items(), key=lambda form: -len(form[1]))
    shown: list[tuple[tuple[int, int], Panel]] = []
    seen: Counter[str] = Counter()
    most = len(ranked[0][1])
    for key, alike in ranked:
        if most > 1 and len(alike) == 1:
            break  # what is not repeated needs no expansion
        kind = str(key[0])
        rank = (seen[kind], -many[kind])
        seen[kind] += 1
        titles = Counter(tuple(node.title for node in nodes) for _, nodes in alike)
        path, nodes = next(
            (p, n) for p, n in alike if tuple(x.title for x in n) == titles.most_common(1)[0][0]
        )
        count = f", {len(alike)} times" if len(alike) > 1 else ""
        shown.append((rank, Panel(f"{kind}{count}", path, nodes, kind)))
    chosen = [panel for _, panel in sorted(shown, key=lambda item: item[0])[:MOST]]
    return sorted(chosen, key=lambda panel: list(many).index(panel.kind))


def layers_panel(network: Network) -> Panel:
    """Where no block is repeated: the longest stage, or the whole network, layer by layer."""
    rows = [(n, m) for n, m in network.stages.named_children() if isinstance(m, nn.Sequential)]
    name, longest = max(rows, key=lambda row: sum(isinstance(m, nn.Sequential) for m in row[1]))
    if sum(isinstance(m, nn.Sequential) for m in longest) > 1:
        shape = input_shapes(network, [longest])[longest]
        return Panel(f"{name}, layer by layer", name, graph(longest, shape))
    assert network.spec is not None
    whole = nn.Sequential()
    for part, module in (("stages", network.stages), ("neck", network.neck), ("fc", network.head)):
        whole.add_module(part, module)
    return Panel("Layer by layer", "image", graph(whole, network.spec.input_size))


def input_shapes(network: Network, modules: list[nn.Module]) -> dict[nn.Module, Shape]:
    """What each of the modules gets for one picture of the published size."""
    assert network.spec is not None
    shapes: dict[nn.Module, Shape] = {}

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        shapes[module] = tuple(inputs[0].shape[1:])

    hooks = [module.register_forward_pre_hook(note) for module in modules]
    network(torch.empty(1, *network.spec.input_size, device="meta"))
    for hook in hooks:
        hook.remove()
    return shapes


@dataclass(frozen=True)
class Drawn:
    """Lines of SVG of a size, from (0, 0)."""

    lines: list[str]
    width: float
    height: float


def size(node: Node) -> tuple[float, float]:
    if node.kind == "add":
        return 20, 20
    lines = tag_lines(node)
    wide = max([text_width(node.title, 11), *(text_width(words, 9.5) for words in lines)])
    if node.kind == "tag":
        return max(text_width(node.title, 9.5) + 14, 40), 17
    if node.kind == "input":
        return text_width(size_of(node.shape), 11) + 8, 16
    return max(wide + 16, 56), 22 + 12 * len(lines)


def tag_lines(node: Node) -> list[str]:
    """The lines under a title: all tags in one, the steps of squeeze-and-excite one by one."""
    if node.kind == "tag" or not node.tags:
        return []
    return node.tags if node.kind == "se" else [" · ".join(node.tags)]


def size_of(shape: Shape) -> str:
    return " × ".join(map(str, shape))


def draw_panel(panel: Panel, color: str) -> Drawn:
    """A panel with its heading."""
    inputs = [node.inputs for node in panel.nodes]
    chain = all(sources == (i - 1,) for i, sources in enumerate(inputs) if i)
    merged = [merge_tags(node) for node in panel.nodes]
    body = draw_chain(merged) if chain and len(merged) > LONGEST - 3 else draw_graph(merged)
    where = panel.where if panel.where != "image" else ""
    heading = [
        text(0, 14, panel.title, 13, bold=True, color=color, anchor="start"),
    ]
    if where and where != panel.title.split(",")[0]:
        heading.append(text(0, 29, f"shown: {where}", 10, color=PALE, anchor="start"))
    width = max(body.width, text_width(panel.title, 14))
    shift = f'<g transform="translate({round((width - body.width) / 2)},42)">'
    return Drawn([*heading, shift, *body.lines, "</g>"], width, body.height + 42)


def merge_tags(node: Node) -> Node:
    """BN and ReLU that stand alone, in one box."""
    if node.kind != "tag":
        return node
    return Node("tag", " · ".join([node.title, *node.tags]), node.inputs, [], node.shape)


def draw_graph(nodes: list[Node]) -> Drawn:
    """From top to bottom; the output's size at the bottom."""
    sizes = [size(node) for node in nodes]
    layers = layered([node.inputs for node in nodes], [width for width, _ in sizes])
    tops, y = [], 0.0
    for layer in layers:
        tops.append(y)
        y += max((sizes[p.node][1] for p in layer if p.node is not None), default=10) + GAP
    bottoms = [top - GAP for top in tops[1:]] + [y - GAP]
    lines: list[str] = []
    middles = [(t + b) / 2 for t, b in zip(tops, bottoms, strict=True)]
    for layer in layers:
        for p in layer:
            if p.node is not None:
                lines += (arrow(route) for route in routes(p, sizes, middles, bottoms))
    for layer in layers:
        for p in layer:
            if p.node is not None:
                lines += draw_node(nodes[p.node], p.x, middles[p.layer], *sizes[p.node])
    end = next(p for p in layers[-1] if p.node is not None)
    height = sizes[-1][1]
    lines.append(arrow([(end.x, middles[-1] + height / 2), (end.x, y)]))
    lines.append(text(end.x, y + 12, size_of(nodes[-1].shape), 11, bold=True))
    width = max(p.x + p.width / 2 for layer in layers for p in layer)
    return Drawn(lines, width, y + 18)


def routes(
    source: Place, sizes: list[tuple[float, float]], middles: list[float], bottoms: list[float]
) -> list[list[tuple[float, float]]]:
    """The corners of each arrow that begins here."""
    assert source.node is not None
    found = []
    for step in source.below:
        at, points = source, [(source.x, middles[source.layer] + sizes[source.node][1] / 2)]
        while True:
            if abs(step.x - at.x) > 0.5:
                fork = at is source and len(source.below) > 1  # forks turn above joins
                turn = bottoms[at.layer] + (8 if fork else 14)
                points += [(at.x, turn), (step.x, turn)]
            if step.node is not None:
                half = sizes[step.node][1] / 2
                points.append((step.x, middles[step.layer] - half))
                break
            at, step = step, step.below[0]
        found.append(points)
    return found


def draw_node(node: Node, x: float, y: float, width: float, height: float) -> list[str]:
    """A box around (x, y)."""
    fill, stroke = COLORS[node.kind]
    if node.kind == "add":
        return [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="10" fill="{fill}" stroke="{stroke}"/>',
            line(x - 5.5, y, x + 5.5, y, INK, 1.5),
            line(x, y - 5.5, x, y + 5.5, INK, 1.5),
        ]
    if node.kind == "input":
        return [text(x, y + 4, size_of(node.shape), 11, bold=True)]
    radius = height / 2 if node.kind == "tag" else 4
    lines = [rectangle(x - width / 2, y - height / 2, width, height, fill, stroke, radius)]
    if node.kind == "tag":
        return [*lines, text(x, y + 3.5, node.title, 9.5)]
    lines.append(text(x, y - height / 2 + 15, node.title, 11))
    for i, words in enumerate(tag_lines(node)):
        lines.append(text(x, y - height / 2 + 27 + 12 * i, words, 9.5, color=PALE))
    return lines


def draw_chain(nodes: list[Node]) -> Drawn:
    """From left to right, in as many rows as it takes."""
    lines: list[str] = []
    step = (WIDTH - 2 * MARGIN) / LONGEST
    for i, node in enumerate(nodes):
        x, y = (i % LONGEST + 0.5) * step, 30 + 84 * (i // LONGEST)
        name = wrapped(node.title, step - 14, 11)
        width, height = step - 20, 10 + 13 * len(name) + 12 * bool(tag_lines(node))
        if i % LONGEST:
            lines.append(arrow([(x - step / 2 - 12, y), (x - width / 2, y)]))
        elif i:
            lines.append(arrow([(2, y), (x - width / 2, y)]))
        if node.kind == "input":
            lines.append(text(x, y + 4, size_of(node.shape), 11, bold=True))
            continue
        fill, stroke = COLORS[node.kind]
        lines.append(rectangle(x - width / 2, y - height / 2, width, height, fill, stroke))
        for j, words in enumerate([*name, *tag_lines(node)]):
            points = fitting(words, width - 8, 11 if j < len(name) else 9.5)
            lines.append(text(x, y - height / 2 + 15 + 12.5 * j, words, points))
        lines.append(text(x, y + height / 2 + 14, size_of(node.shape), 10, bold=True, color=PALE))
    rows = (len(nodes) - 1) // LONGEST + 1
    return Drawn(lines, WIDTH - 2 * MARGIN, 84 * rows)
