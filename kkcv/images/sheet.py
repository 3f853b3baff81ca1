"""Contact sheets: the query beside its hits, or pictures alone, as one picture."""

import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from kkcv.disk import write_file, writing
from kkcv.errors import RequestError

from .skipped import MARK
from .source import label_of

CELL = 224  # side of the square that each picture is fitted into
GAP = 20
LABEL = 28  # height of the line above a picture
LINE = 22  # height of a line below it
TEXT = 16  # height of its letters
MOST_LINES = 2  # of a caption

PAPER, INK, FAINT = "#ffffff", "#18181b", "#71717a"
# over the hits beyond the divider, which are drawn paler
BY_CHANCE, NO_COPY = "no more than chance", "not confirmed"
PALE = 0.35  # as dark as the others
BACKDROP, FRAME = "#f4f4f5", "#2563eb"

# Pillow has a Latin font. For other scripts, the first of these on the system.
FONTS = (
    "NotoSansCJK-Regular.ttc",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "msyh.ttc",
    "wqy-zenhei.ttc",
    "wqy-microhei.ttc",
    "NotoSansCJKsc-Regular.otf",
    "DejaVuSans.ttf",
    "Arial Unicode.ttf",
    "arial.ttf",
)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def contact_sheet(
    query: np.ndarray | None,
    hits: Sequence[tuple[np.ndarray, str]],
    *,
    title: str | None = None,
    columns: int = 5,
    divider: int | None = None,
    beyond: str = BY_CHANCE,
    say: Callable[[str], str] = str,
) -> np.ndarray:
    """The query, framed, and to its right the hits by rank with their captions.

    Args:
        query: uint8 (H, W, 3), of any size, as are the pictures of the hits; None for a grid of
            the hits alone.
        hits: best first; a caption has up to two lines, and is cut with ``…``.
        divider: hits after this rank are pale, and ``beyond`` stands above them.
        say: puts the sheet's own words into another language.

    Returns:
        uint8 (height, width, 3).
    """
    asked, none, beyond = say("query"), say("nothing found"), say(beyond)
    font = font_for("".join([title or "", asked, *(caption for _, caption in hits)]))
    across = max(1, min(columns, len(hits)))
    down = max(1, -(-len(hits) // across))
    top = GAP + (LINE + GAP // 2 if title else 0)
    cell_height = LABEL + CELL + MOST_LINES * LINE + GAP
    left = GAP if query is None else GAP + CELL + 2 * GAP  # of the first hit
    size = (left + across * (CELL + GAP), top + down * cell_height + GAP // 2)

    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    if title:
        write(draw, (GAP, GAP // 2), title, font, INK, size[0] - 2 * GAP)
    if query is not None:
        _place(sheet, (GAP, top), query, asked, "", font, FRAME)
        rule = GAP + CELL + GAP
        draw.line([(rule, top), (rule, size[1] - GAP)], fill="#e4e4e7", width=2)
    if not hits:
        write(draw, (left, top + LABEL + CELL // 2), none, font, FAINT, CELL)
    for rank, (pixels, caption) in enumerate(hits):
        at = (left + rank % across * (CELL + GAP), top + rank // across * cell_height)
        _place(sheet, at, *ranked(pixels, rank, divider, beyond), caption, font, FAINT)
    return np.array(sheet)


def ranked(
    pixels: np.ndarray, rank: int, divider: int | None, beyond: str
) -> tuple[np.ndarray, str]:
    """A picture and its number, both of which say whether it lies beyond the divider."""
    if divider is None or rank < divider:
        return pixels, f"{rank + 1}"
    pale = 255 - (255 - pixels.astype(np.float32)) * PALE
    return pale.astype(np.uint8), f"{rank + 1}  {beyond}"


def outlined(pixels: np.ndarray, corners: Sequence[tuple[float, float]]) -> np.ndarray:
    """A picture with an outline through corners (x, y), as fractions of its size.

    uint8 (H, W, 3) → (H, W, 3).
    """
    image = Image.fromarray(pixels)
    points = [(x * image.width, y * image.height) for x, y in corners]
    ImageDraw.Draw(image).polygon(points, outline=FRAME, width=max(2, max(image.size) // 60))
    return np.array(image)


def check_png(path: str | os.PathLike[str]) -> None:
    """Raises RequestError for a name that says another format than PNG."""
    extension = Path(path).suffix.lower()
    if extension not in ("", ".png"):  # a device or a link may have none
        raise RequestError(
            f"{label_of(path)}the picture is written as PNG: name a .png file, not {extension}"
        )


def save_png(path: str | os.PathLike[str], pixels: np.ndarray) -> None:
    """Write uint8 (H, W, 3) as a PNG, over nothing but an earlier PNG of kkcv or an empty file.

    Raises:
        RequestError: it is not a .png, cannot be written to, or something else is there.
    """
    path = Path(path)
    check_png(path)
    marked = PngInfo()
    marked.add_text(*MARK)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, format="PNG", pnginfo=marked)
    with writing(path, RequestError):
        if not may_be_replaced(path):
            raise RequestError(f"{label_of(path)}there is something else already; name a new file")
        write_file(path, data.getvalue())


def may_be_replaced(path: Path) -> bool:
    """Whether nothing is lost: there is no file, an empty one, or one of ``save_png``."""
    if not path.is_file() or not path.stat().st_size:  # the system refuses to replace a folder
        return True
    try:
        with Image.open(path) as image:
            return image.info.get(MARK[0]) == MARK[1]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False


def _place(
    sheet: Image.Image,
    at: tuple[int, int],
    pixels: np.ndarray,
    label: str,
    caption: str,
    font: Font,
    color: str,
) -> None:
    """One picture with its label above and its caption below."""
    draw = ImageDraw.Draw(sheet)
    x, y = at
    write(draw, (x, y), label, font, color, CELL)
    y += LABEL
    square = (x, y, x + CELL - 1, y + CELL - 1)
    draw.rectangle(square, fill=BACKDROP)
    picture = fitted(pixels, CELL)
    sheet.paste(picture, (x + (CELL - picture.width) // 2, y + (CELL - picture.height) // 2))
    if color == FRAME:
        draw.rectangle([x - 4, y - 4, x + CELL + 3, y + CELL + 3], outline=FRAME, width=4)
    for number, line in enumerate(caption.split("\n")[:MOST_LINES]):
        below = (x, y + CELL + 4 + number * LINE)
        write(draw, below, line, font, FAINT if number else INK, CELL)


def fitted(pixels: np.ndarray, side: int) -> Image.Image:
    """A picture whose longer side is that of a square; small ones are enlarged."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)


def write(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, font: Font, color: str, width: int
) -> None:
    """One line, cut to the width in pixels."""
    text = "".join(c if c.isprintable() else "?" for c in text[:200])
    while text and font.getlength(text) > width:
        text = text.removesuffix("…")[:-1] + "…" if len(text) > 1 else ""
    middle = (at[0], at[1] + LINE // 2)  # fonts differ in their ascent
    draw.text(middle, text, fill=color, font=font, anchor="lm")


def draws_chinese() -> bool:
    """Whether a font on this system can: characters that it lacks all look the same."""
    one, other = (bytes(font_for(text).getmask(text)) for text in "中国")
    return one != other


def font_for(text: str) -> Font:
    if not text.isascii():
        for name in FONTS:
            try:
                return ImageFont.truetype(name, TEXT)
            except OSError:
                continue
    return ImageFont.load_default(TEXT)
