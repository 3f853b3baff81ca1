"""The command line as people guess it: the answer, or one line that names the right word."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kkcv.cli import output

from .conftest import Said

Kkcv = Callable[..., Said]


@pytest.fixture(scope="module")
def photos(album: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("照片")
    for path in album[:6]:
        shutil.copy(path, folder / path.name)
    return folder


@pytest.fixture(scope="module")
def first(kkcv: Kkcv, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    gallery = tmp_path_factory.mktemp("g") / "photos.kkcv"
    return gallery, kkcv("index", gallery, photos)


def test_the_first_index_says_what_to_do_next(
    kkcv: Kkcv, first: tuple[Path, Said], photos: Path
) -> None:
    gallery, said = first

    assert said.code == 0
    assert f"kkcv search {gallery} PICTURE" in said.err
    assert "next:" not in kkcv("index", gallery, photos).err


@pytest.mark.parametrize("extension", ["csv", "jsonl", "npz", "parquet", "CSV"])
def test_the_extension_decides_how_a_gallery_is_exported(
    kkcv: Kkcv, first: tuple[Path, Said], tmp_path: Path, extension: str
) -> None:
    file = tmp_path / f"out.{extension}"

    said = kkcv("export", first[0], file)

    assert (said.code, said.out) == (0, f"6 pictures are in {file}\n")
    match extension.lower():
        case "csv":
            rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
            assert [row["id"] for row in rows] == list("123456")
            assert all(Path(row["path"]).is_file() for row in rows)
        case "jsonl":
            lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
            assert [line["id"] for line in lines] == [1, 2, 3, 4, 5, 6]
        case "npz":
            found = np.load(file)
            assert found["vectors"].shape == (6, 1280)
            assert found["ids"].tolist() == [1, 2, 3, 4, 5, 6]


def test_other_extensions_are_refused(
    kkcv: Kkcv, first: tuple[Path, Said], photos: Path, tmp_path: Path
) -> None:
    picture = next(photos.iterdir())
    for arguments, message in (
        (("export", first[0], tmp_path / "out.xlsx"), "the extension says the format: .parquet, "),
        (
            ("search", first[0], picture, "--sheet", tmp_path / "a.txt"),
            "name a .png file, not",
        ),
        (
            ("zoo", "draw", "resnet18", "-o", tmp_path / "x.gif"),
            "a diagram is a .svg, .png",
        ),
    ):
        said = kkcv(*arguments)
        assert said.code == 2
        assert message in said.err
        assert len(said.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_k_and_top_are_one_word(kkcv: Kkcv, first: tuple[Path, Said], photos: Path) -> None:
    picture = next(photos.iterdir())

    short = kkcv("search", first[0], picture, "-k", 2, "--json").json
    long = kkcv("search", first[0], picture, "--top", 2, "--json").json

    assert short == long
    assert len(short["hits"]) == 2
    assert len(kkcv("classify", picture, "-k", 3, "--json").json["pictures"][0]["guesses"]) == 3


def test_a_folder_is_classified_as_a_table(kkcv: Kkcv, photos: Path) -> None:
    said = kkcv("classify", photos)

    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[1].split() == ["picture", "label", "probability"]
    assert sum(f"{photos}/" in line for line in lines) == 6


def test_help_is_a_command_too(kkcv: Kkcv) -> None:
    assert kkcv("help").out == kkcv("--help").out
    assert kkcv("help", "search").out == kkcv("search", "--help").out
    assert kkcv("help", "zoo", "draw").out == kkcv("zoo", "draw", "--help").out
    said = kkcv("help", "serch")
    assert said.code == 2
    assert "no such command 'serch' (did you mean one of: 'search', 'serve'?)" in said.err


def test_json_writes_chinese_as_it_is(kkcv: Kkcv, first: tuple[Path, Said], photos: Path) -> None:
    said = kkcv("search", first[0], next(photos.iterdir()), "-k", 1, "--json")

    assert "照片" in said.out
    ascii_only = subprocess.run(
        [sys.executable, "-m", "kkcv", "show", str(first[0]), "1", "--json"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert json.loads(ascii_only.stdout)["id"] == 1


def test_a_gallery_may_come_first_where_a_picture_is_explained(
    kkcv: Kkcv, first: tuple[Path, Said]
) -> None:
    said = kkcv("explain", "one.jpg", "--json")

    assert said.code == 2
    assert "name two pictures: kkcv explain [GALLERY] QUERY HIT" in said.err


def test_long_work_writes_a_line_every_ten_seconds_into_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 5.0, 10.0, 11.0, 40.0])
    monkeypatch.setattr(output.time, "monotonic", lambda: next(clock))

    with output.progress_bar("indexing") as update:
        for done in (50, 100, 110, 400):
            update(done, 1000)

    assert capsys.readouterr().err.splitlines() == [
        "indexing: 100 / 1,000, 10/s, 0:01:30 left",
        "indexing: 400 / 1,000, 10/s, 0:01:00 left",
    ]
