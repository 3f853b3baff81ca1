"""int8: calibrated with one's own pictures, a space of its own, and kept with its vectors."""

import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from kkcv.cli import main
from kkcv.embedding import quantized
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.space import EmbeddingSpace
from kkcv.errors import EmbedderMismatch, MissingExtra, RequestError, WeightsError
from kkcv.images.folder import find_pictures
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.maintenance.backup import backup, restore


@pytest.fixture(scope="module")
def photos(pictures: Path) -> list[Path]:
    return list(find_pictures([pictures / "near_dup_caltech"]))[:40]


@pytest.fixture(scope="module")
def int8(photos: list[Path]) -> Embedder:
    return Embedder.calibrated(photos)


@pytest.fixture(scope="module")
def int8_gallery(
    tmp_path_factory: pytest.TempPathFactory, int8: Embedder, photos: list[Path]
) -> Path:
    folder = tmp_path_factory.mktemp("made") / "gallery"
    with Gallery.create(folder, int8) as gallery:
        import_pictures(gallery, photos[:12])
    return folder


def test_its_vectors_are_near_those_of_float32_and_not_the_same(
    int8: Embedder, photos: list[Path]
) -> None:
    crops = [int8.prepare(path) for path in photos[:12]]
    truth = Embedder.load(runtime="openvino", precision="float32").embed_crops(crops)

    cosine = (int8.embed_crops(crops) * truth).sum(1)

    assert cosine.mean() > 0.97
    assert cosine.max() < 0.9999
    assert int8.choice == ("openvino", "int8")


def test_the_same_pictures_make_the_same_network_again(
    int8: Embedder, photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kkcv.embedding.networks.make", pytest.fail)

    assert Embedder.calibrated(photos).space == int8.space


def test_it_is_a_space_of_its_own_and_the_others_are_as_they_were(int8: Embedder) -> None:
    exact = Embedder.load(runtime="openvino", precision="float32").space

    assert "int8" not in exact.to_dict()
    assert EmbeddingSpace.from_dict(int8.space.to_dict()) == int8.space
    assert int8.space.fingerprint != exact.fingerprint
    assert int8.space.differences(exact) == [
        f"precision int8 ({int8.space.int8}) here, float32 or bfloat16 there"
    ]


def test_a_gallery_searches_with_its_own_network_though_the_cache_is_gone(
    int8_gallery: Path, photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KKCV_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("KKCV_PRECISION", "float32")

    with Gallery.open(int8_gallery) as gallery:
        hits = gallery.search(photos[3], 1)
        assert gallery.embedder.choice.precision == "int8"

    assert hits[0].path == str(photos[3])
    assert hits[0].score > 0.999


def test_a_gallery_refuses_vectors_of_another_precision(
    int8_gallery: Path, made_gallery: Path, int8: Embedder
) -> None:
    with pytest.raises(EmbedderMismatch, match=r"precision int8 .* here, float32 or b"):
        Gallery.open(int8_gallery, Embedder.load(runtime="openvino", precision="float32"))
    with pytest.raises(EmbedderMismatch, match="precision float32 or bfloat16 here, int8 "):
        Gallery.open(made_gallery, int8)


def test_a_backup_takes_the_network_along(
    int8_gallery: Path, photos: list[Path], tmp_path: Path
) -> None:
    with Gallery.open(int8_gallery) as gallery:
        backup(gallery, tmp_path / "backup.zip")

    with restore(tmp_path / "backup.zip", tmp_path / "restored") as gallery:
        assert gallery.search(photos[0], 1)[0].path == str(photos[0])


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_gallery_without_its_network_says_what_to_do(
    damage: str, int8_gallery: Path, photos: list[Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(int8_gallery, tmp_path / "gallery"))
    weights = next(folder.glob("int8/*/model.bin"))
    weights.unlink()
    if damage == "changed":
        weights.write_bytes(b"something else")

    with Gallery.open(folder) as gallery, pytest.raises(WeightsError, match="kkcv reindex"):
        gallery.search(photos[0])


def test_the_command_line_makes_one_and_adds_to_it(
    photos: list[Path], stranger: Path, tmp_path: Path
) -> None:
    gallery, files = str(tmp_path / "g"), [str(path) for path in photos]
    run = CliRunner().invoke

    few = run(main, ["index", gallery, *files[:3], "--precision", "int8"])
    made = run(main, ["index", gallery, *files, "--precision", "int8", "--json"])
    more = run(main, ["index", gallery, str(stranger), "--precision", "int8", "--json"])

    assert "int8 is calibrated with 16 pictures or more, and 3 could be read" in few.output
    assert made.exit_code == more.exit_code == 0, made.output + more.output
    assert '"added": 1,' in more.stdout.replace("\n", "")


def test_vectors_of_a_gallery_do_not_become_int8_by_themselves(
    made_gallery: Path, photos: list[Path]
) -> None:
    command = ["index", str(made_gallery), str(photos[0]), "--precision", "int8"]

    refused = CliRunner().invoke(main, command)

    assert refused.exit_code == 2
    assert f"kkcv reindex {made_gallery} --precision int8" in refused.output


def test_without_pictures_or_openvino_there_is_no_int8() -> None:
    with pytest.raises(RequestError, match="int8 is calibrated with the pictures of a gallery"):
        Embedder.load(precision="int8")
    with pytest.raises(RequestError, match="int8 runs on OpenVINO"):
        Embedder.load(precision="int8", runtime="pytorch")


def test_without_nncf_it_says_what_to_install(
    photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)

    with pytest.raises(MissingExtra, match=r"pip install 'kkcv\[int8\]'"):
        Embedder.calibrated(photos)


def test_a_network_that_int8_harms_is_refused(
    photos: list[Path], int8: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantized, "CLOSE", 0.9999)

    with pytest.raises(RequestError, match=r"int8 changes what efficientnet_lite0 sees too much"):
        Embedder.calibrated(photos)
