"""Pieces of SVG, each a line of text. Lengths are in pixels; colors are classes of theme.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from .metrics import FONTS
from .theme import style

SMALL, USUAL, LARGE = 11.0, 12.0, 13.0  # sizes of text; nothing is smaller
RADIUS = 6.0  # of the corners of wires


@dataclass(frozen=True)
class Drawn:
    """Lines of SVG of a size, from (0, 0)."""

    lines: list[str]
    width: float
    height: float


def number(value: float) -> str:
    """At most one decimal: the same text on every machine."""
    return f"{round(value, 1) + 0.0:g}"  # + 0.0: never "-0"


def text(
    x: float,
    y: float,
    words: str,
    size: float = SMALL,
    *,
    bold: bool = False,
    color: str = "ink",
    anchor: str = "middle",
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" class="{color}" '
        f'text-anchor="{anchor}"{weight}>{escape(words)}</text>'
    )


def rectangle(
    x: float, y: float, width: float, height: float, color: str, radius: float = 4
) -> str:
    return (
        f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
        f'rx="{number(radius)}" class="{color}"/>'
    )


def polygon(points: Sequence[tuple[float, float]], color: str) -> str:
    corners = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return f'<polygon points="{corners}" class="{color}" stroke-linejoin="round"/>'


def circle(x: float, y: float, radius: float, color: str) -> str:
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" class="{color}"/>'


def line(x1: float, y1: float, x2: float, y2: float, color: str, width: float = 1) -> str:
    return (
        f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}" '
        f'class="{color}" stroke-width="{width:.2g}"/>'
    )


def wire(points: Sequence[tuple[float, float]]) -> str:
    """A path along the points with round corners and a head at its end."""
    path = [f"M{number(points[0][0])} {number(points[0][1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        (x1, y1), (x2, y2) = towards(corner, before, RADIUS), towards(corner, after, RADIUS)
        path.append(f"L{number(x1)} {number(y1)}")
        path.append(f"Q{number(corner[0])} {number(corner[1])} {number(x2)} {number(y2)}")
    path.append(f"L{number(points[-1][0])} {number(points[-1][1])}")
    return curve("".join(path), head=True)


def curve(path: str, *, head: bool) -> str:
    end = ' marker-end="url(#head)"' if head else ""
    return f'<path d="{path}" class="wire" stroke-width="1.3"{end}/>'


def towards(
    start: tuple[float, float], end: tuple[float, float], distance: float
) -> tuple[float, float]:
    """The point that far from the start, and at most half the way."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = max(abs(dx) + abs(dy), 1e-9)  # segments run along the axes
    share = min(distance / length, 0.5)  # else two corners of a short segment would cross
    return start[0] + share * dx, start[1] + share * dy


def placed(drawn: Drawn, x: float, y: float) -> list[str]:
    return [f'<g transform="translate({number(x)},{number(y)})">', *drawn.lines, "</g>"]


def picture(width: float, height: float, title: str, theme: str, body: Sequence[str]) -> str:
    """The whole file, on paper of its own, so that it can be read on any page."""
    w, h = number(width), number(height)
    body = [f'<rect width="{w}" height="{h}" rx="12" class="paper"/>', *body]
    marker = (
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" '
        'markerHeight="6" orient="auto"><path d="M0 0L8 4L0 8z" class="head"/></marker></defs>'
    )
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" '
            f'height="{h}" font-family={quoteattr(FONTS)} role="img">',
            f"<title>{escape(title)}</title>",
            f"<style>{style(theme, [marker, *body])}</style>",
            marker,
            *body,
            "</svg>\n",
        )
    )
