"""Camera raw and JPEG XL where their libraries are, and files that an import passes over."""

import io
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from kkcv.errors import PictureError
from kkcv.images import formats
from kkcv.images.decode import decode, image_size
from kkcv.images.exif import exif_of
from kkcv.images.folder import find_pictures

Y, X = np.mgrid[:600, :800]
SCENE = np.dstack([X * 255 // 799, Y * 255 // 599, (X + Y) * 255 // 1398]).astype(np.uint8)


def negative(preview: int) -> bytes:
    """A DNG of a Bayer sensor with a JPEG in it that is so many pixels wide."""
    linear = ((SCENE / 255) ** 2.2 * 65535).astype(np.uint16)
    sensor = np.empty((600, 800), np.uint16)
    for row, column, color in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        sensor[row::2, column::2] = linear[row::2, column::2, color]
    small = np.asarray(Image.fromarray(SCENE).resize((preview, preview * 3 // 4)))
    matrix = (10000, 10000, *(0, 10000) * 3, 10000, 10000, *(0, 10000) * 3, 10000, 10000)
    camera = [
        (50706, "B", 4, (1, 4, 0, 0), True),
        *((tag, "s", 0, text, True) for tag, text in ((50708, "Box"), (271, "Box"), (272, "One"))),
        (50721, "2i", 9, matrix, True),
        (50728, "2I", 3, (1,) * 6, True),
    ]
    mosaic = [(33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True)]
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(
            small,
            photometric="rgb",
            compression="jpeg",
            subfiletype=1,
            subifds=1,
            rowsperstrip=len(small),
            extratags=camera,
            metadata=None,
        )
        writer.write(sensor, photometric=32803, subfiletype=0, extratags=mosaic, metadata=None)
    return file.getvalue()


def likeness(pixels: np.ndarray) -> float:
    scene = np.asarray(Image.fromarray(SCENE).resize(pixels.shape[1::-1]))
    return float(np.corrcoef(pixels.ravel(), scene.ravel())[0, 1])


def test_a_raw_with_a_large_preview_is_that_preview() -> None:
    data = negative(1200)

    pixels = decode(data)

    assert pixels.shape == (900, 1200, 3)
    assert image_size(data) == (1200, 900)
    assert likeness(pixels) > 0.99


def test_a_raw_with_a_small_preview_is_developed() -> None:
    data = negative(320)

    pixels = decode(data)

    assert pixels.shape == (600, 800, 3)
    assert likeness(pixels) > 0.8
    assert exif_of(data) == {"camera": "Box One", "width": 800, "height": 600}


def test_a_raw_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)

    with pytest.raises(PictureError, match=r"to add it: pip install 'kkcv\[raw\]'") as caught:
        decode(negative(1200))
    assert caught.value.reason == "unsupported"


def test_a_raw_that_is_cut_off_is_damaged() -> None:
    with pytest.raises(PictureError) as caught:
        decode(negative(320)[:20_000])
    assert caught.value.reason in ("corrupt", "truncated")


def test_jpeg_xl_is_opened_where_its_plug_in_is(monkeypatch: pytest.MonkeyPatch) -> None:
    import pillow_jxl  # noqa: F401

    file = io.BytesIO()
    Image.fromarray(SCENE).save(file, "JXL", quality=95)
    assert likeness(decode(file.getvalue())) > 0.99

    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    with pytest.raises(PictureError, match=r"to add it: pip install 'kkcv\[jxl\]'"):
        decode(file.getvalue())


def test_files_that_are_not_opened_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "is_installed", lambda module: module != "rawpy")
    formats.extensions.cache_clear()
    for name in (
        "a.NEF",
        "b.nef",
        "c.MOV",
        "d.pdf",
        "e.txt",
        "notes",
        ".hidden",
        "f.jpg",
        "g.jxl",
        "h.7",
    ):
        (tmp_path / name).touch()
    passed: Counter[str] = Counter()

    found = [path.name for path in find_pictures(tmp_path, passed=passed)]

    formats.extensions.cache_clear()
    assert found == ["f.jpg", "g.jxl"]
    assert passed == {".NEF": 2, ".MOV": 1, ".PDF": 1, ".TXT": 1, "other files": 2}
    assert formats.with_hint(".NEF") == ".NEF (pip install 'kkcv[raw]')"
    assert formats.with_hint(".MOV") == ".MOV"
