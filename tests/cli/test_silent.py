"""A path of a dead mount is not waited for, wherever somebody names it."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kkcv import answering
from kkcv.answering import SILENT
from kkcv.cli import main
from kkcv.errors import FileMissing
from kkcv.search.gallery import Gallery

from .conftest import Said


def said(command: str) -> Said:
    """The output of a command in this process, in which the dead folder is."""
    result = CliRunner().invoke(main, command.split())
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return Said(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(scope="module")
def library(
    kkcv: Callable[..., Said], album: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    home = tmp_path_factory.mktemp("library")
    for number, path in enumerate(album[:6]):
        folder = home / ("dead" if number < 3 else "well")
        folder.mkdir(exist_ok=True)
        shutil.copy(path, folder / f"{number}.jpg")
    kkcv("index", "g", "dead", "well", cwd=home)
    return home


@pytest.fixture
def dead(library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that was indexed into g, and of which the system says nothing any more."""
    monkeypatch.chdir(library)
    over = threading.Event()

    def silent(function: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        def answer(path: str, **more: bool) -> os.stat_result:
            if isinstance(path, str | Path) and "/dead" in os.path.abspath(path):
                assert threading.current_thread() is not threading.main_thread(), path
                over.wait(60)
            return function(path, **more)

        return answer

    with monkeypatch.context() as patch:
        patch.setattr(answering, "SECONDS", 0.2)
        patch.setattr(os, "stat", silent(os.stat))
        patch.setattr(os, "lstat", silent(os.lstat))
        yield library / "dead"
        over.set()


def test_an_import_lists_it_and_goes_on(dead: Path) -> None:
    done = said("index g dead well dead/2.jpg --labels folder --json").json

    assert (done["unchanged"], done["rejected"], done["labelled"]) == (3, 2, 6)
    assert [reject["path"] for reject in done["rejects"]] == [str(dead), str(dead / "2.jpg")]
    assert done["rejects"][0]["message"] == f"{dead}: {SILENT}"


def test_other_commands_refuse_it_in_one_line(dead: Path) -> None:
    for command in (
        "search g dead/0.jpg",
        "search dead/g well/3.jpg",
        "index dead/g well",
        "serve g --config=dead/kkcv.toml",
        "describe g --from dead/labels.csv",
        "classify dead/0.jpg",
        "backup g dead/b",
    ):
        refused = said(command)

        assert (refused.code, refused.err.count("\n")) == (2, 1), command
        assert refused.err.endswith(f": {SILENT}\n")


def test_what_needs_no_look_at_it_works(dead: Path) -> None:
    assert said("search g id:1 --json").json["hits"][0]["missing"]
    assert said("show g dead/0.jpg --json").json["missing"]
    with Gallery.open("g") as gallery, pytest.raises(FileMissing, match="cannot be read now"):
        gallery.read(gallery.get(1))
    assert "is unreachable" in said("remove g --missing dead").err
    assert said("doctor g").out.count("missing-file") == 3
    assert said("roots g --move well dead").code == 2
    shutil.copytree("g", "g2")
    assert said("roots g2 --move dead well --yes --json").json["moved"] == 3
