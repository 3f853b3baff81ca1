"""Every file in ``nasty`` is met as its manifest expects, and shows what it should."""

import base64
import csv
import random
import struct
import threading
import warnings
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kkcv.errors import PictureError
from kkcv.images.decode import decode, image_size
from kkcv.images.limits import Limits, at_most_together
from kkcv.images.preprocess import Preprocess
from tests.serve.attacks import scans

NASTY = Path(__file__).parents[3] / "shared" / "data" / "nasty"


def manifest() -> list[tuple[str, str]]:
    """(file, what is expected of a decoder) for each nasty file."""
    table = NASTY / "manifest.csv"
    if not table.is_file():
        return []
    with open(table, encoding="utf-8", newline="") as file:
        return [(row["file"], row["expect"]) for row in csv.DictReader(file)]


def is_decoded(path: Path) -> None:
    pixels = decode(path)

    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable
    assert image_size(path) == (pixels.shape[1], pixels.shape[0])


def is_refused(path: Path) -> None:
    with pytest.raises(PictureError) as caught:
        decode(path)

    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "<" not in message, "no object of Python or text of Pillow in a message for people"
    assert "\n" not in message


def is_decoded_or_refused(path: Path) -> None:
    try:
        decode(path)
    except PictureError:
        is_refused(path)
    else:
        is_decoded(path)


def is_decoded_with_pi_heif(path: Path) -> None:
    (is_decoded if find_spec("pi_heif") else is_refused)(path)


def is_refused_by_size(path: Path) -> None:
    with pytest.raises(PictureError) as caught:
        decode(path)

    assert caught.value.reason == "too-many-pixels"


def is_a_file_in_a_folder_that_is_none(path: Path) -> None:
    is_decoded(path)
    with pytest.raises(PictureError) as caught:
        decode(path.parent)

    assert caught.value.reason == "not-a-file"


PROMISES = {
    "decode": is_decoded,
    "reject, do not crash": is_refused,
    "decode or clean reject": is_decoded_or_refused,
    "decode only with pillow-heif; else clean reject": is_decoded_with_pi_heif,
    "decode, or skip by extension": is_decoded,
    "do not treat the folder as a file": is_a_file_in_a_folder_that_is_none,
    "decode slowly or reject by size": is_refused_by_size,
}


@pytest.mark.parametrize(("name", "expect"), manifest())
def test_a_nasty_file_is_met_as_the_manifest_expects(
    name: str, expect: str, pictures: Path
) -> None:
    PROMISES[expect](pictures / "nasty" / name)


def test_the_manifest_is_there(pictures: Path) -> None:
    assert len(manifest()) == 97


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Mean absolute difference of pixels, in levels of 0 to 255."""
    return float(np.abs(one.astype(int) - other).mean())


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_photo_taken_sideways_comes_out_upright(orientation: int, pictures: Path) -> None:
    upright = decode(pictures / "nasty/exif/Landscape_1.jpg")

    turned = decode(pictures / f"nasty/exif/Landscape_{orientation}.jpg")

    # The numeral printed in the picture differs, and JPEG noise; a wrong turn is 70 and more off.
    assert difference(upright, turned) < 6


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("bmp/hopper.bmp", 0),
        ("other/hopper_merged.psd", 2),
        ("gif/hopper.gif", 12),
        ("tiff/hopper.Lab.tif", 3),
        ("avif/hopper.avif", 5),
        ("heic/hopper.heic", 5),
    ],
)
def test_one_picture_in_many_formats_is_one_picture(name: str, most: float, pictures: Path) -> None:
    reference = decode(pictures / "nasty/tiff/hopper_lzw.tif")

    assert difference(reference, decode(pictures / "nasty" / name)) <= most


@pytest.mark.parametrize(
    ("name", "most"),
    [("photo_progressive.jpg", 5), ("photo_cmyk.jpg", 5), ("jpeg_named.png", 3)],
)
def test_a_photo_in_another_encoding_is_the_same_photo(
    name: str, most: float, pictures: Path
) -> None:
    generated = pictures / "nasty/generated"

    assert difference(decode(generated / "UPPER.JPG"), decode(generated / name)) < most


def test_sixteen_bits_are_scaled_and_not_clipped(pictures: Path) -> None:
    eight = decode(pictures / "nasty/jpeg/hopper_gray.jpg")
    sixteen = decode(pictures / "nasty/depth/hopper_16bit.pgm")

    assert difference(eight, sixteen) < 8


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<i4", "<f4"])
def test_deep_grey_keeps_its_gradient(dtype: str) -> None:
    ramp = np.linspace(0, 65535, 256).astype(dtype).reshape(16, 16)
    file = BytesIO()
    Image.fromarray(ramp).save(file, format="TIFF")

    pixels = decode(file.getvalue())

    assert np.array_equal(pixels[..., 0].ravel(), np.arange(256))


def test_a_float_picture_spans_black_to_white_whatever_its_range(pictures: Path) -> None:
    pixels = decode(pictures / "nasty/depth/10ct_32bit_128.tiff")

    assert pixels.min() == 0
    assert pixels.max() == 255


def test_not_a_number_in_a_float_picture_is_no_color() -> None:
    values = np.array([[0.0, 1.0], [np.nan, np.inf]], np.float32)
    file = BytesIO()
    Image.fromarray(values).save(file, format="TIFF")

    assert decode(file.getvalue())[..., 0].tolist() == [[0, 255], [0, 255]]


def test_what_is_transparent_is_white(pictures: Path) -> None:
    assert (decode(pictures / "nasty/generated/photo_fully_transparent.png") == 255).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_half_transparent_black_on_white_is_grey(mode: str) -> None:
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 128))
    if mode == "P":
        image = Image.new("P", (4, 4), 0)
        image.putpalette([0, 0, 0])
        image.info["transparency"] = bytes([128])
    file = BytesIO()
    (image if mode == "P" else image.convert(mode)).save(file, format="PNG")

    assert (decode(file.getvalue()) == 127).all()


@pytest.mark.parametrize(
    ("name", "same"),
    [("png/p_trns_single.png", "png/rgb_trns.png"), ("avif/transparency.avif", "png/rgb_trns.png")],
)
def test_every_kind_of_transparency_gives_the_same_picture(
    name: str, same: str, pictures: Path
) -> None:
    nasty = pictures / "nasty"

    assert difference(decode(nasty / name), decode(nasty / same)) < 1


def test_of_an_animation_the_first_frame_is_taken(pictures: Path) -> None:
    animated = decode(pictures / "nasty/generated/photo_animated.webp")

    with Image.open(pictures / "nasty/generated/photo_animated.webp") as image:
        image.seek(0)
        assert np.array_equal(animated, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(("target", "sides"), [(256, (900, 600)), (128, (450, 300))])
def test_a_jpeg_is_decoded_smaller_but_not_below_twice_the_target(
    target: int, sides: tuple[int, int], pictures: Path
) -> None:
    photo = pictures / "nasty/exif/Landscape_6_original.jpg"

    pixels = decode(photo, target=target)

    assert pixels.shape[1::-1] == sides
    assert min(sides) >= 2 * target
    whole = Image.fromarray(decode(photo)).resize(sides, Image.Resampling.BOX)
    assert difference(np.asarray(whole), pixels) < 1


def test_a_target_leaves_small_pictures_and_other_formats_alone(pictures: Path) -> None:
    for name in ("generated/UPPER.JPG", "generated/photo_lossless.webp", "webp/flower.webp"):
        path = pictures / "nasty" / name

        assert np.array_equal(decode(path, target=224), decode(path))


def test_a_picture_with_too_many_pixels_is_refused_from_its_header(pictures: Path) -> None:
    path = pictures / "nasty/generated/huge_12000x12000_gray.png"

    with pytest.raises(PictureError) as caught:
        decode(path, Limits(max_pixels=1_000_000))

    assert caught.value.reason == "too-many-pixels"
    assert str(caught.value) == (
        f"{path}: 12,000 × 12,000 pixels are more than the limit of 1,000,000; "
        "a copy of 8% of its width and height is taken"
    )


def test_the_limit_on_pixels_is_inclusive(pictures: Path) -> None:
    path = pictures / "nasty/bmp/hopper.bmp"

    assert decode(path, Limits(max_pixels=128 * 128)).shape == (128, 128, 3)
    with pytest.raises(PictureError, match="128 × 128 pixels are more than the limit of 16,383"):
        decode(path, Limits(max_pixels=128 * 128 - 1))


def test_a_strip_is_refused_however_few_its_pixels(tmp_path: Path) -> None:
    path = tmp_path / "strip.png"
    Image.new("L", (1, 65_536)).save(path)

    with pytest.raises(PictureError, match="a side of 65,536 pixels is over the limit of 65,535"):
        decode(path)


SLOW = {
    "QOI": b"qoif" + struct.pack(">II", 300, 200) + b"\3\0" + b"\xfd" * 1000,
    "PPM as text": b"P3\n300 200\n255\n" + b"1 2 3 " * 60_000,
    "PPM with another maximum": b"P6\n300 200\n99\n" + bytes(180_000),
    "BMP in runs": b"BM" + struct.pack("<IHHI", 0, 0, 0, 1078)
    + struct.pack("<IiiHHIIiiII", 40, 300, 200, 1, 8, 1, 0, 0, 0, 256, 0) + bytes(1024 + 600),
}  # fmt: skip


@pytest.mark.parametrize("data", SLOW.values(), ids=SLOW.keys())
def test_what_is_decoded_in_python_has_a_limit_of_its_own(data: bytes) -> None:
    with pytest.raises(PictureError, match=r"limit of 50,000 for .* slow to decode") as caught:
        decode(data, Limits(max_slow_pixels=50_000))

    assert caught.value.reason == "too-many-pixels"
    assert image_size(data) == (300, 200)


@pytest.mark.parametrize(("format", "bytes_a_pixel"), [("PNG", 8), ("WEBP", 16), ("JPEG2000", 20)])
def test_a_format_whose_decoder_takes_more_memory_may_have_fewer_pixels(
    format: str, bytes_a_pixel: int
) -> None:
    file = BytesIO()
    Image.new("RGB", (300, 200)).save(file, format)

    assert decode(file.getvalue(), Limits(max_memory=60_000 * bytes_a_pixel)).shape == (200, 300, 3)
    with pytest.raises(PictureError, match=f"pixels are more than the limit of .* for {format}"):
        decode(file.getvalue(), Limits(max_memory=60_000 * bytes_a_pixel - 1))


def test_a_jpeg_in_a_thousand_scans_is_refused(pictures: Path) -> None:
    """Each goes over all pixels: 300 KB of them took a minute."""
    data = base64.b64decode(scans())

    with pytest.raises(PictureError, match="more steps than any picture needs") as caught:
        decode(data)

    assert caught.value.reason == "corrupt"
    video = b"\xff\xda" * 1000  # behind a photograph, as phones have it
    photo = next((pictures / "imagenette").rglob("*.JPEG")).read_bytes()
    assert np.array_equal(decode(photo + video), decode(photo))


def test_the_pixels_of_several_pictures_have_a_limit_together() -> None:
    file = BytesIO()
    Image.new("RGB", (300, 200)).save(file, "PNG")

    with at_most_together(150_000) as spent:
        decode(file.getvalue())
        decode(file.getvalue())
        with pytest.raises(PictureError, match="more than the 150,000 pixels of a request"):
            decode(file.getvalue())

    assert spent.pixels == 120_000
    decode(file.getvalue())


@pytest.mark.parametrize("format", ["PNG", "JPEG2000"])
def test_a_large_picture_is_made_smaller_and_its_crop_stays_the_same(
    format: str, pictures: Path
) -> None:
    photo = Image.fromarray(decode(next((pictures / "imagenette").rglob("*.JPEG"))))
    file = BytesIO()
    options = {"compress_level": 1} if format == "PNG" else {"irreversible": False}
    photo.resize((5000, 3600), Image.Resampling.BICUBIC).save(file, format, **options)
    preprocess = Preprocess((224, 224), 256, "bicubic", (0, 0, 0), (1, 1, 1))

    pixels = decode(file.getvalue(), target=256)

    assert 4 * 256 <= min(pixels.shape[:2]) <= 3600 // 2
    crop, exact = preprocess.crop(pixels), preprocess.crop(decode(file.getvalue()))
    assert np.abs(crop.astype(int) - exact).mean() < 1
    assert image_size(file.getvalue()) == (5000, 3600)


def test_a_large_picture_hidden_in_an_icon_is_refused_before_it_is_decoded() -> None:
    png = BytesIO()
    Image.new("1", (5000, 5000)).save(png, format="PNG")
    directory = bytes([0, 0, 1, 0, 1, 0, 16, 16, 0, 0, 1, 0, 32, 0])
    icon = directory + len(png.getvalue()).to_bytes(4, "little") + (22).to_bytes(4, "little")

    with pytest.raises(PictureError, match="5,000 × 5,000 pixels are more than the limit"):
        decode(icon + png.getvalue(), Limits(max_pixels=1_000_000))


def test_what_is_no_picture_is_told_by_name_and_size(tmp_path: Path) -> None:
    note = tmp_path / "notes.txt"
    note.write_bytes(b"hello\n")

    with pytest.raises(PictureError) as caught:
        decode(note)

    assert caught.value.reason == "not-an-image"
    assert str(caught.value) == f"{note}: these 6 bytes are of no image format that is known"


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("PDF", b"%PDF-1.7\n"),
        ("EPS", b"%!PS-Adobe-3.0 EPSF-3.0\n"),
        ("SVG", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'),
        ("video", b"\0\0\0\x20ftypisom\0\0\2\0"),
    ],
)
def test_a_known_format_that_is_not_opened_is_called_by_its_name(name: str, first: bytes) -> None:
    with pytest.raises(PictureError, match=f"^{name} is not a format that kkcv opens") as caught:
        decode(first)

    assert caught.value.reason == "unsupported"


def test_eps_is_not_even_tried(tmp_path: Path) -> None:
    scan = tmp_path / "scan.jpg"
    scan.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")

    with pytest.raises(PictureError, match="EPS is not a format that kkcv opens"):
        decode(scan)


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
@pytest.mark.parametrize(
    "name", ["webp/flower.webp", "avif/hopper.avif", "heic/hopper.heic", "generated/photo_LA.png"]
)
def test_half_a_file_is_refused(name: str, cut: float, pictures: Path) -> None:
    data = (pictures / "nasty" / name).read_bytes()

    with pytest.raises(PictureError) as caught:
        decode(data[: int(len(data) * cut)])

    assert caught.value.reason in ("truncated", "corrupt")


def test_mutated_files_raise_nothing_but_a_picture_error(pictures: Path) -> None:
    seeds = [
        path.read_bytes()
        for path in sorted((pictures / "nasty").rglob("*.*"))
        if path.is_file() and path.suffix != ".csv" and path.stat().st_size < 30_000
    ]
    limits = Limits(max_pixels=2_000_000)
    rng = random.Random(11)
    decoded = refused = 0

    for _ in range(800):
        data = bytearray(rng.choice(seeds))
        end = min(len(data), rng.choice((64, 400, 30_000)))  # headers are where decoders trip
        for _ in range(rng.choice((1, 3, 20)) if end else 0):
            data[rng.randrange(end)] = rng.randrange(256)
        try:
            decode(bytes(data[: rng.choice((None, rng.randrange(end + 1)))]), limits, target=64)
            decoded += 1
        except PictureError:
            refused += 1

    assert decoded > 50
    assert refused > 300


def a_good_picture_that_makes_pillow_warn() -> bytes:
    """A TIFF one of whose tags (ImageDescription, 270) claims to be larger than the file."""
    file = BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, format="TIFF", description="no more than a word")
    tag = struct.pack("<HH", 270, 2)
    before, after = file.getvalue().split(tag)
    return before + tag + struct.pack("<I", 99_999_999) + after[4:]


def test_warnings_of_pillow_reach_nobody() -> None:
    data = a_good_picture_that_makes_pillow_warn()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Image.open(BytesIO(data)).close()
        assert caught, "Pillow no longer warns: this test tests nothing"
        caught.clear()

        pixels = decode(data)

    assert not caught
    assert (pixels == (255, 0, 0)).all()


def test_other_warnings_are_heard_while_threads_decode() -> None:
    """Silence is for the thread that decodes: the filters of the process are nobody's to swap."""
    data = a_good_picture_that_makes_pillow_warn()
    stop = threading.Event()
    failures: list[BaseException] = []

    def decode_on() -> None:
        try:
            while not stop.is_set():
                decode(data)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=decode_on) for _ in range(3)]
    for thread in threads:
        thread.start()
    heard = 0
    for _ in range(300):
        try:
            warnings.warn("is anybody there?", UserWarning, stacklevel=1)  # is an error in tests
        except UserWarning:
            heard += 1
    stop.set()
    for thread in threads:
        thread.join()

    assert heard == 300
    assert not failures


def test_the_size_is_that_of_the_upright_picture(pictures: Path) -> None:
    assert image_size(pictures / "nasty/exif/Landscape_6.jpg") == (600, 400)
    assert image_size(pictures / "nasty/tiff/g4_orientation_6.tif") == (590, 88)
    assert image_size(pictures / "nasty/exif/xmp_tags_orientation.png") == (326, 268)


def test_the_size_of_a_damaged_picture_is_read_from_its_header(pictures: Path) -> None:
    assert image_size(pictures / "nasty/generated/photo_truncated_half.jpg") == (426, 500)
