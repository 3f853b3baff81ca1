"""Wherever a person types a path, ~ and variables are understood: $HOME, ${PHOTOS}."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kkcv.checkpoint import Checkpoint
from kkcv.cli import as_typed
from kkcv.disk import absolute, typed
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.runtimes import RUNTIMES, Runtime
from kkcv.images.decode import decode
from kkcv.images.folder import find_pictures, labelled_pictures
from kkcv.images.preprocess import Preprocess
from kkcv.search.gallery import Gallery
from kkcv.search.importing import files_to_import, import_pictures
from kkcv.serve.parameters import resolve
from kkcv.training.data.source import Source


class Mean(Runtime):
    dim = 3

    def run(self, crops: np.ndarray) -> np.ndarray:
        return crops.mean(axis=(1, 2)) / 127.5


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PHOTOS", str(tmp_path / "Pictures"))
    (tmp_path / "Pictures" / "cats").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    Image.new("RGB", (40, 30), "red").save(tmp_path / "Pictures" / "cats" / "a.png")
    return tmp_path


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> Embedder:
    monkeypatch.setitem(RUNTIMES, "mean", lambda *_: Mean())
    mean = (0.5,) * 3
    preprocess = Preprocess(size=(8, 8), resize=8, interpolation="bilinear", mean=mean, std=mean)
    return Embedder(Checkpoint("mean", "mean", None, preprocess), runtime="mean")


WAYS = ["~/Pictures", "$HOME/Pictures", "${PHOTOS}", "$PHOTOS"]


@pytest.mark.parametrize("way", WAYS)
def test_in_python(home: Path, embedder: Embedder, way: str) -> None:
    picture = home / "Pictures" / "cats" / "a.png"

    assert decode(f"{way}/cats/a.png").shape == (30, 40, 3)
    assert list(find_pictures(way)) == list(find_pictures([Path(way)])) == [picture]
    assert labelled_pictures(way) == [(picture, "cats")]
    assert Source(Path(way)).path == home / "Pictures"
    with Gallery.create("~/g.kkcv", embedder) as gallery:
        assert gallery.folder == home / "g.kkcv"
        assert list(files_to_import(gallery, [way])) == [str(picture)]
        assert import_pictures(gallery, [way]).added == 1
        assert gallery.find(f"{way}/cats/a.png").id == 1
        assert [hit.id for hit in gallery.search(f"{way}/cats/a.png")] == [1]
        assert gallery.add(f"{way}/cats/a.png").id == 1
        assert gallery.index(way, labels="folder").unchanged == 1
        assert gallery.get(1).metadata == {"label": "cats"}
    assert len(Gallery.open("$HOME/g.kkcv", embedder)) == 1


def test_what_has_such_a_name_is_meant(home: Path) -> None:
    here = Path("$HOME")
    here.mkdir()
    shutil.copy(home / "Pictures" / "cats" / "a.png", here / "~.png")

    assert typed("$HOME") == "$HOME"
    assert list(find_pictures("$HOME")) == [here / "~.png"]
    assert absolute("$NOT_SET/x") == home / "elsewhere" / "$NOT_SET" / "x"
    assert typed("cost 5$.jpg") == "cost 5$.jpg"


def test_in_the_file_of_a_service(home: Path) -> None:
    config = home / "kkcv.toml"
    config.write_text('[serve]\ngallery = "~/g.kkcv"\nkeys = "$PHOTOS/k.json"\n')

    values = resolve(["--config", str(config)])

    assert str(home / "g.kkcv") in values["gallery"].value
    assert values["keys"].value == str(home / "Pictures" / "k.json")


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("~/x", "HOME/x"),
        ("~", "HOME"),
        ("$PHOTOS", "HOME/Pictures"),
        ("--out=~/x.png", "--out=HOME/x.png"),
        ("${PHOTOS}/x", "HOME/Pictures/x"),
        ("~ no path", "~ no path"),
        ("$5 is no variable", "$5 is no variable"),
        ('path.startswith("~/x")', 'path.startswith("~/x")'),
        ("--where=$PHOTOS == 1", "--where=$PHOTOS == 1"),
    ],
)
def test_quoted_on_the_command_line(home: Path, argument: str, expected: str) -> None:
    assert as_typed(argument) == expected.replace("HOME", str(home))


def test_a_command_finds_its_paths(home: Path) -> None:
    command = [sys.executable, "-m", "kkcv", "stats", "$PHOTOS/g.kkcv"]

    said = subprocess.run(command, capture_output=True, text=True)

    assert said.stderr.startswith(f"kkcv: {home}/Pictures/g.kkcv is ")
