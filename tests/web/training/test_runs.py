"""Training runs as the page knows them: by their folders, and what lies beside."""

import json
import os
from pathlib import Path

import pytest

from kkcv.errors import RequestError
from kkcv.web.training.runs import Run, Runs, State


def test_a_run_that_was_made_elsewhere_is_known_by_its_folder(tmp_path: Path) -> None:
    (tmp_path / "pets").mkdir()
    (tmp_path / "pets" / "best.json").write_text("{}")
    (tmp_path / "notes").mkdir()

    runs = Runs(tmp_path)

    assert [run.path.name for run in runs.all()] == ["pets"]
    assert runs.state(runs.all()[0]) is State.FINISHED


def test_a_run_that_was_cut_off_can_go_on(tmp_path: Path) -> None:
    run = remembered(tmp_path, process=None)
    (run.path / "unfinished").mkdir(parents=True)
    (run.path / "split.csv").write_text("path,label,part\n")

    assert Runs(tmp_path).state(run) is State.STOPPED


def test_the_number_of_a_process_that_is_another_s_is_no_run(tmp_path: Path) -> None:
    run = remembered(tmp_path, process=os.getpid())

    assert Runs(tmp_path).state(run) is State.FAILED


def test_a_run_that_failed_can_be_forgotten(tmp_path: Path) -> None:
    run = remembered(tmp_path, process=None)

    Runs(tmp_path).forget(run)

    assert Runs(tmp_path).all() == []


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".hidden", "x" * 80])
def test_a_name_stays_inside_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError, match="a run's name has"):
        Runs(tmp_path).begin(name, "/data", [])


def test_a_name_is_used_once(tmp_path: Path) -> None:
    remembered(tmp_path, process=None)

    with pytest.raises(RequestError, match="there is a run 'pets' already"):
        Runs(tmp_path).begin("pets", "/data", [])


def test_its_epochs_and_the_end_of_its_log_can_be_read(tmp_path: Path) -> None:
    run = remembered(tmp_path, process=None)
    run.path.mkdir()
    run.folder.table.write_text("stage,epoch,train_loss\nhead,0,0.5\n")
    run.log.write_text("x" * 5000 + "\nthe end\n")

    assert run.epochs() == [{"stage": "head", "epoch": "0", "train_loss": "0.5"}]
    assert run.said().endswith("the end")
    assert len(run.said()) < 4100


def test_how_far_it_is_can_be_read_from_its_log(tmp_path: Path) -> None:
    run = remembered(tmp_path, process=None)

    assert run.steps() is None
    run.log.write_text(
        "3 of 4 classes\nall, steps: 9 of 30\nhead: epoch 1, steps: 20 of 300\nslow\n"
    )
    assert run.steps() == (20, 300)


def remembered(folder: Path, process: int | None) -> Run:
    """A run of which only the record is there."""
    record = {"data": "/data", "options": [], "process": process}
    (folder / "pets.json").write_text(json.dumps(record))
    return Run(folder / "pets")
