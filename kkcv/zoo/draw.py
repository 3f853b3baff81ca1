"""An architecture diagram of a network, drawn from the network itself.

Stages stand from left to right as boxes, as high as their map's resolution and as thick as its
channels; below them the blocks that are repeated are expanded once, as graphs traced from their
``forward``. ``python -m kkcv.zoo.draw FOLDER`` writes the diagram of one network of each family.
"""

import sys
from pathlib import Path

from kkcv.disk import write_file

from .costs import Cost, cost
from .diagram.blocks import Drawn, draw_panel, panels, unit_class, units
from .diagram.stages import BLOCKS, draw_stages, short
from .diagram.svg import INK, PALE, WIDTH, fitting, line, picture, text
from .network import Spec
from .registry import FAMILIES, create_on_meta

MARGIN = 20
APART = 36  # between panels


def draw(name: str) -> str:
    """The diagram as the text of an SVG file, 1000 pixels wide.

    Raises UnknownNetwork.
    """
    network = create_on_meta(name)
    known = network.spec
    assert known is not None
    found = panels(network)
    kinds = [panel.kind for panel in found] + [unit_class(module) for _, module in units(network)]
    colors = dict(zip(dict.fromkeys(filter(None, kinds)), BLOCKS, strict=False))
    measured = cost(known.name)
    body = heading(known, measured)
    strip = draw_stages(network, measured, colors)
    body += placed(strip, MARGIN, 84)
    y = 84 + strip.height + 20
    body.append(line(MARGIN, y - 10, WIDTH - MARGIN, y - 10, "#d5dbe1"))
    for row in rows([draw_panel(panel, colors.get(panel.kind, INK)) for panel in found]):
        between = (WIDTH - 2 * MARGIN - sum(panel.width for panel in row)) / (len(row) + 1)
        x = MARGIN + between
        for panel in row:
            body += placed(panel, x, y + 6)
            x += panel.width + between
        y += max(panel.height for panel in row) + 24
    return picture(y, f"{known.family.title}: {known.name}", body)


def heading(known: Spec, measured: Cost) -> list[str]:
    """Name and cost in the first line, the paper in the second, how to read it in the third."""
    paper = known.family.paper
    figures = (
        f"{short(measured.parameters)} parameters · {short(measured.macs)} multiply-adds at "
        f"{' × '.join(map(str, measured.input_size))} · embedding {known.embedding_dim}"
    )
    source = f"{paper.authors}: {paper.title}. {paper.where} ({paper.year})"
    how = (
        "height: resolution · thickness: channels · under each: channels × height × width, "
        "blocks, parameters (par.), multiply-adds (m-a)"
    )
    title = f"{known.family.title}: {known.name}"
    return [
        text(MARGIN, 34, title, 20, bold=True, anchor="start"),
        text(WIDTH - MARGIN, 34, figures, 12, anchor="end"),
        text(MARGIN, 54, source, fitting(source, WIDTH - 2 * MARGIN, 12), anchor="start"),
        text(MARGIN, 72, how, 10, color=PALE, anchor="start"),
    ]


def rows(panels: list[Drawn]) -> list[list[Drawn]]:
    """The panels side by side, in as many rows as it takes."""
    found: list[list[Drawn]] = []
    room = 0.0
    for panel in panels:
        if panel.width > room:
            found.append([])
            room = WIDTH - 2 * MARGIN
        found[-1].append(panel)
        room -= panel.width + APART
    return found


def placed(drawn: Drawn, x: float, y: float) -> list[str]:
    return [f'<g transform="translate({x:.1f},{y:.1f})">', *drawn.lines, "</g>"]


if __name__ == "__main__":
    for family in (module.FAMILY for module in FAMILIES):
        diagram = draw(family.example)
        write_file(Path(sys.argv[1]) / f"{family.name}.svg", diagram)
