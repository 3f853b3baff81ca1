"""doctor, tune, backup, restore, export and import, as a user types them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kkcv.search.gallery import Gallery

from .conftest import Said

Kkcv = Callable[..., Said]


@pytest.fixture(scope="module")
def indexed(kkcv: Kkcv, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of six pictures."""
    home = tmp_path_factory.mktemp("care")
    (home / "photos").mkdir()
    for path in sorted((pictures / "imagenette").rglob("*.JPEG"))[::150][:6]:
        shutil.copy(path, home / "photos")
    said = kkcv("index", home / "photos.kkcv", home / "photos", "--json")
    assert (said.code, said.json["pictures"]) == (0, 6), said.err
    return home / "photos.kkcv"


@pytest.fixture
def gallery(indexed: Path, tmp_path: Path) -> Path:
    """A copy to do with as one likes."""
    return shutil.copytree(indexed, tmp_path / "g.kkcv")


def rows(gallery: Path) -> list:
    with Gallery.open(gallery) as opened:
        return list(opened.pictures())


def test_the_doctor_says_that_all_is_well(kkcv: Kkcv, gallery: Path) -> None:
    said = kkcv("doctor", gallery)

    assert (said.code, said.out, said.err) == (0, "6 pictures, all well\n", "")


def test_the_doctor_says_what_is_wrong_and_exits_with_1_until_it_is_mended(
    kkcv: Kkcv, gallery: Path
) -> None:
    (gallery / "pictures/ab").mkdir(parents=True)
    (gallery / "pictures/ab/stray.jpg").write_bytes(b"stray")

    found = kkcv("doctor", gallery)
    as_json = kkcv("doctor", gallery, "--json")
    mended = kkcv("doctor", gallery, "--repair")
    again = kkcv("doctor", gallery)

    assert found.code == as_json.code == 1
    assert "orphaned-file" in found.out
    assert "--repair moves it to orphans/" in found.out
    assert as_json.json["pictures"] == 6
    assert [f["kind"] for f in as_json.json["findings"]] == ["orphaned-file"]
    assert mended.code == 0
    assert "moved to orphans/stray.jpg" in mended.out
    assert (again.code, again.out) == (0, "6 pictures, all well\n")


def test_what_the_doctor_cannot_mend_stays_an_exit_code_of_1(kkcv: Kkcv, gallery: Path) -> None:
    picture = rows(gallery)[0]
    file = Path(picture.file.path)
    away = file.with_suffix(".away")
    file.rename(away)
    try:
        said = kkcv("doctor", gallery, "--repair", "--json")
    finally:
        away.rename(file)

    assert said.code == 1
    assert said.json["findings"] == [
        {
            "kind": "missing-file",
            "what": f"{file} (id {picture.id})",
            "advice": f"kkcv index {gallery} FOLDER_WHERE_IT_IS, "
            f"or kkcv remove {gallery} --missing",
            "mended": "",
        }
    ]
    assert len(rows(gallery)) == 6


def test_tune_prints_what_it_measured(kkcv: Kkcv, gallery: Path) -> None:
    said = kkcv("tune", gallery, "--kind", "hnsw", "--json")
    shown = kkcv("stats", gallery, "--json").json["index"]

    assert said.code == 0
    assert said.json["kind"] == shown["kind"] == "hnsw"
    assert said.json["recall"] == shown["recall"] >= 0.99
    assert [plan["k"] for plan in said.json["plans"]] == [10, 100, 1000]
    assert {plan["recall_worst_tenth"] for plan in said.json["plans"]} == {1.0}  # six: all compared


def test_what_was_tuned_for_holds_and_is_shown(kkcv: Kkcv, gallery: Path) -> None:
    said = kkcv("tune", gallery, "--memory", "1KB", "--json")
    shown = kkcv("stats", gallery)

    assert said.code == 2
    assert "an index of 6 pictures of kind rabitq takes 1,056 bytes" in said.err
    assert kkcv("tune", gallery, "--memory", "2KB", "--json").json["kind"] == "rabitq"
    assert "index recall" in shown.out
    assert "milliseconds a query" in shown.out


def test_a_backup_is_restored_to_the_same_gallery(
    kkcv: Kkcv, gallery: Path, tmp_path: Path
) -> None:
    saved = kkcv("backup", gallery, tmp_path / "saved.zip")
    restored = kkcv("restore", tmp_path / "again", tmp_path / "saved.zip")

    assert (saved.code, saved.out) == (0, f"6 pictures are in {tmp_path / 'saved.zip'}\n")
    assert (restored.code, restored.out) == (0, f"6 pictures are in {tmp_path / 'again'}\n")
    assert rows(tmp_path / "again") == rows(gallery)
    assert kkcv("doctor", tmp_path / "again").code == 0


def test_an_export_is_imported_once(kkcv: Kkcv, gallery: Path, tmp_path: Path) -> None:
    exported = kkcv("export", gallery, tmp_path / "e.parquet")
    imported = kkcv("import", tmp_path / "again", tmp_path / "e.parquet")
    twice = kkcv("import", tmp_path / "again", *[tmp_path / "e.parquet"] * 2, "--json")

    assert (exported.code, exported.out) == (0, f"6 pictures are in {tmp_path / 'e.parquet'}\n")
    assert (imported.code, imported.out) == (0, "6 pictures came in, 0 were there\n")
    assert twice.json == {"added": 0, "known": 12}
    assert [p.file for p in rows(tmp_path / "again")] == [p.file for p in rows(gallery)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("doctor", "{nowhere}"), "nowhere is not a gallery"),
        (("tune", "{nowhere}"), "nowhere is not a gallery"),
        (("tune", "{gallery}", "--memory", "2"), "a number and KB, MB or GB, as 800MB, got '2'"),
        (("backup", "{nowhere}", "{new}"), "nowhere is not a gallery"),
        (("backup", "{gallery}", "{text}"), "text.txt is there already; name a new file"),
        (("backup", "{gallery}", "{nowhere}/b.zip"), "cannot be written: there is no folder"),
        (("restore", "{new}", "{nowhere}"), "nowhere: there is no such file"),
        (("restore", "{new}", "{text}"), "text.txt is not a backup of a gallery"),
        (("restore", "{gallery}", "{text}"), "g.kkcv is there already; name a new folder"),
        (("restore", "{text}", "{gallery}"), "g.kkcv is there already; name a new folder"),
        (("export", "{nowhere}", "{new}"), "nowhere is not a gallery"),
        (("export", "{gallery}", "{text}"), "got '.txt' in text.txt"),
        (("export", "{gallery}", "{nowhere}/e.parquet"), "e.parquet cannot be written: "),
        (("import", "{gallery}", "{text}"), "text.txt is no Parquet file that kkcv exported"),
        (("import", "{new}", "{nowhere}"), "nowhere is no Parquet file that kkcv exported"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    kkcv: Kkcv, gallery: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "text.txt").write_text("text")
    names = {"nowhere": "nowhere", "new": "new", "text": "text.txt", "gallery": "g.kkcv"}
    places = {word: tmp_path / name for word, name in names.items()}

    said = kkcv(*(argument.format(**places) for argument in arguments))

    assert said.code == 2
    assert said.err.startswith("kkcv: ")
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not said.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.kkcv", "text.txt"]


def test_a_gallery_that_cannot_be_read_is_one_line(kkcv: Kkcv, gallery: Path) -> None:
    (gallery / "catalog.sqlite").write_bytes(b"no database" * 500)

    for command in ("doctor", "stats", "tune"):
        said = kkcv(command, gallery)

        assert said.code == 2
        assert "catalog.sqlite is damaged or no catalog of kkcv" in said.err
        assert said.err.count("\n") == 1
