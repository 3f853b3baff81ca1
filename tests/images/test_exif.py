"""EXIF, XMP and IPTC of every format that carries them."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from kkcv.images.exif import exif_of

XMP = b"""<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"
xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmp:Rating="3" xmp:CreateDate="2019-07-08T09:10:11+02:00"
exif:GPSLatitude="33,51.6S" exif:GPSLongitude="151,12,36E" aux:Lens="35 mm" tiff:Make="Leica"
tiff:Model="M9"><dc:subject><rdf:Bag><rdf:li>beach</rdf:li><rdf:li> \xe7\x8c\xab </rdf:li>
</rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
OF_XMP = {
    "taken": "2019-07-08T09:10:11",
    "camera": "Leica M9",
    "lens": "35 mm",
    "width": 40,
    "height": 30,
    "latitude": -33.86,
    "longitude": 151.21,
    "rating": 3,
    "keywords": ["beach", "猫"],
}


def photograph() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112], exif[0x4746] = "NIKON CORPORATION", "NIKON D90", 6, 4
    exif[0x9C9E] = "Berlin;Reichstag".encode("utf-16-le")
    exif.get_ifd(0x8769).update({0x9003: "2024:05:01 12:30:00", 0xA434: "AF-S 18-105"})
    place = {1: "N", 2: (52.0, 31.0, 7.0), 3: "E", 4: (13.0, 22.0, 34.0)}
    exif.get_ifd(0x8825).update(place)
    return exif


def saved(form: str, **more: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(file, form, **more)
    return file.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_exif_of_every_format(form: str) -> None:
    assert exif_of(saved(form, exif=photograph().tobytes())) == {
        "taken": "2024-05-01T12:30:00",
        "camera": "NIKON D90",
        "lens": "AF-S 18-105",
        "width": 30,  # upright
        "height": 40,
        "orientation": 6,
        "latitude": 52.518611,
        "longitude": 13.376111,
        "rating": 4,
        "keywords": ["Berlin", "Reichstag"],
    }


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_xmp_of_every_format(form: str) -> None:
    more: dict[str, Any] = {"xmp": XMP}
    if form == "PNG":
        more = {"pnginfo": PngImagePlugin.PngInfo()}
        more["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    if form == "TIFF":
        more = {"tiffinfo": {700: XMP}}

    assert exif_of(saved(form, **more)) == OF_XMP


def test_what_cannot_be_is_left_out() -> None:
    exif = photograph()
    exif[0x0112], exif[0x4746], exif[0x010F] = 9, 0, "\0\0"
    exif[0x0110] = b"Caf\xe9\n\x1b[31m" + b"x" * 500
    exif.get_ifd(0x8769)[0x9003] = "0000:00:00 00:00:00"
    exif.get_ifd(0x8825)[2] = (152.0, 31.0, 7.0)

    found = exif_of(saved("JPEG", exif=exif.tobytes()))

    camera = found.pop("camera")
    assert camera.startswith("Café [31mxxx")
    assert len(camera) == 200
    assert found == {
        "lens": "AF-S 18-105",
        "width": 40,
        "height": 30,
        "keywords": ["Berlin", "Reichstag"],
    }


def test_a_picture_without_a_photograph_tells_nothing() -> None:
    assert exif_of(saved("JPEG")) == exif_of(saved("PNG")) == exif_of(saved("TIFF")) == {}
    assert exif_of(b"no picture") == exif_of(saved("GIF")) == {}
    assert exif_of(saved("JPEG", exif=b"Exif\0\0MM\0*")) == {}


def test_xml_with_entities_is_not_read() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + XMP

    assert exif_of(saved("JPEG", xmp=bomb)) == {}


@given(st.data())
def test_damaged_metadata_never_raise(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(["JPEG", "PNG", "TIFF", "WEBP"]))
    more = {"exif": photograph().tobytes()} | ({"xmp": XMP} if form in ("JPEG", "WEBP") else {})
    file = bytearray(saved(form, **more))
    for _ in range(data.draw(st.integers(1, 8))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))

    assert set(exif_of(bytes(file))) <= {*OF_XMP, "orientation"}
