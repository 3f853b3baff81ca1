"""A picture as a file: SVG, PNG or PDF, by the extension of its name."""

import re
from pathlib import Path

from kkcv.disk import write_file
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
        raise RequestError(
            f"a diagram is a .svg, .png or .pdf file, got {file.suffix or 'no extension'!r} "
            f"in {file.name}"
        )
    if extension != ".svg":
        try:
            import vl_convert  # noqa: F401
        except ImportError:
            what = f"vl-convert-python, which writes {extension[1:].upper()} files,"
            raise MissingExtra(what, "draw") from None


def write_picture(svg: str, file: Path) -> None:
    """Write the picture in the format that the file's name says (check_format).

    PNG and PDF take the fonts of this machine. Raises OSError.
    """
    extension = file.suffix.lower()
    if extension == ".svg":
        write_file(file, svg)
        return
    import vl_convert

    svg = WITH_CHINESE.sub(f'<text font-family="{CHINESE_FONTS}" ', svg)
    if extension == ".png":
        write_file(file, vl_convert.svg_to_png(svg, scale=PIXELS))
    else:
        write_file(file, vl_convert.svg_to_pdf(svg))
