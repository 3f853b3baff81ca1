"""A picture as SVG, PNG or PDF, by the extension of a file's name."""

import re
from pathlib import Path

from kkcv.errors import MissingExtra, RequestError

FORMATS = (".svg", ".png", ".pdf")
# The converter sets a text in one font, and takes any that has its characters, also with serifs.
WITH_CHINESE = re.compile(r"<text (?=[^>]*>[^<]*[\u3000-\uffef])")
CHINESE_FONTS = "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif"
PIXELS = 2  # of a PNG, for each of the picture: sharp on paper and on dense screens


def check_format(file: Path) -> None:
    """Refuse another extension, and one for which a library is missing."""
    extension = file.suffix.lower()
    if extension not in FORMATS:
        named = f"got {file.suffix!r} in {file.name}" if extension else f"such as {file.name}.svg"
        raise RequestError(f"a diagram is a .svg, .png or .pdf file, {named}")
    if extension != ".svg":
        try:
            import vl_convert  # noqa: F401
        except ImportError:
            what = f"vl-convert-python, which writes {extension[1:].upper()} files,"
            raise MissingExtra(what, "draw") from None


def converted(svg: str, extension: str) -> bytes:
    """The picture in the format of a file with this extension (check_format).

    PNG and PDF take the fonts of this machine.
    """
    if extension.lower() == ".svg":
        return svg.encode()
    import vl_convert

    svg = WITH_CHINESE.sub(f'<text font-family="{CHINESE_FONTS}" ', svg)
    if extension.lower() == ".png":
        return bytes(vl_convert.svg_to_png(svg, scale=PIXELS))
    return bytes(vl_convert.svg_to_pdf(svg))
