"""Image formats by their first bytes: those that kkcv opens, and some that it refuses.

The name of a file says nothing: a JPEG called ``.png`` is common. The first bytes choose the one
decoder that gets to see the rest, so the obscure formats of Pillow (EPS runs programs) are never
tried.
"""

import re
from functools import cache
from typing import NamedTuple

from kkcv.extras import is_installed

OTHERS = "other files"
EXTENSION = re.compile(r"(?<=.)\.(?=[0-9]*[a-z])[a-z0-9]{1,10}$", re.IGNORECASE)  # no numbers


class Format(NamedTuple):
    name: str  # in Pillow
    extensions: tuple[str, ...]  # of files that find_pictures yields
    magic: re.Pattern[bytes]  # matches the first bytes


def _format(name: str, extensions: str, magic: bytes) -> Format:
    return Format(name, tuple(extensions.split()), re.compile(magic, re.DOTALL))


# An ISO container names its brands in the first box: ftyp, major brand, version, more brands.
_AVIF = rb"....ftyp(?:avif|avis|(?:mif1|msf1|miaf)....(?:....){0,12}?(?:avif|avis))"
_HEIF = rb"....ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1|heif)"

FORMATS: tuple[Format, ...] = (
    _format("JPEG", ".jpg .jpeg .jpe .jfif .mpo", rb"\xff\xd8\xff"),
    _format("PNG", ".png .apng", rb"\x89PNG\r\n\x1a\n"),
    _format("GIF", ".gif", rb"GIF8[79]a"),
    _format("WEBP", ".webp", rb"RIFF....WEBP"),
    _format("BMP", ".bmp .dib", rb"BM"),
    _format("TIFF", ".tif .tiff", rb"II[*+]\0|MM\0[*+]|MM[*]\0|II\0[*]"),
    _format("AVIF", ".avif", _AVIF),
    _format("HEIF", ".heic .heif .hif", _HEIF),
    _format("JPEG2000", ".jp2 .j2k .jpc .jpf .jpx", rb"\xffO\xffQ|\0\0\0\x0cjP  \r\n\x87\n"),
    _format("ICO", ".ico", rb"\x00\x00\x01\x00"),
    _format("PPM", ".ppm .pgm .pbm .pnm .pfm", rb"P[1-6f][\s#]"),
    _format("PSD", ".psd", rb"8BPS"),
    _format("QOI", ".qoi", rb"qoif"),
    _format("JXL", ".jxl", rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"),
)
RAW = (
    *(".nef", ".nrw", ".cr2", ".cr3", ".arw", ".sr2", ".dng", ".orf", ".rw2", ".raf", ".pef"),
    *(".srw", ".3fr", ".iiq", ".rwl", ".x3f"),
)
# By extension: the module that opens such files, and the extra that installs it.
WITH_EXTRAS = {".jxl": ("pillow_jxl", "jxl"), **dict.fromkeys(RAW, ("rawpy", "raw"))}
# Files sent by mistake, which the error message names.
KNOWN_BUT_NOT_OPENED: tuple[Format, ...] = (
    _format("PDF", ".pdf", rb"%PDF"),
    _format("EPS", ".eps", rb"%!PS|\xc5\xd0\xd3\xc6"),
    _format(
        "SVG", ".svg", rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?(?:<!DOCTYPE svg[^>]*>\s*)?<svg"
    ),
    _format("video", ".mp4 .mov", rb"....ftyp(?:isom|iso[2-6]|mp4[12]|qt  |M4V |3gp)"),
)


def sniff(data: bytes, formats: tuple[Format, ...] = FORMATS) -> Format | None:
    """The format by the first bytes, or None."""
    head = data[:1024]
    return next((each for each in formats if each.magic.match(head)), None)


@cache
def extensions() -> frozenset[str]:
    """Extensions of the files that this installation opens."""
    usual = {extension for each in FORMATS for extension in each.extensions} - {".jxl"}
    return frozenset(usual) | {e for e, (module, _) in WITH_EXTRAS.items() if is_installed(module)}


def passed_over(name: str) -> str:
    """The kind under which another file is counted: ``.NEF``, or other files."""
    found = EXTENSION.search(name)
    return found[0].upper() if found else OTHERS


def with_hint(kind: str) -> str:
    """``.NEF (pip install 'kkcv[raw]')``"""
    extra = WITH_EXTRAS.get(kind.lower())
    return f"{kind} (pip install 'kkcv[{extra[1]}]')" if extra else kind


def extension(data: bytes) -> str:
    """The usual extension of what the first bytes announce (``".jpg"``), or ``""``."""
    found = sniff(data)
    return found.extensions[0] if found else ""
