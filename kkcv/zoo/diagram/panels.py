"""The drawings below the stages of a network: its blocks, each form once, and what is special.

Special are a stem with branches, towers, dense connections, sparse ones, and auxiliary heads.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from kkcv.zoo.pages import Words

from .anatomy import Anatomy
from .dense import draw_dense
from .forms import Form
from .graph import Node
from .metrics import text_width, wrapped
from .pictured import common_tags, draw_graph
from .sparse import draw_sparse
from .svg import LARGE, SMALL, Drawn, placed, text
from .towers import count_towers, towers

APART = 28  # between panels
LINE = 14
# How wide boxes may be, from the best on, and how much longer a page may be for it.
BOXES = {150.0: 1.0, 110.0: 1.0, 92.0: 1.0, 80.0: 1.05, 64.0: 1.12}


@dataclass(frozen=True)
class Panel:
    """A picture under a title and notes; ``body`` takes the room and the widest box, in pixels."""

    title: str
    notes: list[str]
    body: Callable[[float, float], Drawn]
    color: str = "ink"


def panels(anatomy: Anatomy, words: Words) -> Iterator[Panel]:
    """The panels of a diagram, in the order of the network."""
    if anatomy.stem:
        stages, nodes = anatomy.stem
        nodes, tags = common_tags(nodes)
        body = partial(draw_graph, nodes, words, shapes=True)
        yield Panel(words("stem"), [stages, *every(tags, words)], body)
    for found in anatomy.forms:
        yield form_panel(anatomy, found, words)
    if anatomy.dense:
        stage, widths = anatomy.dense
        title, notes = words("dense", stage=stage), [words("dense_how")]
        yield Panel(title, notes, partial(draw_dense, widths))
    if anatomy.whole:
        yield whole_panel(anatomy.whole, words)
    for stage, table in anatomy.sparse:
        title, notes = words("sparse", stage=stage), [words("sparse_how", stage=stage)]
        yield Panel(title, notes, partial(draw_sparse, table))
    for stages, nodes in anatomy.heads:
        body = partial(draw_graph, nodes, words)
        notes = [words("auxiliary_on", stages=stages)]
        yield Panel(words("auxiliary"), notes, body, "vector-name")


def form_panel(anatomy: Anatomy, found: Form, words: Words) -> Panel:
    """A form of block; its paths too, where others of its kind are of other forms."""
    nodes, tags = common_tags(found.nodes)
    count = len(found.paths)
    notes = [words("numbers", path=found.shown)] if found.varied else []
    body = partial(draw_graph, nodes, words)
    if not found.kind:
        return Panel(found.where, [*notes, *every(tags, words)], body)
    title = f"{found.kind} ×{count}" if count > 1 else found.kind
    if [other.kind for other in anatomy.forms].count(found.kind) > 1:
        notes.insert(0, found.where)
    return Panel(title, [*notes, *every(tags, words)], body, f"{anatomy.colors[found.kind]}-name")


def every(tags: list[str], words: Words) -> list[str]:
    return [words("every", tags=" · ".join(words.box(tag) for tag in tags))] if tags else []


def whole_panel(nodes: list[Node], words: Words) -> Panel:
    """All layers in a row, or in towers where they are grouped."""
    count = count_towers(nodes)
    title = words("towers", count=count) if count > 1 else words("whole")
    nodes = towers(nodes, count) if count > 1 else nodes
    return Panel(title, [], partial(draw_graph, nodes, words, shapes=True))


def draw_panels(found: list[Panel], room: float) -> Drawn:
    """Side by side in rows: so that the whole is short, and then the boxes as wide as fits."""
    drawn = [{widest: draw_panel(panel, room, widest) for widest in BOXES} for panel in found]
    tried = {}
    for widest in BOXES:
        rows = in_rows([panel[widest] for panel in drawn], room)
        tried[widest] = stacked([widened(row, drawn, room) for row in rows], room)
    return tried[min(tried, key=lambda widest: tried[widest].height * BOXES[widest])]


def draw_panel(panel: Panel, room: float, widest: float) -> Drawn:
    """A panel's picture under its title and notes, in the middle of the wider of them."""
    body = panel.body(room, widest)
    named = min(text_width(panel.title, LARGE, bold=True), 200)
    least = min(room, max(body.width, named, 180 if widest > 100 else 130))
    titles = wrapped(panel.title, least, LARGE, bold=True)
    notes = [part for note in panel.notes for part in wrapped(note, least, SMALL)]
    wide = [text_width(t, LARGE, bold=True) for t in titles] + [text_width(n, SMALL) for n in notes]
    lines, y = [], 0
    for part in titles:
        y += 16
        lines.append(text(0, y - 2, part, LARGE, bold=True, color=panel.color, anchor="start"))
    for part in notes:
        y += LINE
        lines.append(text(0, y - 2, part, SMALL, color="pale", anchor="start"))
    width = max(body.width, *wide)
    lines += placed(body, round((width - body.width) / 2), y + 10)
    return Drawn(lines, width, y + 10 + body.height)


Column = list[Drawn]  # panels one under the other
Row = list[Column]


def in_rows(drawn: list[Drawn], room: float) -> list[list[list[int]]]:
    """Rows of columns of the numbers of panels: beside the last, or under it where it is short."""
    rows: list[list[list[int]]] = []
    for i in range(len(drawn)):
        row = rows[-1] if rows else []
        tallest = max((height([drawn[n] for n in column]) for column in row), default=0)
        if row and fits([[drawn[n] for n in column] for column in [*row, [i]]], room):
            row.append([i])
            continue
        under = [*row[:-1], [*row[-1], i]] if row else []
        columns = [[drawn[n] for n in column] for column in under]
        if columns and height(columns[-1]) <= tallest and fits(columns, room):
            rows[-1] = under
        else:
            rows.append([[i]])
    return rows


def height(column: Column) -> float:
    return sum(panel.height for panel in column) + APART * (len(column) - 1)


def width(column: Column) -> float:
    return max(panel.width for panel in column)


def fits(row: Row, room: float) -> bool:
    return sum(map(width, row)) + APART * (len(row) - 1) <= room


def widened(row: list[list[int]], drawn: list[dict[float, Drawn]], room: float) -> Row:
    """A row with the widest boxes that fit."""
    ways = [[[drawn[n][widest] for n in column] for column in row] for widest in BOXES]
    return next((way for way in ways if fits(way, room)), ways[-1])


def stacked(rows: list[Row], room: float) -> Drawn:
    """The rows one under the other, their columns equally far apart."""
    lines: list[str] = []
    top = 0.0
    for row in rows:
        between = (room - sum(map(width, row))) / (len(row) + 1)
        x = between
        for column in row:
            y = top
            for panel in column:
                lines += placed(panel, x, y)
                y += panel.height + APART
            x += width(column) + between
        top += max(map(height, row)) + APART
    return Drawn(lines, room, top)
