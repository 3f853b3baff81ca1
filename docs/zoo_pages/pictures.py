"""Pictures of all families, from recorded facts.

Accuracy against multiply-adds and against parameters, the time line with who took what from whom,
and the curves of what was trained here.
"""

import math
import tomllib
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from kkcv.zoo.diagram.metrics import text_width
from kkcv.zoo.diagram.svg import SMALL, circle, line, picture, rectangle, text
from kkcv.zoo.labels import LANGUAGES
from kkcv.zoo.pages import Words
from kkcv.zoo.recorded import Recorded, families, networks
from kkcv.zoo.weights import published

from .trained import results

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 960, 760, 64, 64, 24, 56
WIDE = 1360  # of the time line
COLORS = tuple(f"kind{i}-name" for i in range(8))
Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right, bottom


def pictures() -> Mapping[str, str]:
    """Every picture by its path inside the documentation."""
    found = {}
    for language in LANGUAGES:
        words, folder = Words(language), "zh/images/" if language == "zh" else "images/"
        found[f"{folder}zoo-accuracy.svg"] = accuracy(words, "macs", lambda known: known.macs)
        found[f"{folder}zoo-parameters.svg"] = accuracy(
            words, "parameters", lambda known: known.parameters
        )
        found[f"{folder}zoo-tree.svg"] = tree(words)
        found[f"{folder}zoo-trained.svg"] = curves(words)
    return found


def color(family: str) -> str:
    return COLORS[list(families()).index(family) % len(COLORS)]


def accuracy(words: Words, axis: str, size: Callable[[Recorded], int]) -> str:
    """Top-1 of the default public weights against a count, each family joined by a line."""
    known = [(n, top1) for n in networks().values() if (top1 := first_top1(n.name))]
    low, high = (fold(math.log10(size(n)) for n, _ in known) for fold in (min, max))
    tops = [top1 for _, top1 in known]
    bottom, top = 5 * math.floor(min(tops) / 5), 5 * math.ceil(max(tops) / 5)
    scale = Scale((math.floor(low * 4) / 4, math.ceil(high * 4) / 4), (bottom, top))
    body = [*scale.frame(words(axis), words("top1_percent"))]
    for exponent in range(math.ceil(scale.x[0]), math.floor(scale.x[1]) + 1):
        x, _ = scale.at(exponent, bottom)
        body.append(text(x, HEIGHT - BOTTOM + 18, power(exponent)))
    for value in range(bottom, top + 1, 5):
        _, y = scale.at(scale.x[0], value)
        body += [line(LEFT, y, WIDTH - RIGHT, y, "rule"), text(LEFT - 18, y + 4, str(value))]
    placed = {
        family.title: [
            scale.at(math.log10(size(n)), top1) for n, top1 in known if n.family == family.name
        ]
        for family in families().values()
    }
    for family in families().values():
        body += joined(sorted(placed[family.title]), color(family.name))
    names = places_of_names({title: points for title, points in placed.items() if points})
    for family in families().values():
        if family.title in names:
            body += named(family.title, *names[family.title], color(family.name))
    return picture(WIDTH, HEIGHT, words(f"{axis}_picture"), "auto", body)


def first_top1(name: str) -> float | None:
    """Top-1 of the default public weights in percent, where their publisher reports it."""
    return next((weights.top1 for weights in published(name)[:1]), None)


class Scale:
    """From values to places on the picture."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.x, self.y = x, y

    def at(self, x: float, y: float) -> Point:
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return (
            LEFT + across * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM),
        )

    def frame(self, x: str, y: str) -> Iterator[str]:
        yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, x, 12)
        yield text(LEFT - 40, TOP - 24, y, 12, anchor="start")
        yield line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "wire")


def power(exponent: int) -> str:
    return {6: "1 M", 7: "10 M", 8: "100 M", 9: "1 G", 10: "10 G", 11: "100 G"}[exponent]


def joined(points: list[Point], name: str) -> Iterator[str]:
    for (x1, y1), (x2, y2) in pairwise(points):
        yield line(x1, y1, x2, y2, "rule")
    yield from (circle(x, y, 3.5, name) for x, y in points)


def places_of_names(points: Mapping[str, list[Point]]) -> dict[str, tuple[Box, Point]]:
    """A box for each name, and the point it names: the nearest that is free.

    A name stands beside any of its points, and covers no point and no other name. Those with few
    points choose first.
    """
    every = [point for some in points.values() for point in some]
    found: dict[str, tuple[Box, Point]] = {}
    for title in sorted(points, key=lambda title: len(points[title])):
        found[title] = min(
            (
                (box, point)
                for point in points[title]
                for box in around(point, text_width(title, SMALL))
                if not any(apart(box, other) < 5 for other in every)
                and all(separate(box, other) for other, _ in found.values())
            ),
            key=lambda place: apart(*place),
        )
    return found


def around(point: Point, wide: float) -> Iterator[Box]:
    """Boxes of a name inside the picture: right, left, above and below of a point."""
    x, y = point
    for left in (x + 7, x - wide / 2, x - 7 - wide):
        for step in range(-60, 61, 3):
            box = (left, y + step - 6, left + wide, y + step + 6)
            inside = box[0] > LEFT and box[2] < WIDTH - RIGHT
            if inside and box[1] > TOP - 20 and box[3] < HEIGHT - BOTTOM:
                yield box


def nearest(box: Box, point: Point) -> Point:
    """The place of a box that is nearest to a point."""
    left, top, right, bottom = box
    return min(max(point[0], left), right), min(max(point[1], top), bottom)


def apart(box: Box, point: Point) -> float:
    return math.dist(nearest(box, point), point)


def separate(box: Box, other: Box) -> bool:
    across = box[2] + 4 < other[0] or other[2] + 4 < box[0]
    return across or box[3] < other[1] or other[3] < box[1]


def named(title: str, box: Box, point: Point, name: str) -> Iterator[str]:
    """A name, with a line to its point where it is not beside it."""
    left, top, right, bottom = box
    if apart(box, point) > 9:
        yield line(*point, *nearest(box, point), "wire")
    yield rectangle(left, top, right - left, bottom - top, "paper", 0)
    yield text(left, bottom - 2, title, color=name, anchor="start")


def tree(words: Words) -> str:
    """The time line: families by year, joined with those they took something from."""
    known = tomllib.loads(Path(__file__).with_name("tree.toml").read_text(encoding="utf-8"))
    years = sorted({family.paper.year for family in families().values()})
    column = (WIDE - 40) / len(years)
    places: dict[str, Point] = {}
    for i, row in enumerate(known["rows"]):
        for name in row:
            year = years.index(families()[name].paper.year)
            places[name] = (20 + column * (year + 0.5), 96 + i * 62)
    height = max(y for _, y in places.values()) + 60
    body = [text(20 + column * (i + 0.5), 40, str(y), 13, bold=True) for i, y in enumerate(years)]
    notes: list[tuple[float, float, str]] = []
    for start, end, english, chinese in known["edges"]:
        (x1, y1), (x2, y2) = places[start], places[end]
        body.append(line(x1, y1 - 14, x2, y2 - 14, "wire", 1))
        said = chinese if words.language == "zh" else english
        notes.append((x2, y2 + 16, f"+ {said}"))
    for name, (x, y) in places.items():
        title = families()[name].title.replace(" (Inception v1)", "").replace(" (BN-Inception)", "")
        half = text_width(title, 12, bold=True) / 2
        body += [
            rectangle(x - half, y - 9, 2 * half, 14, "paper", 0),
            circle(x, y - 14, 3.5, color(name)),
            text(x, y + 2, title, 12, bold=True),
        ]
    for x, y, said in notes:
        half = text_width(said, 11) / 2
        body += [
            rectangle(x - half, y - 10, 2 * half, 13, "paper", 0),
            text(x, y, said, color="pale"),
        ]
    return picture(WIDE, height, words("tree_picture"), "auto", body)


def curves(words: Words) -> str:
    """A panel a family: right answers on the test digits over seconds of processor time."""
    found = results()
    longest = max((row.curve[-1][0] for row in found.values()), default=1.0)
    body = [text(20, 28, f"{words('test_percent')} / {words('seconds')}", 12, anchor="start")]
    width, height, across = 184, 132, 5
    for i, (name, row) in enumerate(found.items()):
        left, top = 20 + width * (i % across), 48 + height * (i // across)
        last = f"{100 * row.curve[-1][2]:.0f}%"
        title = families()[name].title.partition(" (")[0]
        body += [
            text(left, top + 12, title, 11, bold=True, anchor="start"),
            text(left + width - 16, top + 12, last, 11, anchor="end"),
            line(left, top + 20, left + width - 16, top + 20, "rule"),
            line(left, top + 108, left + width - 16, top + 108, "wire"),
        ]
        points = [
            (left + seconds / longest * (width - 16), top + 108 - 88 * right)
            for seconds, _, right in row.curve
        ]
        for (x1, y1), (x2, y2) in pairwise([(left, top + 108 - 88 * 0.1), *points]):
            body.append(line(x1, y1, x2, y2, "wire", 1.4))
        body += [circle(x, y, 2.5, color(name)) for x, y in points]
    tall = 60 + height * math.ceil(len(found) / across)
    return picture(WIDTH, tall, words("trained_picture"), "auto", body)
