"""Table 1 of the LeNet paper: which maps of its input each map of a sparse convolution reads."""

from torch import nn

from kkcv.zoo.lenet import C3_INPUTS, SparseConvolution

from .metrics import text_width
from .svg import SMALL, Drawn, rectangle, text

CELL = 16  # pixels in which two digits can be read


def reads_of(stage: nn.Module) -> list[list[bool]]:
    """A row for each map of the input; none where the stage reads all."""
    if not any(isinstance(m, SparseConvolution) for m in stage.modules()):
        return []
    return [[mark == "X" for mark in row] for row in C3_INPUTS.split()]


def draw_sparse(rows: list[list[bool]], room: float, _: float) -> Drawn:
    left = text_width("00", SMALL) + 4
    cell = min(CELL, (room - left) / len(rows[0]))
    lines = []
    for i in range(len(rows[0])):
        if cell >= CELL or not i % 3:
            lines.append(text(left + (i + 0.5) * cell, 11, str(i), SMALL, color="pale"))
    for j, row in enumerate(rows):
        y = 16 + j * cell
        lines.append(text(left - 5, y + cell / 2 + 4, str(j), SMALL, color="pale", anchor="end"))
        for i, seen in enumerate(row):
            look = "on" if seen else "off"
            lines.append(rectangle(left + i * cell + 1, y + 1, cell - 2, cell - 2, look, 2))
    return Drawn(lines, left + cell * len(rows[0]), 16 + cell * len(rows))
