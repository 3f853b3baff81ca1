"""list, show, describe and index --labels, as a user types them."""

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kkcv.search.gallery import Gallery

from .conftest import Said

Kkcv = Callable[..., Said]


@pytest.fixture(scope="module")
def once(kkcv: Kkcv, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of three cats and two dogs, labelled by their folders; one cat has EXIF."""
    home = tmp_path_factory.mktemp("labelled")
    random = np.random.default_rng(0)
    for name in ("cats/1", "cats/2", "cats/3", "dogs/1", "dogs/狗 2"):
        file = home / "pets" / f"{name}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        if name == "cats/1":
            exif[0x0110] = "Box"
            exif.get_ifd(0x8769)[0x9003] = "2024:05:01 12:30:00"
        pixels = random.integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).resize((64, 64)).save(file, exif=exif)
    said = kkcv("index", home / "pets.kkcv", home / "pets", "--labels", "folder", "--json")
    assert said.code == 0, said.err
    assert said.json["labelled"] == 5
    return home


@pytest.fixture
def pets(once: Path, tmp_path: Path) -> Path:
    shutil.copytree(once / "pets.kkcv", tmp_path / "pets.kkcv")
    return tmp_path / "pets.kkcv"


def labels(gallery: Path) -> list[str]:
    with Gallery.open(gallery) as opened:
        return [str(picture.metadata.get("label")) for picture in opened.pictures()]


def test_folders_are_labels_of_pictures_that_have_none(kkcv: Kkcv, once: Path, pets: Path) -> None:
    assert labels(pets) == ["cats", "cats", "cats", "dogs", "dogs"]
    assert kkcv("describe", pets, "--where", "id == 2", "label=tiger").code == 0

    said = kkcv("index", pets, once / "pets", "--labels", "folder", "--json")

    assert said.json["labelled"] == 0
    assert labels(pets) == ["cats", "tiger", "cats", "dogs", "dogs"]


def test_the_filter_of_the_readme_works_after_its_index(kkcv: Kkcv, once: Path, pets: Path) -> None:
    where = 'label == "cats" and exif.taken >= "2024"'

    said = kkcv("search", pets, "id:4", "--where", where, "--json")

    assert [hit["id"] for hit in said.json["hits"]] == [1]


def test_values_are_json_or_text_and_an_empty_one_takes_away(kkcv: Kkcv, pets: Path) -> None:
    values = [
        "year=2020",
        "code=007",
        'tags=["a", 1]',
        "place.city=北京",
        "file-name=a b",
        "label=",
    ]

    said = kkcv("describe", pets, "--where", 'label == "dogs"', *values, "label=", "--json")

    assert said.json == {"changed": 2, "unchanged": 0, "unknown": []}
    with Gallery.open(pets) as opened:
        assert opened.get(4).metadata == {
            "year": 2020,
            "code": "007",
            "tags": ["a", 1],
            "place": {"city": "北京"},
            "file-name": "a b",
        }
        assert opened.get(1).metadata["label"] == "cats"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--where", "lable == 'cats'", "a=b"], "the nearest that there is: label"),
        (
            ["--where", "label == 'cow'", "a=b"],
            "no picture matches the filter; nothing was changed",
        ),
        (["a=b"], "say which pictures and what"),
        (["--where", "id > 0"], "say which pictures and what"),
        (["--where", "id > 0", "a"], "say what to set as key=value, such as label=cat, got 'a'"),
        (["--where", "id > 0", "id=5"], "id is no key that can be set; as a key: meta.id"),
        (["--where", "id > 0", "--from", "x.csv"], "leave out the others"),
        (["--from", "x.csv"], "x.csv cannot be read as a CSV: No such file"),
    ],
)
def test_what_makes_no_sense_changes_nothing(
    kkcv: Kkcv, pets: Path, arguments: list[str], message: str
) -> None:
    said = kkcv("describe", pets, *arguments)

    assert said.code == 2
    assert said.err.count("\n") == 1
    assert message in said.err
    assert labels(pets) == ["cats", "cats", "cats", "dogs", "dogs"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gbk"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_as_spreadsheets_write_it(
    kkcv: Kkcv, once: Path, pets: Path, encoding: str, separator: str
) -> None:
    rows = [
        ["path", " label ", "meta.id", "exif.rating"],
        [str(once / "pets" / "cats" / "1.jpg"), "猫咪", "17", "5"],
        ["pets\\dogs\\狗 2.jpg", "狗", "", ""],
        ["D:\\else\\cats\\2.jpg", "小猫", "", ""],
        ["3.jpg", "三", "", ""],
        ["1.jpg", "which one", "", ""],
        ["9.jpg", "none", "", ""],
    ]
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    table = pets.parent / "labels.csv"
    table.write_bytes(text.getvalue().encode(encoding))

    said = kkcv("describe", pets, "--from", table, "--json")

    assert said.code == 0, said.err
    assert said.json == {
        "changed": 4,
        "unchanged": 0,
        "unknown": [
            {"row": 6, "message": "1.jpg: 2 pictures have this path"},
            {"row": 7, "message": "9.jpg: no picture has this path"},
        ],
    }
    assert labels(pets) == ["猫咪", "小猫", "三", "dogs", "狗"]
    with Gallery.open(pets) as opened:
        first = opened.get(1).metadata
        assert (first["id"], first["exif"]["rating"], first["exif"]["camera"]) == (17, 5, "Box")


def test_a_relative_path_is_the_whole_end_of_a_path(kkcv: Kkcv, pets: Path) -> None:
    table = pets.parent / "t.csv"
    table.write_text("path,label\ncows/1.jpg,cow\n/mnt/cows/1.jpg,cow\n")

    said = kkcv("describe", pets, "--from", table)

    assert said.code == 2
    assert said.err.count("no picture has this path") == 2


def test_a_number_that_no_picture_can_have_as_its_id_stops_no_other_row(
    kkcv: Kkcv, pets: Path
) -> None:
    table = pets.parent / "t.csv"
    table.write_text(f"id,label\n{10**20 - 1},cow\n1,ox\n")

    said = kkcv("describe", pets, "--from", table, "--json")

    assert said.json["changed"] == 1
    assert said.json["unknown"] == [{"row": 2, "message": f"no picture has the id '{10**20 - 1}'"}]


def test_the_csv_of_a_list_can_be_edited_and_read_again(kkcv: Kkcv, pets: Path) -> None:
    kkcv("describe", pets, "--where", "id < 3", 'year="2020"', 'n={"a b": [1]}', 'meta["x.y"]=true')
    with Gallery.open(pets) as opened:
        before = [picture.metadata for picture in opened.pictures()]
    listed = pets.parent / "list.csv"
    listed.write_text(kkcv("list", pets, "--csv").out, encoding="utf-8")

    assert (
        kkcv("describe", pets, "--where", "id > 0", "year=", "n=", 'meta["x.y"]=', "label=").code
        == 0
    )
    assert kkcv("describe", pets, "--from", listed).code == 0

    with Gallery.open(pets) as opened:
        assert [picture.metadata for picture in opened.pictures()] == before


def test_a_list_for_people_and_for_programs(kkcv: Kkcv, once: Path, pets: Path) -> None:
    table = kkcv("list", pets, "--where", "exif.camera=Box")
    assert str(once / "pets" / "cats" / "1.jpg") in table.out
    assert "exif.taken=2024-05-01T12:30:00 exif.camera=Box" in table.out
    assert "label=cats" in table.out

    said = kkcv("list", pets, "--where", "label=dogs", "--json")
    assert said.json["total"] == 2
    with Gallery.open(pets) as opened:
        for told, picture in zip(said.json["pictures"], opened.page(10, 3), strict=True):
            assert (told["id"], told["path"]) == (picture.id, str(opened.path(picture)))
            assert told["metadata"] == picture.metadata == {"label": "dogs"}

    few = kkcv("list", pets, "--limit", 2)
    assert "… 3 more; --limit 5 shows all" in few.err
    assert kkcv("list", pets, "--where", "label=cow").out == "no picture matches the filter\n"


def test_one_picture_is_shown(kkcv: Kkcv, once: Path, pets: Path) -> None:
    path = once / "pets" / "cats" / "1.jpg"

    by_id, by_path = kkcv("show", pets, 1), kkcv("show", pets, path, "--json")

    assert "exif.taken" in by_id.out
    assert str(path) in by_id.out
    assert by_path.json["id"] == 1
    assert by_path.json["metadata"]["label"] == "cats"
    assert not by_path.json["missing"]
    assert kkcv("show", pets, 99).err == f"kkcv: no picture with id 99 in {pets}\n"
