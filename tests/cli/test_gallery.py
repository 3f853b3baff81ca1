"""index, search, remove and stats, as a user types them."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from kkcv.cli import main, output
from kkcv.embedding.embedder import Embedder
from kkcv.search.gallery import Gallery

from .conftest import Said

Kkcv = Callable[..., Said]


@pytest.fixture(scope="module")
def photos(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six groups of near duplicates, 12 pictures, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("photos")
    for group in sorted((pictures / "near_dup_caltech").iterdir())[:7]:
        if group.is_dir():
            (folder / group.name).mkdir()
            for path in sorted(group.iterdir())[:2]:
                shutil.copy(path, folder / group.name / path.name)
    (folder / "notes.jpg").write_text("this is text")
    return folder


@pytest.fixture(scope="module")
def indexed(kkcv: Kkcv, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    gallery = tmp_path_factory.mktemp("galleries") / "photos.kkcv"
    said = kkcv("index", gallery, photos, "--json")
    assert said.code == 0, said.err
    assert said.json["added"] == said.json["pictures"] >= 12
    assert [reject["reason"] for reject in said.json["rejects"]] == ["not-an-image"]
    return gallery


def test_an_answer_of_confirmed_copies_alone_is_a_table_too(
    kkcv: Kkcv, indexed: Path, photos: Path
) -> None:
    query = next(photos.glob("g01/*"))

    said = kkcv("search", indexed, query, "--copies", "-k", 1)

    assert said.code == 0, said.err
    assert "by chance" not in said.out
    assert str(query) in said.out
    assert "whole" in said.out


def test_indexing_again_does_nothing_and_says_so(kkcv: Kkcv, indexed: Path, photos: Path) -> None:
    said = kkcv("index", indexed, photos)

    assert said.code == 0
    assert "unchanged" in said.out
    assert "notes.jpg: these 12 bytes" in said.err
    assert "[not-an-image]" in said.err
    assert (indexed / "rejects.csv").read_text().startswith("path,reason,message\n")


def test_local_features_made_ahead_have_a_progress_of_their_own(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "EVERY", 0)  # each step is told

    asked = ["index", str(tmp_path / "g"), str(photos), "--local-features"]
    said = CliRunner().invoke(main, asked)

    assert said.exit_code == 0, said.stderr
    steps = [line.partition(":")[0] for line in said.stderr.splitlines() if "/s, " in line]
    assert steps[-12:] == ["making local features"] * 12
    assert set(steps[:-12]) == {"indexing"}


def test_a_search_prints_a_ranked_table(kkcv: Kkcv, indexed: Path, photos: Path) -> None:
    query = next(photos.rglob("*/*.jpg"))

    said = kkcv("search", indexed, query, "-k", 3)

    assert said.code == 0
    rows = [line.split() for line in said.out.splitlines() if line.strip()]
    assert rows[0] == ["rank", "score", "id", "path"]
    assert rows[2][0] == "1"
    assert rows[2][3] == str(query)


def test_a_search_of_a_small_gallery_loads_only_what_it_works_with(
    indexed: Path, photos: Path
) -> None:
    query = next(photos.rglob("*/*.jpg"))

    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kkcv", "search", indexed, query],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )

    loaded = {line.rpartition("|")[2].strip() for line in process.stderr.splitlines()}
    assert {"numpy", "cv2", "kkcv.search.gallery"} <= loaded
    needless = {"faiss", "pathspec", "pymilvus", "torch", "onnx", "flask", "pydantic"}
    assert not loaded & {*needless, "kkcv.search.importing.importing", "kkcv.search.milvus.engine"}


def test_a_search_for_programs_prints_one_object(kkcv: Kkcv, indexed: Path, photos: Path) -> None:
    query = next(photos.rglob("*/*.jpg"))

    said = kkcv("search", indexed, query, "-k", 4, "--json")

    hits = said.json["hits"]
    assert [set(hit) for hit in hits] == [
        {
            "id",
            "score",
            "path",
            "metadata",
            "chance",
            "or_less",
            "likeness",
            "place",
            "query_place",
            "match",
            "points",
            "folded",
            "missing",
        }
    ] * 4
    assert hits[0]["path"] == str(query)
    assert Path(hits[1]["path"]).parent == query.parent  # its near duplicate
    assert all(-1 <= hit["score"] <= 1 for hit in hits)
    assert [hit["score"] for hit in hits] == sorted((h["score"] for h in hits), reverse=True)


def test_the_command_line_answers_as_python_does(kkcv: Kkcv, indexed: Path, photos: Path) -> None:
    query = next(photos.rglob("*/*.jpg"))

    said = kkcv("search", indexed, query, "--json")

    with Gallery.open(indexed, Embedder.load()) as gallery:
        hits = gallery.search(query, k=10)
    assert [hit["id"] for hit in said.json["hits"]] == [hit.id for hit in hits]


def test_a_contact_sheet_is_a_picture_of_query_and_hits(
    kkcv: Kkcv, indexed: Path, photos: Path, tmp_path: Path
) -> None:
    query = next(photos.rglob("*/*.jpg"))

    said = kkcv("search", indexed, query, "-k", 3, "--sheet", tmp_path / "sheet.png")

    assert said.code == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > 600


def test_a_removed_picture_is_not_found_and_its_file_stays(
    kkcv: Kkcv, photos: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(photos, mine)
    kkcv("index", tmp_path / "g", mine)
    query = next(mine.rglob("*/*.jpg"))

    said = kkcv("remove", tmp_path / "g", query, "--json")

    assert len(said.json["removed"]) == 1
    hits = kkcv("search", tmp_path / "g", query, "--json").json["hits"]
    assert str(query) not in [hit["path"] for hit in hits]
    assert query.exists()


def test_pictures_whose_files_have_gone_can_be_removed(
    kkcv: Kkcv, photos: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(photos, mine)
    before = kkcv("index", tmp_path / "g", mine, "--json").json["pictures"]
    next(mine.rglob("*/*.jpg")).unlink()

    said = kkcv("remove", tmp_path / "g", "--missing", "--json")

    assert said.json["pictures"] == before - 1


def test_stats_say_what_made_the_gallery(kkcv: Kkcv, indexed: Path) -> None:
    figures = kkcv("stats", indexed, "--json").json

    assert figures["network"] == "efficientnet_lite0"
    assert figures["dim"] == 1280
    assert figures["pictures"] >= 12
    assert figures["preprocess"]["size"] == [224, 224]


def test_another_network_is_refused_and_both_are_named(
    kkcv: Kkcv, indexed: Path, photos: Path
) -> None:
    resnet = ("--model", "resnet18", "--weights", "none", "--runtime", "pytorch")  # no export

    said = kkcv("index", indexed, photos, *resnet)

    (refusal,) = said.err.splitlines()
    assert said.code == 2
    assert "was made by efficientnet_lite0" in refusal
    assert "this is resnet18" in refusal


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search", "{gallery}", "nowhere.jpg"), "nowhere.jpg: there is no file at this path"),
        (("search", "{gallery}", "{photos}/notes.jpg"), "these 12 bytes are"),
        (("search", "{photos}", "{picture}"), "of its pictures: kkcv index photos.kkcv"),
        (("search", "nowhere", "{picture}"), "is not a gallery; to make one: kkcv index"),
        (("backup", "{gallery}", "no/such.backup"), "cannot be written: there is no folder"),
        (
            ("search", "{picture}", "{gallery}"),
            "is not a gallery but a file; a gallery is a",
        ),
        (("search", "{gallery}", "{picture}", "-k", "0"), "whole number from 1 to 1000, got 0"),
        (("search", "{gallery}", "{picture}", "-k", "1001"), "from 1 to 1000, got 1001"),
        (("index", "{gallery}", "nowhere"), "nowhere: there is no"),
        (("index", "{photos}", "{photos}"), "is a folder with other things in it"),
        (("index", "{picture}", "{photos}"), "is a file; a gallery is a folder"),
        (("remove", "{gallery}", "99999"), "no picture with id 99999"),
        (("search", "{gallery}", f"id:{'9' * 5000}"), f"no picture with id {'9' * 20}"),
        (("remove", "{gallery}", "nowhere.jpg"), "no picture of nowhere.jpg"),
        (("remove", "{gallery}", "{photos}"), "is a folder; to take it and its pictures out"),
        (("remove", "{gallery}", "/"), "/ is a folder; name the pictures to remove"),
        (("remove", "{gallery}"), "name what to remove: ids, paths, or --missing"),
        (("stats", "nowhere"), "is not a gallery"),
        (("stats", "no where"), "no where' FOLDER_OF_PICTURES"),
        (("index", "new", "{photos}", "--model", "resnet51"), "no network 'resnet51' in the zoo"),
        (("index", "new", "{photos}", "--weights", "no.pth"), "no weights file no.pth"),
        (("evaluate", "search", "nowhere"), "nowhere"),
        (("classify", "nowhere.jpg"), "nowhere.jpg: there is no file at this path"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    kkcv: Kkcv, indexed: Path, photos: Path, arguments: tuple[str, ...], message: str
) -> None:
    places = {
        "gallery": indexed,
        "photos": photos,
        "picture": next(photos.rglob("*/*.jpg")),
    }

    said = kkcv(*(argument.format(**places) for argument in arguments))

    assert said.code == 2
    assert message in said.err
    assert said.err.startswith("kkcv: ")
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    assert not said.out


def test_the_order_of_a_gallery_is_changed_in_one_command(
    kkcv: Kkcv, indexed: Path, photos: Path
) -> None:
    query = next(photos.rglob("*/*.jpg"))
    plain = kkcv("search", indexed, query, "-k", 4, "--json").json["hits"]

    said = kkcv("index", indexed, "--ranking", "best", "--json")

    assert said.json == {"gallery": str(indexed), "ranking": "best"}
    best = kkcv("search", indexed, query, "-k", 4, "--json").json["hits"]
    assert (
        best == kkcv("search", indexed, query, "-k", 4, "--ranking", "best", "--json").json["hits"]
    )
    kkcv("index", indexed, "--ranking", "plain")
    assert kkcv("search", indexed, query, "-k", 4, "--json").json["hits"] == plain


def test_a_ranking_that_is_none_makes_no_gallery(kkcv: Kkcv, photos: Path, tmp_path: Path) -> None:
    said = kkcv("index", tmp_path / "new.kkcv", photos, "--ranking", "bets")

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("kkcv: no ranking 'bets'; there are: plain, best,")
    assert not (tmp_path / "new.kkcv").exists()


def test_a_search_in_an_empty_gallery_says_that_it_is_empty(
    kkcv: Kkcv, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    assert kkcv("index", "g", "folder", cwd=tmp_path).code == 0

    said = kkcv("search", "g", next(photos.glob("g01/*")), "--copies", cwd=tmp_path)

    assert (said.code, said.out) == (0, "nothing found\n")
    assert said.err == "there are no pictures in g; to add some: kkcv index g PICTURES\n"
