"""Facts of a photograph from its file: EXIF, XMP and IPTC, in one small dictionary.

``taken`` is the time of the camera's clock, ``YYYY-MM-DDTHH:MM:SS`` without a zone; ``width`` and
``height`` are those of the upright picture; ``orientation`` is how its pixels are stored (1 to 8).
"""

import io
import math
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from PIL import Image, ImageFile, IptcImagePlugin

from .decode import image_size
from .formats import sniff
from .quiet import quiet
from .xmp import properties

EXIF_IFD, GPS_IFD = 0x8769, 0x8825  # tags that lead to the other tables of tags
MAKE, MODEL, LENS_MODEL, RATING, XP_KEYWORDS = 0x010F, 0x0110, 0xA434, 0x4746, 0x9C9E
ORIENTATION, XMP = 0x0112, 700
DATES = (0x9003, 0x9004, 0x0132)  # taken, digitized; scanners write the date of the file only
XMP_DATES = ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate")
XMP_LENSES = ("exifEX:LensModel", "aux:Lens")
MARKS = (b"Exif\0\0", b"http://ns.adobe.com/xap/", b"Photoshop 3.0")  # begin segments of a JPEG
MOST_KEYWORDS, LONGEST = 100, 200  # so that metadata stay within their limit


class Blocks(NamedTuple):
    """The metadata of a file, as Pillow and XMP have them."""

    exif: Image.Exif
    xmp: Mapping[str, Sequence[str]]
    keywords: Sequence[str]  # of IPTC
    size: tuple[int, int]  # width and height, upright


def exif_of(data: bytes) -> dict[str, Any]:
    """Facts of the photograph; nothing where the bytes have neither EXIF nor XMP.

    A key is left out where the file does not say it, or says what cannot be. Whatever the bytes
    are, nothing is raised.
    """
    try:
        with quiet():
            blocks = blocks_of(data)
            return described(blocks) if blocks else {}
    except Exception:  # broken metadata must not lose the picture
        return {}


def blocks_of(data: bytes) -> Blocks | None:
    found = sniff(data)
    if found is None or found.name not in ("JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF", "JXL"):
        return None
    if found.name == "JPEG" and not any(s.startswith(MARKS) for s in jpeg_segments(data)):
        return None  # as of most pictures of the web: no need to open it
    if found.name == "PNG":
        return blocks_of_png(data)
    if found.name == "TIFF":
        exif = Image.Exif()
        exif.load(data)
        return Blocks(exif, properties(as_bytes(exif.get(XMP))), (), image_size(data))
    if found.name == "HEIF":
        from pi_heif import HeifImageFile

        image: ImageFile.ImageFile = HeifImageFile(io.BytesIO(data))
    else:
        if found.name == "JXL":
            import pillow_jxl  # noqa: F401  # tells Pillow of it
        image = Image.open(io.BytesIO(data), formats=[found.name])
    with image:
        exif, xmp = image.getexif(), properties(as_bytes(image.info.get("xmp")))
        keywords = iptc_keywords(image) if "photoshop" in image.info else ()
        size = upright(image.size, exif)  # image_size would open it again
    return Blocks(exif, xmp, keywords, size) if exif or xmp or keywords else None


def jpeg_segments(data: bytes) -> Iterator[bytes]:
    """The first bytes of each segment before the pixels."""
    at = 2  # behind the marker of the start
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] != b"\xda" and at + 4 <= len(data):
        yield data[at + 4 : at + 40]  # enough for the longest mark
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")


def blocks_of_png(data: bytes) -> Blocks | None:
    """From the chunks: Pillow would decode the pixels to find those at the end."""
    exif, xmp = Image.Exif(), {}
    for kind, content in png_chunks(data):
        if kind == b"eXIf":
            exif.load(content)
        elif kind == b"iTXt" and content.startswith(b"XML:com.adobe.xmp\0"):
            xmp = properties(content[content.find(b"<") :])
    if not exif and not xmp:
        return None
    width, height = struct.unpack_from(">2I", data, 16)
    return Blocks(exif, xmp, (), upright((width, height), exif))


def upright(size: tuple[int, int], exif: Image.Exif) -> tuple[int, int]:
    """The size of stored pixels as it is when they are turned."""
    return size[::-1] if exif.get(ORIENTATION) in (5, 6, 7, 8) else size


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8  # behind the signature
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind in (b"eXIf", b"iTXt"):
            yield kind, data[at + 8 : at + 8 + size]
        at += size + 12


def described(blocks: Blocks) -> dict[str, Any]:
    exif, xmp, _, (width, height) = blocks
    more, place = exif.get_ifd(EXIF_IFD), exif.get_ifd(GPS_IFD)
    tags = {**exif, **more}
    orientation = exif.get(ORIENTATION)
    found = {
        "taken": taken(tags, xmp),
        "camera": camera(
            text(tags.get(MAKE)) or first(xmp, "tiff:Make"),
            text(tags.get(MODEL)) or first(xmp, "tiff:Model"),
        ),
        "lens": text(tags.get(LENS_MODEL)) or first(xmp, *XMP_LENSES),
        "width": width,
        "height": height,
        "orientation": orientation if orientation in range(1, 9) else None,
        **where(place, xmp),
        "rating": rating(tags.get(RATING) or first(xmp, "xmp:Rating")),
        "keywords": keywords(blocks, tags),
    }
    said = {name: value for name, value in found.items() if value not in (None, "", [])}
    return said if len(said) > 2 else {}  # the sizes alone are no news of the photograph


def taken(tags: Mapping[int, Any], xmp: Mapping[str, Sequence[str]]) -> str | None:
    """The first date that is one."""
    for said in [text(tags.get(tag)) for tag in DATES[:2]] + [
        *(first(xmp, name) for name in XMP_DATES),
        text(tags.get(DATES[2])),
    ]:
        clock = re.match(r"(\d{4})[:-](\d\d)[:-](\d\d)[T ](\d\d):(\d\d)(?::(\d\d))?", said)
        try:
            if clock:
                year, month, day, hour, minute, second = map(int, clock.groups("0"))
                return datetime(year, month, day, hour, minute, second).isoformat()
        except ValueError:  # 0000:00:00 where the camera's clock was not set
            continue
    return None


def camera(make: str, model: str) -> str:
    """Maker and model once each: "Canon", "Canon EOS 5D" → "Canon EOS 5D"."""
    repeated = model and model.lower().split()[0] in make.lower().split()
    return model if repeated else f"{make} {model}".strip()


def where(place: Mapping[int, Any], xmp: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Latitude and longitude in degrees, north and east positive; both or none."""
    latitude = degrees(place.get(2), text(place.get(1)), 90)
    longitude = degrees(place.get(4), text(place.get(3)), 180)
    if latitude is None or longitude is None:
        latitude = degrees_in_words(first(xmp, "exif:GPSLatitude"), 90)
        longitude = degrees_in_words(first(xmp, "exif:GPSLongitude"), 180)
    if latitude is None or longitude is None or latitude == longitude == 0:
        return {}  # receivers write 0, 0 before they have found the place
    return {"latitude": latitude, "longitude": longitude}


def degrees(parts: Any, side: str, most: int) -> float | None:
    """From degrees, minutes and seconds; ``side`` is N, S, E or W."""
    if not isinstance(parts, tuple | list) or not parts:
        return None
    value = sum(float(part) / 60**n for n, part in enumerate(parts[:3]))
    if not math.isfinite(value) or not 0 <= value <= most:
        return None
    return round(-value if side.upper().startswith(("S", "W")) else value, 6)  # 0.1 m


def degrees_in_words(words: str, most: int) -> float | None:
    """Degrees as XMP writes them: ``52,31.2N`` or ``52,31,12N``."""
    good = re.fullmatch(r"(\d+),(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?([NSEW])", words)
    return (
        degrees([float(each or 0) for each in good.groups()[:3]], good[4], most) if good else None
    )


def rating(said: Any) -> int | None:
    """Stars from 1 to 5, or -1 for rejected; 0 is no rating."""
    try:
        stars = int(float(said))
    except (TypeError, ValueError, OverflowError):
        return None
    return stars if stars in (-1, 1, 2, 3, 4, 5) else None


def keywords(blocks: Blocks, tags: Mapping[int, Any]) -> list[str]:
    windows = as_bytes(tags.get(XP_KEYWORDS)).decode("utf-16-le", "ignore").split(";")
    said = [*blocks.xmp.get("dc:subject", ()), *blocks.keywords, *windows]
    return list(dict.fromkeys(filter(None, map(text, said))))[:MOST_KEYWORDS]


def iptc_keywords(image: ImageFile.ImageFile) -> list[str]:
    found = (IptcImagePlugin.getiptcinfo(image) or {}).get((2, 25), [])
    return [text(each) for each in (found if isinstance(found, list) else [found])]


def first(xmp: Mapping[str, Sequence[str]], *names: str) -> str:
    return next((text(value) for name in names for value in xmp.get(name, ())), "")


def text(value: Any) -> str:
    """Text without what cannot be stored or shown, cut to a sane length."""
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            value = value.decode("latin-1")
    if not isinstance(value, str):
        return ""
    shown = "".join(c if c.isprintable() else " " for c in value.partition("\0")[0])
    return " ".join(shown.split())[:LONGEST]


def as_bytes(value: Any) -> bytes:
    if isinstance(value, tuple):
        value = bytes(each for each in value if isinstance(each, int) and 0 <= each < 256)
    return value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else b""
