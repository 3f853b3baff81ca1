"""The stages of a network from left to right, each a box as large as its feature map.

The height is the resolution (its square root), the thickness the channels (their logarithm); the
box is drawn obliquely, as in the figure of the AlexNet paper. Vectors are slim bars.
"""

import math
from collections import Counter

from torch import nn

from kkcv.zoo.costs import Cost, StageCost, has_weights, table
from kkcv.zoo.network import Network

from .blocks import Drawn, unit_class
from .labels import SPECIAL, TAGS, halving, kind_of_convolution, pooling
from .svg import PALE, WIDTH, arrow, fitting, line, polygon, rectangle, text, wrapped

MARGIN = 20
TALLEST = 104
MOST_COLUMNS = 10
BLOCKS = ("#4a7fb5", "#3a9a86", "#8a63b5", "#b5894a", "#a8577e")
PLAIN, POOL, VECTOR = "#aebccb", "#eba96b", "#d0708c"


def draw_stages(network: Network, cost: Cost, colors: dict[str, str]) -> Drawn:
    """One row of boxes, or two where there are many; ``colors`` by class of block."""
    modules = [module for _, _, module in table(network)]
    count = len(modules)
    rows = 1 if count <= 12 else -(-count // MOST_COLUMNS)
    columns = -(-count // rows)
    step = (WIDTH - 2 * MARGIN) / columns
    lines: list[str] = []
    y = 0.0
    for row in range(rows):
        part = slice(row * columns, (row + 1) * columns)
        stages, inside = cost.stages[part], modules[part]
        tall = max(height(stage, cost) for stage in stages) + 16
        floor = y + max(tall, 60)
        depth = 0.0
        for i, (stage, module) in enumerate(zip(stages, inside, strict=True)):
            x = i * step
            color = stage_color(stage, module, colors)
            lines += box(stage, module, cost, x + step / 2, floor, color)
            labels = label(stage, module, x + step / 2, floor + 18, step - 6)
            lines += labels.lines
            depth = max(depth, labels.height)
            if i or row:
                lines.append(arrow([(x - 7, floor - 8), (x + 7, floor - 8)]))
        if row + 1 < rows:
            end = step * len(stages)
            lines.append(arrow([(end - 7, floor - 8), (end + 7, floor - 8)]))
        y = floor + depth + 34
    return Drawn(lines, WIDTH - 2 * MARGIN, y - 16)


def stage_color(stage: StageCost, module: nn.Module, colors: dict[str, str]) -> str:
    if stage.part != "stages" and len(stage.shape) == 1:
        return VECTOR
    kind = most_units(module)
    if kind:
        return colors.get(kind, PLAIN)
    return PLAIN if stage.blocks else POOL


def most_units(module: nn.Module) -> str:
    many = unit_counts(module).most_common(1)
    return many[0][0] if many else ""


def unit_counts(module: nn.Module) -> Counter[str]:
    inside = module.children() if isinstance(module, nn.Sequential) else [module]
    return Counter(kind for kind in map(unit_class, inside) if kind)


def height(stage: StageCost, cost: Cost) -> float:
    if len(stage.shape) == 1:
        return 12 + 4.5 * math.log2(stage.shape[0])
    largest = max(s.shape[1] for s in cost.stages if len(s.shape) == 3)
    return max(5, TALLEST * math.sqrt(stage.shape[1] / largest))


def thickness(channels: int) -> float:
    return min(max(4, 5.2 * math.log2(channels / 4)), 46)


def box(
    stage: StageCost, module: nn.Module, cost: Cost, x: float, floor: float, color: str
) -> list[str]:
    """A box in the middle of a column, standing on the floor."""
    tall = height(stage, cost)
    tip = f"{stage.name}: {stage.parameters:,} parameters, {stage.macs:,} multiply-adds"
    if len(stage.shape) == 1:
        return [
            f"<g><title>{tip}</title>",
            rectangle(x - 4, floor - tall, 8, tall, shade(color, 0.35), shade(color, -0.35), 3),
            "</g>",
        ]
    wide, slope = thickness(stage.shape[0]), 0.3 * tall
    left, right = x - (wide + slope) / 2, x - (wide + slope) / 2 + wide
    top, up, edge = floor - tall, 0.5 * slope, shade(color, -0.35)
    lines = [
        f"<g><title>{tip}</title>",
        polygon(
            [(left, top), (left + slope, top - up), (right + slope, top - up), (right, top)],
            shade(color, 0.65),
            edge,
        ),
        polygon(
            [(right, top), (right + slope, top - up), (right + slope, floor - up), (right, floor)],
            shade(color, 0.05),
            edge,
        ),
        rectangle(left, top, wide, tall, shade(color, 0.4), edge, 0),
    ]
    if stage.blocks > 1 and wide / stage.blocks >= 2.5:
        for i in range(1, stage.blocks):
            cut = left + wide * i / stage.blocks
            lines.append(line(cut, top, cut, floor, edge, 0.6))
            lines.append(line(cut, top, cut + slope, top - up, edge, 0.6))
    return [*lines, "</g>"]


def shade(color: str, amount: float) -> str:
    """The color nearer to white (amount > 0) or black (< 0)."""
    target = 255 if amount > 0 else 0
    parts = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(p + (target - p) * abs(amount)):02x}" for p in parts)


def label(stage: StageCost, module: nn.Module, x: float, y: float, width: float) -> Drawn:
    """Under a box: name, size, what is in it, parameters and multiply-adds."""
    lines = [text(x, y, stage.name, fitting(stage.name, width, 12), bold=True)]
    size = "×".join(map(str, stage.shape))
    rows = [(size, 11.0, "#1f2933")]
    lines_of = (part for what in contents(module) for part in wrapped(what, width, 10))
    rows += [(part, 10, "#1f2933") for part in lines_of]
    if stage.parameters:
        rows.append((f"{short(stage.parameters)} par.", 10, PALE))
    if stage.macs:
        rows.append((f"{short(stage.macs)} m-a", 10, PALE))
    for i, (words, points, color) in enumerate(rows):
        lines.append(text(x, y + 15 + 13 * i, words, fitting(words, width, points), color=color))
    return Drawn(lines, width, 15 + 13 * len(rows))


def contents(module: nn.Module) -> list[str]:
    """What a stage consists of: its blocks with their number, or its layers."""
    many = unit_counts(module)
    if many:
        return [f"×{n} {kind}" if n > 1 else kind for kind, n in many.most_common()]
    special = SPECIAL.get(type(next(iter(module.children()), module)).__name__)
    if special:
        return [special[1]]
    found: Counter[str] = Counter()
    for m in module.modules():
        if isinstance(m, nn.Conv2d):
            found[f"{kind_of_convolution(m)}{halving(m.stride)}"] += 1
        elif isinstance(m, nn.MaxPool2d | nn.AvgPool2d):
            found[pooling(m)] += 1
    if not found and not has_weights(module):
        return [" · ".join(TAGS.get(type(m).__name__, "") for m in module.children())]
    return [f"×{n} {what}" if n > 1 else what for what, n in found.items()]


def short(count: int) -> str:
    """Three digits or so: 25.6 M."""
    for least, size, suffix in ((999.5e6, 1e9, " G"), (999.5e3, 1e6, " M"), (999.5, 1e3, " K")):
        if count >= least:
            return f"{count / size:.3g}{suffix}"
    return str(count)
