"""Dense connections as in figure 1 of the DenseNet paper: every layer reads all before it."""

from collections.abc import Mapping
from itertools import pairwise

from torch import nn

from kkcv.zoo.network import Network

from .graph import Shape, graph
from .metrics import text_width
from .svg import SMALL, Drawn, curve, rectangle, text, wire

MOST = 12  # layers that are drawn
HEIGHT = 34


def dense_stage(network: Network, reads: Mapping[nn.Module, Shape]) -> tuple[str, list[int]] | None:
    """The first stage whose blocks all hand on their input beside what they make of it.

    With the channels before its first block and behind each; ``reads`` are the shapes of what each
    module reads.
    """
    for name, stage in network.stages.named_children():
        if isinstance(stage, nn.Sequential) and 1 < len(stage) <= MOST:
            blocks = [graph(block, reads[block]) for block in stage]
            if all(nodes[-1].kind == "concat" and 0 in nodes[-1].inputs for nodes in blocks):
                return name, [blocks[0][0].shape[0], *(nodes[-1].shape[0] for nodes in blocks)]
    return None


def draw_dense(widths: list[int], room: float, _: float) -> Drawn:
    """``widths``: channels before the first layer and behind each."""
    added = [widths[0], *(b - a for a, b in pairwise(widths))]
    labels = [
        ("x0" if i == 0 else f"H{i}", f"{'' if i == 0 else '+'}{n}") for i, n in enumerate(added)
    ]
    step = min(room / (len(labels) + 0.6), 84)
    wide = min(step - 14, 44)
    tall = step * len(labels) * 0.16
    y = tall + 6
    lines = []
    for i in range(len(labels)):
        for j in range(i + 2, len(labels)):
            a, b = (i + 0.5) * step, (j + 0.5) * step
            rise = y - tall * (j - i) / len(labels) * 1.25
            lines.append(
                curve(
                    f"M{a:.1f} {y:.1f}Q{(a + b) / 2:.1f} {2 * rise - y:.1f} {b:.1f} {y:.1f}",
                    head=True,
                )
            )
    for i, (name, count) in enumerate(labels):
        x = (i + 0.5) * step
        lines.append(wire([(x + wide / 2, y + HEIGHT / 2), (x + step - wide / 2, y + HEIGHT / 2)]))
        lines.append(rectangle(x - wide / 2, y, wide, HEIGHT, "conv" if i else "tag"))
        lines.append(text(x, y + 14, name, SMALL, bold=True))
        lines.append(text(x, y + 28, count, SMALL))
    x = len(labels) * step
    total = str(widths[-1])
    lines.append(
        text(
            x + step / 2 - wide / 2 + 4, y + HEIGHT / 2 + 4, total, SMALL, bold=True, anchor="start"
        )
    )
    return Drawn(
        lines, x + step / 2 - wide / 2 + 4 + text_width(total, SMALL, bold=True), y + HEIGHT + 6
    )
