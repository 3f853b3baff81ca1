"""The contact sheet shows the query and its hits."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kkcv.errors import RequestError
from kkcv.images.decode import decode
from kkcv.images.sheet import CELL, contact_sheet, outlined, save_png

RED, BLUE = (200, 20, 20), (20, 20, 200)


def flat(color, height=60, width=80):
    return np.full((height, width, 3), color, np.uint8)


def area_of(sheet, color):
    """How many pixels of the sheet have about this color."""
    return int((np.abs(sheet.astype(int) - color).max(-1) < 30).sum())


def test_the_query_and_every_hit_are_on_the_sheet():
    hits = [(flat(BLUE), f"0.{9 - i}\nblue.jpg") for i in range(7)]

    sheet = contact_sheet(flat(RED), hits, title="Most alike", columns=3)

    one = CELL * CELL * 60 / 80
    assert sheet.dtype == np.uint8
    assert area_of(sheet, RED) == pytest.approx(one, rel=0.02)
    assert area_of(sheet, BLUE) == pytest.approx(7 * one, rel=0.02)


def test_a_grid_shows_every_picture_in_rows():
    pictures = [(flat(RED), "猫 0.99")] + [(flat(BLUE), "dog")] * 4

    grid = contact_sheet(None, pictures, title="Most confidently wrong", columns=3)

    one = CELL * CELL * 60 / 80
    assert area_of(grid, RED) == pytest.approx(one, rel=0.02)
    assert area_of(grid, BLUE) == pytest.approx(4 * one, rel=0.02)


def test_more_hits_than_columns_go_into_further_rows():
    hits = [(flat(BLUE), "")] * 4

    wide = contact_sheet(flat(RED), hits, columns=4)
    tall = contact_sheet(flat(RED), hits, columns=2)

    assert wide.shape[1] > tall.shape[1]
    assert wide.shape[0] < tall.shape[0]


def test_a_sheet_without_hits_says_so():
    empty = contact_sheet(flat(RED), [])

    assert area_of(empty, RED) > 0
    assert (empty < 200).any(axis=-1).sum() > area_of(empty, RED)


@pytest.mark.parametrize(
    "caption",
    ["cat.jpg", "naïve café 猫🐱.jpg", "\udcff\x00\n\n\n", "x" * 10_000, "עברית\nالعربية", ""],
)
def test_any_caption_can_be_written(caption):
    sheet = contact_sheet(flat(RED), [(flat(BLUE), caption)], title=caption)

    assert area_of(sheet, BLUE) > 0


@pytest.mark.parametrize("shape", [(1, 1), (4, 3000), (3000, 4)])
def test_pictures_of_any_shape_fit(shape):
    sheet = contact_sheet(flat(RED, *shape), [(flat(BLUE, *shape), "strip")])

    assert sheet.shape == contact_sheet(flat(RED), [(flat(BLUE), "strip")]).shape


def test_a_saved_sheet_reads_back_the_same(tmp_path):
    sheet = contact_sheet(flat(RED), [(flat(BLUE), "0.93")])

    save_png(tmp_path / "sheet.png", sheet)

    assert np.array_equal(decode(tmp_path / "sheet.png"), sheet)
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]


def test_a_sheet_replaces_an_older_one_whole(tmp_path):
    path = tmp_path / "sheet.png"
    save_png(path, flat(BLUE))

    save_png(str(path), flat(RED))

    assert np.array_equal(decode(path), flat(RED))


def test_a_sheet_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "sheet.png").mkdir()

    with pytest.raises(RequestError, match=r"sheet\.png cannot be written: this is a folder"):
        save_png(tmp_path / "sheet.png", flat(RED))
    with pytest.raises(RequestError, match="cannot be written: there is no folder"):
        save_png(tmp_path / "missing" / "sheet.png", flat(RED))

    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]


def test_what_was_found_is_outlined_where_it_is() -> None:
    shown = outlined(flat(RED, 100, 200), [(0.25, 0.2), (0.75, 0.2), (0.75, 0.8), (0.25, 0.8)])

    changed = (shown != flat(RED, 100, 200)).any(axis=2)
    assert changed[20, 50:150].all()
    assert changed[20:80, 150].all()
    assert not changed[30:70, 60:140].any()
    assert not changed[:15].any()


def test_what_is_there_is_only_replaced_when_it_is_such_a_sheet_or_empty(tmp_path: Path) -> None:
    sheet, photo, empty = (tmp_path / name for name in ("sheet.png", "photo.png", "empty.png"))
    Image.fromarray(flat(BLUE)).save(photo)
    before = photo.read_bytes()
    empty.touch()

    for path in (sheet, sheet, empty):
        save_png(path, flat(RED))
    with pytest.raises(RequestError, match="something else already; name a new file"):
        save_png(photo, flat(RED))
    for folder in (tmp_path, Path("/")):
        with pytest.raises(RequestError, match="cannot be written"):
            save_png(folder, flat(RED))

    assert photo.read_bytes() == before
    assert empty.read_bytes() == sheet.read_bytes()
    assert [path.name for path in sorted(tmp_path.iterdir())] == [
        "empty.png", "photo.png", "sheet.png"
    ]  # fmt: skip


def test_a_device_is_written_to_and_a_link_is_followed(tmp_path: Path) -> None:
    link = tmp_path / "link.png"
    link.symlink_to(tmp_path / "there.png")

    save_png("/dev/null", flat(RED))
    save_png(link, flat(RED))

    assert Path("/dev/null").is_char_device()
    assert link.is_symlink()
    assert np.array_equal(decode(tmp_path / "there.png"), flat(RED))
