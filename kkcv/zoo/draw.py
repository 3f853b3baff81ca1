"""An architecture diagram of a network, drawn from the network itself.

Stages stand from left to right as boxes, as high as their map's resolution and as thick as its
channels; below them every form of block once, as a graph traced from its ``forward``, and what else
the paper is about: towers, dense connections, auxiliary heads.
"""

from .diagram.anatomy import Anatomy, anatomy
from .diagram.metrics import wrapped
from .diagram.panels import draw_panels, panels
from .diagram.stages import draw_stages
from .diagram.svg import SMALL, USUAL, line, picture, placed, text
from .network import Paper
from .pages import DIAGRAM, Words, short
from .registry import spec

WIDTH, PHONE = 640, 328  # of a page's column, and of a phone's


def draw(name: str, *, lang: str = "en", theme: str = "light", width: int = WIDTH) -> str:
    """The diagram of a network as the text of an SVG file.

    Args:
        name: A network of the zoo.
        lang: The language of the words, ``en`` or ``zh``.
        theme: ``light``, ``dark``, or ``auto`` for what the reader's system or page has.
        width: The pixels for which it is laid out, 320 or more. No text is smaller than 11 of them.

    Raises UnknownNetwork.
    """
    found, words, margin = anatomy(spec(name).name), Words(lang, DIAGRAM), margin_of(width)
    room = width - 2 * margin
    body, y = heading(found, width, words)
    strip = draw_stages(found.columns, room, words)
    body += placed(strip, margin, y)
    y += strip.height + 12
    body.append(line(margin, y, width - margin, y, "rule"))
    below = draw_panels(list(panels(found, words)), room)
    body += placed(below, margin, y + 14)
    title = f"{found.spec.family.title}: {found.spec.name}"
    return picture(width, y + 14 + below.height, title, theme, body)


def margin_of(width: int) -> int:
    return 20 if width >= 480 else 12


def heading(found: Anatomy, width: int, words: Words) -> tuple[list[str], float]:
    """Family, network, cost, paper, and how to read the boxes; and where it ends."""
    known, measured = found.spec, found.cost
    figures = words(
        "figures",
        parameters=short(measured.parameters),
        macs=short(measured.macs),
        size="×".join(map(str, measured.input_size)),
        dim=known.embedding_dim,
    )
    rows = (
        (known.family.title, 20.0, True, "ink"),
        (known.name, 14.0, True, "ink"),
        (figures, USUAL, False, "ink"),
        (source(known.family.paper, words), SMALL, False, "pale"),
        (words("how"), SMALL, False, "pale"),
    )
    margin = margin_of(width)
    lines, y = [], 12.0
    for said, size, bold, color in rows:
        for part in wrapped(said, width - 2 * margin, size, bold=bold):
            y += round(size * 1.35)  # the usual distance of lines
            lines.append(text(margin, y, part, size, bold=bold, color=color, anchor="start"))
        y += 3
    return lines, y + 16


def source(paper: Paper, words: Words) -> str:
    """The citation, with three authors at most."""
    authors = paper.authors
    if authors.count(",") > 3:  # so many fit into a line
        authors = words("et_al", first=", ".join(authors.split(", ")[:3]))
    return f"{authors}: {paper.title}. {paper.published}."
