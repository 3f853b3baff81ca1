"""Pieces of SVG, each a line of text. Lengths are in pixels of a picture ``WIDTH`` wide."""

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape

WIDTH = 1000
INK, PALE = "#1f2933", "#5f6b7a"


def number(value: float) -> str:
    """At most one decimal: the same text on every machine."""
    return f"{round(value, 1) + 0.0:g}"


def text(
    x: float,
    y: float,
    words: str,
    size: float = 11,
    *,
    bold: bool = False,
    color: str = INK,
    anchor: str = "middle",
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" fill="{color}" '
        f'text-anchor="{anchor}"{weight}>{escape(words)}</text>'
    )


def text_width(words: str, size: float) -> float:
    """About how wide a text is in a usual sans-serif."""
    narrow = sum(character in "iljtf.,:;|·'()/ " for character in words)
    return size * (0.58 * len(words) - 0.25 * narrow)


def fitting(words: str, width: float, size: float) -> float:
    """The size at which a text is no wider than that."""
    return min(size, size * width / max(text_width(words, size), 1))


def wrapped(words: str, width: float, size: float) -> list[str]:
    """Lines no wider than that where it can be broken: at spaces, underscores and capitals."""
    lines = [""]
    for part in re.findall(r"[^ _A-Z]*[ _]|[A-Z]+[^ _A-Z]*[ _]?|[^ _A-Z]+", words):
        if lines[-1] and text_width(lines[-1] + part.rstrip(), size) > width:
            lines.append("")
        lines[-1] += part
    return [line.strip() for line in lines]


def rectangle(
    x: float, y: float, width: float, height: float, fill: str, stroke: str, radius: float = 4
) -> str:
    return (
        f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
        f'rx="{number(radius)}" fill="{fill}" stroke="{stroke}"/>'
    )


def polygon(points: Sequence[tuple[float, float]], fill: str, stroke: str) -> str:
    corners = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return f'<polygon points="{corners}" fill="{fill}" stroke="{stroke}" stroke-linejoin="round"/>'


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float = 1) -> str:
    return (
        f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}" '
        f'stroke="{stroke}" stroke-width="{number(width)}"/>'
    )


def arrow(points: Sequence[tuple[float, float]], radius: float = 6) -> str:
    """A path along the points with round corners and a head at its end."""
    path = [f"M{number(points[0][0])} {number(points[0][1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        (x1, y1), (x2, y2) = towards(corner, before, radius), towards(corner, after, radius)
        path.append(f"L{number(x1)} {number(y1)}")
        path.append(f"Q{number(corner[0])} {number(corner[1])} {number(x2)} {number(y2)}")
    path.append(f"L{number(points[-1][0])} {number(points[-1][1])}")
    return (
        f'<path d="{" ".join(path)}" fill="none" stroke="{PALE}" stroke-width="1.3" '
        'marker-end="url(#head)"/>'
    )


def towards(
    start: tuple[float, float], end: tuple[float, float], distance: float
) -> tuple[float, float]:
    """The point that far from the start, and at most half the way."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = max(abs(dx) + abs(dy), 1e-9)  # segments run along the axes
    share = min(distance / length, 0.5)
    return start[0] + share * dx, start[1] + share * dy


def picture(height: float, title: str, body: Sequence[str]) -> str:
    """The whole file, on white with round corners, so that it can be read on dark pages too."""
    h = number(height)
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {h}" width="{WIDTH}" '
            f'height="{h}" font-family="sans-serif" role="img">',
            f"<title>{escape(title)}</title>",
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" '
            f'markerHeight="6" orient="auto"><path d="M0 0L8 4L0 8z" fill="{PALE}"/></marker>',
            "</defs>",
            f'<rect width="{WIDTH}" height="{h}" rx="12" fill="#ffffff"/>',
            *body,
            "</svg>\n",
        )
    )
