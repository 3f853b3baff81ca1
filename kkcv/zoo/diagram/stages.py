"""The stages of a network from left to right, each a box as large as its feature map.

The height is the resolution (its square root), the thickness the channels (their logarithm); the
box is drawn obliquely, as in the figure of the AlexNet paper, and sliced where blocks follow each
other, in the color of each. Vectors are slim bars.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from torch import nn

from kkcv.zoo.costs import Cost, StageCost, table
from kkcv.zoo.network import Network
from kkcv.zoo.pages import Words

from .forms import Unit, inside
from .graph import Shape
from .labels import SPECIAL, TAGS, halving, kind_of_convolution, layers, pooling
from .metrics import wrapped
from .svg import SMALL, USUAL, Drawn, line, polygon, rectangle, text, wire

TALLEST = 84  # pixels, of the map with the most
NARROWEST = 92  # column
LINE = 14


@dataclass(frozen=True)
class Column:
    """A stage, or a pool at the end of one: what stands under its box, and how it looks."""

    name: str
    shape: Shape
    contents: tuple[str, ...]
    slices: tuple[str, ...]  # the color of each block
    tip: str = ""
    auxiliary: bool = False


def columns(
    network: Network,
    cost: Cost,
    reads: Mapping[nn.Module, Shape],
    colors: Mapping[str, str],
    auxiliary: Collection[str],
) -> list[Column]:
    """The input, then the rows of the network's table; a pool that ends a stage stands alone.

    ``reads`` are the shapes of what each module reads, ``colors`` those of the kinds of blocks, and
    ``auxiliary`` the stages with auxiliary heads.
    """
    found = [Column("input", cost.input_size, (), ("plain",))]
    for stage, (_, name, module) in zip(cost.stages, table(network), strict=True):
        blocks = inside(name, module) if stage.part == "stages" else []
        pool = ending_pool(module) if stage.part == "stages" and not blocks else None
        look = tuple(colors.get(kind, "plain") for _, kind, _ in blocks)
        found.append(
            Column(
                name,
                reads[pool] if pool else stage.shape,
                tuple(contents(network, stage, module, blocks, pool)),
                look or (color(stage, module),) * max(1, repeats(module)),
                f"{name}: {stage.parameters:,} parameters, {stage.macs:,} multiply-adds",
                name in auxiliary,
            )
        )
        if pool:
            found.append(Column("pool", stage.shape, (pooling(pool),), ("pool",)))
    return found


POOLS = nn.MaxPool2d | nn.AvgPool2d


def ending_pool(module: nn.Module) -> nn.MaxPool2d | nn.AvgPool2d | None:
    """The pool behind the convolutions of a row of layers."""
    layers = list(module.children()) if isinstance(module, nn.Sequential) else []
    last = layers[-1] if len(layers) > 1 else None
    return last if isinstance(last, nn.MaxPool2d | nn.AvgPool2d) else None


def color(stage: StageCost, module: nn.Module) -> str:
    if len(stage.shape) == 1:
        return "vector"
    pools = any(isinstance(m, POOLS) or type(m).__name__ in SPECIAL for m in layers(module))
    return "pool" if pools and not stage.blocks else "plain"


def repeats(module: nn.Module) -> int:
    """How many convolutions stand in a row of layers."""
    return sum(isinstance(m, nn.Conv2d) for m in layers(module))


def contents(
    network: Network,
    stage: StageCost,
    module: nn.Module,
    blocks: list[Unit],
    pool: nn.Module | None,
) -> list[str]:
    """The contents of a stage: its blocks with their number, or its layers without the pooling."""
    found = [kind for _, kind, _ in blocks]
    if not blocks:
        rest = [m for m in layers(module) if m is not pool]
        found = [words for m in rest if (words := layer(m))]
        found = found or [" · ".join(TAGS[n] for m in rest if (n := type(m).__name__) in TAGS)]
    counts = {what: found.count(what) for what in found}
    if list(counts) == [stage.name]:  # a block that is named by its stage
        return [f"×{len(found)}"] if len(found) > 1 else []
    rows = [f"×{n} {what}" if n > 1 else what for what, n in counts.items()]
    return [*rows, "on the last map"] if stage.part == "head" and network.classifies_map else rows


def layer(module: nn.Module) -> str:
    """A layer in the words of its stage; batch norms and rectifiers go without saying."""
    name = type(module).__name__
    if isinstance(module, nn.Conv2d):
        groups = module.groups if module.groups < module.in_channels else 1
        return (
            f"{kind_of_convolution(module)}{halving(module.stride)}"
            f"{f', {groups} groups' if groups > 1 else ''}"
        )
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        return pooling(module)
    if isinstance(module, nn.Linear):
        return "fully connected"
    if name in SPECIAL:
        return SPECIAL[name][1]
    return "LRN" if TAGS.get(name) == "LRN" else ""


def draw_stages(found: list[Column], width: float, words: Words) -> Drawn:
    """Boxes in as many rows as the width needs, equally long."""
    most = int(width / NARROWEST)
    rows = -(-len(found) // most)
    in_a_row = -(-len(found) // rows)
    step = width / in_a_row
    largest = max(c.shape[1] for c in found if len(c.shape) == 3)
    lines: list[str] = []
    y = 0.0
    for first in range(0, len(found), in_a_row):
        part = found[first : first + in_a_row]
        floor = y + max(48.0, *(height(c, largest) * 1.15 for c in part))
        deepest = 0.0
        for i, column in enumerate(part):
            x = (i + 0.5) * step
            lines += box(column, largest, x, floor)
            label = draw_label(column, x, floor + 16, step - 8, words)
            lines += label.lines
            deepest = max(deepest, label.height)
            if first or i:
                lines.append(wire([(x - step / 2 - 7, floor - 8), (x - step / 2 + 7, floor - 8)]))
        y = floor + deepest + 32
    return Drawn(lines, width, y - 20)


def height(column: Column, largest: float) -> float:
    if len(column.shape) == 1:
        # by the logarithm: stages double their channels
        return 10 + 3.6 * math.log2(column.shape[0])
    # by the root: a map of 224 is not 32 times as tall as one of 7
    return max(5, TALLEST * math.sqrt(column.shape[1] / largest))


def thickness(channels: int) -> float:
    return min(max(4, 5.2 * math.log2(channels / 4)), 46) if channels > 4 else 3


def box(column: Column, largest: float, x: float, floor: float) -> list[str]:
    """A box in the middle of a column, standing on the floor."""
    tall = height(column, largest)
    lines = ["<g>", f"<title>{column.tip}</title>"] if column.tip else ["<g>"]
    look = column.slices[-1]
    if len(column.shape) == 1:
        return [*lines, rectangle(x - 4, floor - tall, 8, tall, f"{look}-front", 3), "</g>"]
    wide, slope = thickness(column.shape[0]), 0.3 * tall
    left = x - (wide + slope) / 2
    right, top, up = left + wide, floor - tall, 0.5 * slope
    each = wide / len(column.slices)
    fine = min(0.7, each / 4)  # many slices have thin lines, or they would be solid
    for first, last, kind in stretches(column.slices):
        a, b = left + each * first, left + each * last
        roof = [(a, top), (a + slope, top - up), (b + slope, top - up), (b, top)]
        lines += [polygon(roof, f"{kind}-top"), rectangle(a, top, b - a, tall, f"{kind}-front", 0)]
        for i in range(first + 1, last):
            cut = left + each * i
            lines.append(line(cut, top, cut, floor, f"{kind}-cut", fine))
            lines.append(line(cut, top, cut + slope, top - up, f"{kind}-cut", fine))
    side = [(right, top), (right + slope, top - up), (right + slope, floor - up), (right, floor)]
    return [*lines, polygon(side, f"{look}-side"), "</g>"]


def stretches(slices: tuple[str, ...]) -> list[tuple[int, int, str]]:
    """Neighbors of one color: the first, the one behind the last, the color."""
    found: list[tuple[int, int, str]] = []
    for i, kind in enumerate(slices):
        if found and found[-1][2] == kind:
            found[-1] = (found[-1][0], i + 1, kind)
        else:
            found.append((i, i + 1, kind))
    return found


def draw_label(column: Column, x: float, y: float, width: float, words: Words) -> Drawn:
    """Under a box: name, size, what is in it."""
    name = words.box(column.name) if column.name == "input" else column.name
    names = wrapped(name, width, USUAL, bold=True)
    lines = [text(x, y + LINE * i, part, USUAL, bold=True) for i, part in enumerate(names)]
    rows = [("×".join(map(str, column.shape)), "ink")]
    for what in filter(None, column.contents):
        rows += [(part, "pale") for part in wrapped(words.box(what), width, SMALL)]
    if column.auxiliary:
        rows += [(p, "vector-name") for p in wrapped(words("auxiliary_here"), width, SMALL)]
    for i, (part, look) in enumerate(rows, len(names)):
        lines.append(text(x, y + LINE * i, part, color=look))
    return Drawn(lines, width, LINE * (len(names) + len(rows)))
