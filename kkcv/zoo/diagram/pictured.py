"""A graph as boxes and arrows, from top to bottom."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

from kkcv.zoo.pages import Words

from .graph import Node, Shape
from .layout import Layout, Point, Size, layout, routes
from .metrics import text_width, wrapped
from .svg import SMALL, USUAL, Drawn, circle, line, rectangle, text, wire

LINE = 14  # from one line of text to the next
NARROW = 95  # a box in which text is small and has little around it
NARROWER = (110.0, 92.0, 78.0, 64.0, 50.0, 40.0)  # widths of boxes, tried until the graph fits
MANY = 4  # convolutions with the same tags, which are then said once


def draw_graph(
    nodes: list[Node], words: Words, room: float, widest: float, *, shapes: bool = False
) -> Drawn:
    """Boxes at most ``widest`` pixels wide, less where the room is too small for them.

    With ``shapes``, sizes of maps stand beside the arrows.
    """
    nodes = [merged(node) for node in nodes]
    for limit in (widest, *(narrower for narrower in NARROWER if narrower < widest)):
        for alike in (True, False):
            drawn = draw_with(nodes, limit, words, shapes=shapes, alike=alike)
            if drawn.width <= room:
                return drawn
    return drawn


def common_tags(nodes: list[Node]) -> tuple[list[Node], list[str]]:
    """The nodes without the tags that most convolutions have, and these; or none."""
    convolutions = [n for n in nodes if n.kind in ("conv", "depthwise")]
    tags, count = (
        Counter(tuple(n.tags) for n in convolutions).most_common(1)[0] if convolutions else ((), 0)
    )
    if count < MANY or not tags:
        return nodes, []

    def shorter(node: Node) -> Node:
        if node not in convolutions:
            return node
        return replace(node, tags=[] if tuple(node.tags) == tags else node.tags or ["linear"])

    return [shorter(node) for node in nodes], list(tags)


def merged(node: Node) -> Node:
    """BN and ReLU that stand alone, in one box."""
    if node.kind != "tag":
        return node
    return Node("tag", " · ".join([node.title, *node.tags]), node.inputs, [], node.shape)


def size_of(shape: Shape) -> str:
    return " × ".join(map(str, shape))


def lines_of(node: Node, widest: float, words: Words) -> list[tuple[str, float, str]]:
    """The lines in a box: words, size and color."""
    if node.kind in ("add", "input"):
        return []
    inside = widest - padding(widest)
    if node.kind == "tag":
        return [(part, SMALL, "ink") for part in by_dots(words.box(node.title), inside)]
    tags = node.tags
    if node.kind != "se":  # whose steps have a line each
        groups = [tag for tag in tags if tag.endswith("groups")]
        tags = [*groups, " · ".join(tag for tag in tags if tag not in groups)]
    points = USUAL if widest > NARROW else SMALL
    title = by_commas(words.box(node.title), inside, points)
    below = [part for tag in tags if tag for part in by_dots(words.box(tag), inside)]
    return [(part, points, "ink") for part in title] + [(part, SMALL, "pale") for part in below]


def padding(widest: float) -> float:
    return 12 if widest > NARROW else 8


def by_commas(title: str, width: float, size: float) -> list[str]:
    """One line, or what it is and then its numbers, without the comma between them."""
    what, comma, numbers = title.partition(", ")
    if not comma or numbers.startswith("/") or text_width(title, size) <= width:
        return wrapped(title, width, size)
    return [*wrapped(what, width, size), *wrapped(numbers, width, size)]


def by_dots(tags: str, width: float) -> list[str]:
    """Lines broken at the dots between tags, which are dropped there, or else between words."""
    lines: list[str] = []
    for tag in tags.split(" · "):
        if lines and text_width(f"{lines[-1]} · {tag}", SMALL) <= width:
            lines[-1] += f" · {tag}"
        else:
            lines += wrapped(tag, width, SMALL)
    return lines


def size(node: Node, widest: float, words: Words) -> tuple[float, float]:
    if node.kind == "add":
        return 20, 20
    if node.kind == "input":
        return text_width(size_of(node.shape), USUAL, bold=True) + 8, 18
    found = lines_of(node, widest, words)
    wide = max(text_width(part, points) for part, points, _ in found)
    if node.kind == "tag":
        return max(wide + 16, 40), LINE * len(found) + 5
    return max(wide + padding(widest), 34), LINE * len(found) + 10


def draw_with(
    nodes: list[Node], widest: float, words: Words, *, shapes: bool, alike: bool
) -> Drawn:
    """With boxes of that width at most; ``alike`` makes those of layers equally wide."""
    sizes = [size(node, widest, words) for node in nodes]
    if alike:
        width = max((w for (w, _), n in zip(sizes, nodes, strict=True) if is_layer(n)), default=0)
        sizes = [(max(w, width * is_layer(n)), h) for (w, h), n in zip(sizes, nodes, strict=True)]
    inputs = [node.inputs for node in nodes]
    level = {source for node in nodes if node.kind == "add" for source in node.inputs}
    found = layout(inputs, sizes, level)
    arrows = routes(inputs, sizes, found)
    lines = [wire(route) for route in arrows]
    for i, node in enumerate(nodes):
        lines += draw_node(node, *found.at[i], *sizes[i], widest, words)
    x, y = found.at[len(nodes) - 1]
    y += sizes[-1][1]
    lines.append(wire([(x, y), (x, y + 18)]))
    lines.append(text(x, y + 31, size_of(nodes[-1].shape), USUAL, bold=True))
    width = found.width
    for i in straight(nodes) if shapes else []:
        x, y = found.at[i][0] + 6, found.at[i][1] + sizes[i][1]
        beside = "×".join(map(str, nodes[i].shape))
        end = x + text_width(beside, SMALL)
        if is_free((x, y + 1, end, y + 15), arrows, found, sizes):
            lines.append(text(x, y + 12, beside, color="pale", anchor="start"))
            width = max(width, end)
    half = text_width(size_of(nodes[-1].shape), USUAL, bold=True) / 2
    return Drawn(lines, max(width, x + half), found.at[len(nodes) - 1][1] + sizes[-1][1] + 36)


def is_free(
    area: tuple[float, float, float, float],
    arrows: list[list[Point]],
    found: Layout,
    sizes: list[Size],
) -> bool:
    """Whether no box and no arrow is in an area: left, top, right, bottom."""
    left, top, right, bottom = area
    rows = [
        (x - sizes[i][0] / 2, y, x + sizes[i][0] / 2, y + sizes[i][1])
        for i, (x, y) in found.at.items()
    ]
    for points in arrows:
        rows += [
            (min(a, c), min(b, d), max(a, c), max(b, d)) for (a, b), (c, d) in pairwise(points)
        ]
    return not any(a < right and left < c and b < bottom and top < d for a, b, c, d in rows)


def straight(nodes: list[Node]) -> list[int]:
    """The nodes that a single other reads, and it nothing else: a plain arrow is under them."""
    readers = {i: [n for n in nodes if i in n.inputs] for i in range(len(nodes))}
    return [
        i
        for i, node in enumerate(nodes)
        if node.kind not in ("input", "tag") and [len(r.inputs) for r in readers[i]] == [1]
    ]


def is_layer(node: Node) -> bool:
    """Whether a box is as wide as the others of its kind."""
    return node.kind in ("conv", "depthwise", "pool", "dense", "se")


def draw_node(
    node: Node, x: float, y: float, width: float, height: float, widest: float, words: Words
) -> list[str]:
    """A box under (x, y)."""
    if node.kind == "add":
        middle = y + height / 2
        return [
            circle(x, middle, 10, "add"),
            line(x - 5.5, middle, x + 5.5, middle, "sign", 1.5),
            line(x, middle - 5.5, x, middle + 5.5, "sign", 1.5),
        ]
    if node.kind == "input":
        return [text(x, y + 13, size_of(node.shape), USUAL, bold=True)]
    radius = height / 2 if node.kind == "tag" else 4
    lines = [rectangle(x - width / 2, y, width, height, node.kind, radius)]
    found = lines_of(node, widest, words)
    top = y + (height - LINE * len(found)) / 2
    for i, (part, points, color) in enumerate(found):
        lines.append(text(x, top + 10.5 + LINE * i, part, points, color=color))
    return lines
