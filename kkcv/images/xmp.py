"""Properties of an XMP packet: XML that programs for photographs write into files."""

import xml.etree.ElementTree as ET

LONGEST = 2**20  # bytes
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
NAMESPACES = {
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
}


def properties(packet: bytes) -> dict[str, list[str]]:
    """The texts of each property, such as ``dc:subject``; nothing of a packet that is broken."""
    if len(packet) > LONGEST or b"<!" in packet.replace(b"<!--", b""):  # entities are not for XMP
        return {}
    try:
        root = ET.fromstring(packet.strip(b"\0 \r\n"))  # noqa: S314  # without entities, see above
    except (ET.ParseError, ValueError, LookupError):
        return {}
    found: dict[str, list[str]] = {}
    for description in root.iter(f"{RDF}Description"):
        for tag, value in description.attrib.items():
            found.setdefault(named(tag), []).append(value)
        for element in description:
            items = [item.text or "" for item in element.iter(f"{RDF}li")]
            found.setdefault(named(element.tag), []).extend(items or [element.text or ""])
    return {name: [text.strip() for text in texts if text.strip()] for name, texts in found.items()}


def named(tag: str) -> str:
    """``{http://purl.org/dc/elements/1.1/}subject`` → ``dc:subject``"""
    space, _, name = tag.removeprefix("{").rpartition("}")
    return f"{NAMESPACES.get(space, space)}:{name}"
