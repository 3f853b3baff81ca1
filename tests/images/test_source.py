"""The bytes of a picture, from wherever they come, and never other bytes."""

import base64
import os
import string
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from kkcv.errors import PictureError, RequestError
from kkcv.images.decode import decode
from kkcv.images.limits import Limits
from kkcv.images.source import decode_base64, read_bytes

SMALL = Limits(max_bytes=100)
FRACTAL = Image.effect_mandelbrot((64, 48), (-2, -1, 1, 1), 60)


def reason_of(call, *args) -> str:
    with pytest.raises(PictureError) as caught:
        call(*args)
    return caught.value.reason


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, BytesIO])
def test_bytes_come_from_memory_and_from_files_in_memory(kind):
    assert read_bytes(kind(b"picture")) == b"picture"


def test_bytes_come_from_a_path_and_from_an_open_file(tmp_path):
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"picture")

    assert read_bytes(path) == b"picture"
    assert read_bytes(str(path)) == b"picture"
    with open(path, "rb") as file:
        assert read_bytes(file) == b"picture"


def test_a_string_is_always_a_path():
    assert reason_of(read_bytes, "aGVsbG8=") == "not-found"


def test_a_file_that_gives_little_at_a_time_is_read_to_its_end():
    class Trickle(BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 3))

    assert read_bytes(Trickle(b"0123456789")) == b"0123456789"


def test_no_more_is_read_than_one_byte_over_the_limit():
    endless = BytesIO(b"x" * 10_000)

    assert reason_of(read_bytes, endless, SMALL) == "too-many-bytes"
    assert endless.tell() == 101


def test_the_limit_on_bytes_is_inclusive(tmp_path):
    path = tmp_path / "cat.jpg"
    path.write_bytes(b"x" * 101)

    assert len(read_bytes(b"x" * 100, SMALL)) == 100
    assert reason_of(read_bytes, b"x" * 101, SMALL) == "too-many-bytes"
    with pytest.raises(PictureError) as caught:
        read_bytes(path, SMALL)
    assert str(caught.value) == f"{path}: 101 bytes are more than the limit of 100"


def test_a_sparse_file_of_a_terabyte_is_refused_unread(tmp_path):
    path = tmp_path / "huge.jpg"
    with open(path, "wb") as file:
        file.truncate(10**12)

    assert reason_of(read_bytes, path) == "too-many-bytes"


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "10"])
def test_a_limit_that_makes_no_sense_is_refused(value):
    with pytest.raises(RequestError, match="max_pixels must be a whole number from 1 up, got"):
        Limits(max_pixels=value)


def test_where_there_is_no_file_the_error_says_so(tmp_path):
    missing = tmp_path / "cat.jpg"

    with pytest.raises(PictureError) as caught:
        read_bytes(missing)

    assert caught.value.reason == "not-found"
    assert str(caught.value) == f"{missing}: there is no file at this path"
    assert reason_of(read_bytes, tmp_path / "x\0y.jpg") == "not-found"
    assert reason_of(read_bytes, "") == "not-found"


def test_an_empty_file_is_told_from_a_bad_one(tmp_path):
    path = tmp_path / "cat.jpg"
    path.touch()

    assert reason_of(read_bytes, path) == "empty"
    assert reason_of(read_bytes, b"") == "empty"


def test_a_folder_is_not_a_file(tmp_path):
    assert reason_of(read_bytes, tmp_path) == "not-a-file"


def test_a_named_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    path = tmp_path / "cat.jpg"
    os.mkfifo(path)

    assert reason_of(read_bytes, path) == "not-a-file"


def test_a_device_is_not_a_file():
    assert reason_of(read_bytes, "/dev/zero") == "not-a-file"


def test_a_closed_file_is_unreadable():
    file = BytesIO(b"picture")
    file.close()

    assert reason_of(read_bytes, file) == "unreadable"


def test_a_loop_of_links_is_unreadable(tmp_path):
    path = tmp_path / "loop.jpg"
    path.symlink_to(path)

    assert reason_of(read_bytes, path) == "unreadable"


def test_a_name_that_does_not_print_is_escaped_in_the_message(tmp_path):
    path = os.fsencode(tmp_path) + b"/line\nbreak \xff.jpg"

    with pytest.raises(PictureError) as caught:
        read_bytes(Path(os.fsdecode(path)))

    assert str(caught.value).endswith(r"/line\nbreak \udcff.jpg: there is no file at this path")
    assert str(caught.value).encode("utf-8")


@pytest.mark.parametrize("mode", ["RGB", "L", "LA", "RGBA", "P", "1", "CMYK", "YCbCr", "HSV"])
def test_an_image_of_pillow_is_the_picture_it_shows(mode: str):
    shown = FRACTAL.convert("RGB").convert(mode)

    pixels = decode(shown)

    np.testing.assert_allclose(pixels, np.asarray(shown.convert("RGB")), atol=1)


def test_an_image_of_pillow_is_upright_like_its_file(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    FRACTAL.save(tmp_path / "lying.png", exif=exif)

    np.testing.assert_array_equal(
        decode(Image.open(tmp_path / "lying.png")), decode(tmp_path / "lying.png")
    )


def test_an_image_of_pillow_whose_file_is_cut_off_is_corrupt(tmp_path: Path):
    whole = BytesIO()
    Image.effect_noise((64, 64), 50).save(whole, "PNG")
    cut = Image.open(BytesIO(whole.getvalue()[:2000]))

    assert reason_of(read_bytes, cut) == "corrupt"


def test_what_is_neither_path_nor_bytes_is_a_mistake_of_the_program():
    with pytest.raises(TypeError, match="a tensor of PyTorch, not int"):
        read_bytes(7)
    with pytest.raises(TypeError, match="binary mode"):
        read_bytes(open_text())


def open_text():
    class Text(BytesIO):
        def read(self, size=-1):
            return "text"

    return Text()


@st.composite
def written(draw):
    """Bytes, and base64 text that stands for them, written in one of the ways that exist."""
    data = draw(st.binary(min_size=1, max_size=300))
    text = draw(st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]))(data).decode()
    if draw(st.booleans()):
        text = text.rstrip("=")
    if width := draw(st.sampled_from([0, 1, 4, 64, 76])):
        line_end = draw(st.sampled_from(["\n", "\r\n", "\n\t"]))
        text = line_end.join(text[i : i + width] for i in range(0, len(text), width)) + line_end
    prefixes = ["", "data:image/png;base64,", "DATA:;BASE64,", "data:image/jpeg;name=a.jpg;base64,"]
    text = draw(st.sampled_from(prefixes)) + text
    return data, draw(st.sampled_from([text, text.encode()]))


@given(written())
def test_base64_in_every_usual_writing_gives_the_bytes_back(data_and_text):
    data, text = data_and_text

    assert decode_base64(text) == data


def meaning_of(text: str) -> bytes | None:
    """The oracle: what strict base64 says of the text, in the slowest and plainest way."""
    text = "".join(c for c in text if c not in "\r\n\t\v\f")
    if set(text) & set("-_") and set(text) & set("+/"):
        return None
    text = text.replace("-", "+").replace("_", "/")
    bare = text.rstrip("=")
    padded = bare + "=" * (-len(bare) % 4)
    if text not in (bare, padded):
        return None
    for size in range(len(bare) + 1):  # some bytes of the right length, if they write as this text
        if -(-size * 8 // 6) == len(bare):
            alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
            if not set(bare) <= set(alphabet):
                return None
            bits = "".join(f"{alphabet.index(c):06b}" for c in bare)
            data = bytes(int(bits[8 * i : 8 * i + 8], 2) for i in range(size))
            return data if base64.b64encode(data).decode() == padded else None
    return None


@given(st.text(alphabet="AQgw/+-_= \n\t.é1z", max_size=24))
def test_text_is_decoded_to_what_it_stands_for_or_refused(text):
    expected = meaning_of(text)

    if expected:
        assert decode_base64(text) == expected
    else:
        assert reason_of(decode_base64, text) in ("bad-base64", "empty")


@given(st.binary(min_size=1, max_size=100))
def test_a_plus_that_a_form_made_a_space_never_gives_other_bytes(data):
    text = base64.b64encode(data).decode().replace("+", " ")

    if " " in text:
        with pytest.raises(PictureError, match="there is a space in it"):
            decode_base64(text)
    else:
        assert decode_base64(text) == data


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("aGVsbG8*", "characters in it that are not of its alphabet"),
        ("aGVsbGé=", "the character 'é' is not of its alphabet"),
        ("aGVsb", "its length is wrong: a part is missing"),
        ("aGVsbG8==", "its length is wrong: a part is missing"),
        ("aGVs=bG8", "characters in it that are not of its alphabet"),
        ("a-b+", "it mixes the usual alphabet"),
        ("aGVsbG9=", "it is cut off within a byte"),
        ("data:image/png,aGVsbG8=", "does not say ';base64,'"),
        ("https://example.org/cat.jpg", "characters in it that are not of its alphabet"),
    ],
)
def test_what_is_not_base64_is_told_why(text, why):
    with pytest.raises(PictureError, match=r"^this is not base64: ") as caught:
        decode_base64(text)

    assert caught.value.reason == "bad-base64"
    assert why in str(caught.value)


def test_base64_of_nothing_is_empty():
    assert reason_of(decode_base64, "") == "empty"
    assert reason_of(decode_base64, "data:image/png;base64,") == "empty"


def test_base64_that_is_too_long_is_refused_before_it_is_decoded():
    class Unreadable(str):
        def encode(self, *args):
            raise AssertionError("it was looked at")

    assert reason_of(decode_base64, Unreadable("A" * 2000), SMALL) == "too-many-bytes"


def test_the_limit_on_base64_counts_the_bytes_it_stands_for():
    assert len(decode_base64(base64.b64encode(b"x" * 100), SMALL)) == 100
    assert len(decode_base64(base64.encodebytes(b"x" * 100), SMALL)) == 100
    assert reason_of(decode_base64, base64.b64encode(b"x" * 101), SMALL) == "too-many-bytes"
    assert reason_of(decode_base64, base64.b64encode(b"x" * 102), SMALL) == "too-many-bytes"
