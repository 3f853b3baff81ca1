"""TIFF of every kind that tifffile writes: right pixels, or one line that says what is not opened.

tifffile is the oracle. No healthy file may come out as other pixels, or be called damaged.
"""

import io
import sys
from itertools import product
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from kkcv.errors import PictureError
from kkcv.images.decode import decode, image_size

Y, X = np.mgrid[:60, :80]
BANDS = np.dstack(
    [X * 255 // 79, Y * 255 // 59, (X + Y) * 255 // 138, (3 * X + Y) % 256, 255 - 2 * X]
).astype(np.uint8)
KINDS = ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "f2", "f4", "f8", "?")
LAYOUTS = ("grey", "white", "rgb", "rgba", "associated", "rgb and 2", "5 bands", "grey and alpha")
COMPRESSIONS = (None, "zlib", "lzw", "packbits", "zstd", "lzma")
# what comes out as it is: the others may be refused, but never shown wrongly
OPENED = {"grey", "white", "rgb", "rgb and 2", "rgba", "associated", "grey and alpha"}


def bands(layout: str) -> np.ndarray:
    count = {"rgb": 3, "rgba": 4, "associated": 4, "rgb and 2": 5, "5 bands": 5}.get(layout, 1)
    found = BANDS[..., : 2 if layout == "grey and alpha" else count].copy()
    if layout in ("rgba", "associated"):
        found[..., 3] = 128 + BANDS[..., 3] // 2
    if layout == "associated":
        found[..., :3] = found[..., :3].astype(int) * found[..., 3:] // 255
    return found


def as_kind(values: np.ndarray, kind: str) -> np.ndarray:
    dtype = np.dtype(kind)
    if dtype.kind == "b":
        return values > 127
    if dtype.kind == "u":
        return values.astype(dtype) * dtype.type(np.iinfo(dtype).max // 255)
    if dtype.kind == "i":
        return ((values / 255 * 2 - 1) * np.iinfo(dtype).max).astype(dtype)
    return (values / 255).astype(dtype)


def shown(layout: str, kind: str) -> np.ndarray | None:
    """The pixels that a viewer shows on white paper; None where viewers disagree."""
    found = bands(layout).astype(float)
    if kind == "?":
        found = (found > 127) * 255.0
    if layout in ("grey", "white"):
        grey = np.repeat(found, 3, 2)
        return 255 - grey if layout == "white" else grey
    if layout in ("rgb", "rgb and 2"):
        return found[..., :3]
    if layout == "5 bands":
        return None
    cover = found[..., -1:] / 255
    if layout == "associated":
        return found[..., :3] + 255 * (1 - cover)
    colors = found[..., :3] if layout == "rgba" else np.repeat(found[..., :1], 3, 2)
    return colors * cover + 255 * (1 - cover)


def written(layout: str, kind: str, planes: bool, **options: Any) -> bytes | None:
    """The file, or None where tifffile does not write such a one."""
    values = as_kind(bands(layout), kind)
    if layout in ("grey", "white"):
        values = values[..., 0]
    else:
        options["planarconfig"] = "separate" if planes else "contig"
    photometric = {"white": "miniswhite", "grey": "minisblack", "5 bands": "minisblack"}
    options["photometric"] = photometric.get(layout, "rgb")
    if layout == "grey and alpha":
        options["photometric"] = "minisblack"
    if layout in ("rgba", "grey and alpha"):
        options["extrasamples"] = ["unassalpha"]
    if layout == "associated":
        options["extrasamples"] = ["assocalpha"]
    file = io.BytesIO()
    try:
        tifffile.imwrite(file, np.moveaxis(values, 2, 0) if planes else values, **options)
    except (ValueError, TypeError, NotImplementedError, KeyError, RuntimeError):
        return None
    return file.getvalue()


def check(layout: str, kind: str, planes: bool, **options: Any) -> bool:
    """Whether it was opened; fails for other pixels and for another error than unsupported."""
    data = written(layout, kind, planes, **options)
    if data is None:
        return False
    expected = shown(layout, kind)
    what = (layout, kind, planes, options)
    refused, pixels = None, BANDS
    try:
        pixels = decode(data)
    except PictureError as error:
        refused = error
    if refused is not None:
        assert refused.reason == "unsupported", (*what, str(refused))
        assert "\n" not in str(refused)
        return False
    assert expected is not None
    assert image_size(data) == (80, 60)
    difference = np.abs(pixels - expected).max()
    assert difference <= 3, (*what, difference)
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_of_every_kind_are_right_or_refused(kind: str) -> None:
    opened = set()
    for layout, planes, order, compression in product(
        LAYOUTS, (False, True), "<>", (None, "zlib", "lzw")
    ):
        if not (planes and layout in ("grey", "white")):
            more = {"byteorder": order, "compression": compression}
            if check(layout, kind, planes, **more):
                opened.add(layout)

    if kind == "?":
        assert opened == {"grey", "white"}
    elif kind.startswith("i"):
        assert opened == {"grey", "white", "rgb", "rgb and 2"}
    else:
        assert opened == OPENED


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_combination_that_tifffile_writes(kind: str) -> None:
    for layout, planes, order, compression, tile, big, predictor in product(
        LAYOUTS, (False, True), "<>", COMPRESSIONS, (None, (16, 16)), (False, True), (False, True)
    ):
        if planes and layout in ("grey", "white"):
            continue
        more: dict[str, Any] = {"byteorder": order, "compression": compression, "tile": tile}
        if predictor:
            more["predictor"] = True
        check(layout, kind, planes, bigtiff=big, **more)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("layout", ["grey", "rgb"])
def test_large_files_of_both_byte_orders_are_opened(layout: str, order: str) -> None:
    assert check(layout, "u1", False, bigtiff=True, byteorder=order)


def test_a_deep_picture_stands_upright() -> None:
    file = io.BytesIO()
    turned = (274, "H", 1, 6, True)
    tifffile.imwrite(file, as_kind(BANDS[..., 0], "f4"), extratags=[turned])

    assert image_size(file.getvalue()) == (60, 80)
    pixels = decode(file.getvalue())
    assert np.abs(pixels[..., 0].astype(int) - np.rot90(BANDS[..., 0], -1)).max() <= 1


def test_values_that_are_no_numbers_do_not_hide_the_others() -> None:
    values = as_kind(BANDS[..., 0], "f4") * 1000
    values[0, :3] = [np.nan, np.inf, -np.inf]
    file = io.BytesIO()
    tifffile.imwrite(file, values)

    pixels = decode(file.getvalue())

    assert pixels[0, :3, 0].tolist() == [0, 255, 0]
    assert np.abs(pixels[1:, :, 0].astype(int) - BANDS[1:, :, 0]).max() <= 1


def test_a_cut_off_deep_file_is_damaged() -> None:
    data = written("rgb", "f4", False, compression="zlib")
    assert data is not None

    with pytest.raises(PictureError) as caught:
        decode(data[: len(data) // 2])
    assert caught.value.reason in ("corrupt", "truncated")


def test_what_scanners_write_with_pillow_alone_needs_no_tifffile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tifffile", None)
    file = io.BytesIO()
    deep_grey = Image.fromarray(BANDS[..., 0].astype(np.uint16) * 257)
    deep_grey.save(file, "TIFF", compression="tiff_lzw")
    assert np.abs(decode(file.getvalue())[..., 0].astype(int) - BANDS[..., 0]).max() <= 1

    deep = written("rgb", "f4", False)
    assert deep is not None
    with pytest.raises(PictureError, match=r"to add it: pip install 'kkcv\[tiff\]'") as caught:
        decode(deep)
    assert caught.value.reason == "unsupported"


def test_a_damaged_file_prints_nothing_but_our_error(capfd: pytest.CaptureFixture[str]) -> None:
    out = io.BytesIO()
    Image.fromarray(BANDS[..., :3]).save(out, "TIFF", compression="tiff_lzw")

    with pytest.raises(PictureError, match="its data are damaged"):
        decode(out.getvalue().replace(b"\x80", b"\xff"))

    assert capfd.readouterr() == ("", "")
