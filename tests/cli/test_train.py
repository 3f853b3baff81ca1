"""``kkcv train``, ``kkcv evaluate classifier``, ``kkcv data``, as a user has them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kkcv.cli import main
from kkcv.web.training.runs import STEP


def kkcv(*args: object) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


@pytest.fixture(scope="module")
def cats_dogs(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cats_dogs")
    for label in ("cats", "dogs"):
        (root / label).mkdir()
        for path in sorted((pictures / "cats_dogs/train" / label).iterdir())[:30]:
            (root / label / path.name).symlink_to(path)
    return root


@pytest.fixture(scope="module")
def trained(cats_dogs: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    out = tmp_path_factory.mktemp("runs") / "run"
    size = ("--size", 128, "--batch-size", 16)
    return out, kkcv("train", cats_dogs, "--out", out, *size, "--json")


def test_a_run_is_trained_classifies_and_is_measured(
    trained: tuple[Path, Result], cats_dogs: Path
) -> None:
    run, result = trained
    cat = next((cats_dogs / "cats").iterdir())

    guess = kkcv("classify", cat, "--model", run, "--top", 1, "--json")
    measured = kkcv("evaluate", "classifier", run, cats_dogs, "--json")

    assert result.exit_code == guess.exit_code == measured.exit_code == 0, result.output
    evaluation = json.loads(result.stdout)
    assert evaluation["part"] == "test"
    assert json.loads(guess.stdout)["pictures"][0]["guesses"][0]["label"] in ("cats", "dogs")
    found: dict[str, Any] = json.loads(measured.stdout)
    for name in ("accuracy", "precision", "recall", "f1", "auc", "log_loss", "pictures"):
        assert found[name] == pytest.approx(evaluation["parts"]["test"][name], abs=1e-6)
    assert found["intervals"].keys() >= {"accuracy", "precision", "recall", "f1", "auc", "log_loss"}


def test_the_report_on_the_data_goes_to_standard_error(trained: tuple[Path, Result]) -> None:
    said = trained[1].stderr

    assert "60 pictures of 2 classes" in said
    assert "0 exact copies, 0 near duplicates; 0 groups across the split" in said


def test_without_a_terminal_lines_say_how_far_it_is(trained: tuple[Path, Result]) -> None:
    lines = [line for line in trained[1].stderr.splitlines() if STEP.search(line)]  # as the page

    told = [line.partition(":")[0] for line in lines]
    assert told[0] == "looking at the data"
    assert "head" in told  # each kind of work at its beginning, however short it is


def test_the_plan_is_told_before_and_the_next_steps_after(trained: tuple[Path, Result]) -> None:
    lines = trained[1].stderr.splitlines()

    plan = next(i for i, line in enumerate(lines) if line.startswith("the plan, in all about "))
    assert lines[plan + 1].startswith("  head: the head alone, 20 epochs on the embeddings of ")
    assert plan < next(i for i, line in enumerate(lines) if line.startswith("embedding train"))
    assert lines[-5:-3] == ["next:", f"  kkcv classify PICTURE --model {trained[0]}"]
    assert lines[-1] == (
        "  only the head was trained: a search with this run is one with efficientnet_lite0 at "
        "128 pixels"
    )


def test_a_finished_run_predicts_unlabelled_pictures_for_kaggle(
    trained: tuple[Path, Result], pictures: Path, tmp_path: Path
) -> None:
    test1 = tmp_path / "test1"
    test1.mkdir()
    for i, path in enumerate(sorted((pictures / "cats_dogs/val/dogs").iterdir())[:11], 1):
        (test1 / f"{i}.jpg").symlink_to(path)
    (test1 / "12.jpg").write_text("woof")
    out = tmp_path / "submission.csv"

    result = kkcv("evaluate", "classifier", trained[0], test1, "--submission", out)

    assert result.exit_code == 0, result.output
    assert "12.jpg" in result.stderr
    rows = [line.split(",") for line in out.read_text().splitlines()]
    assert rows[0] == ["id", "label"]
    assert [row[0] for row in rows[1:]] == [str(i) for i in range(1, 13)]
    assert rows[12] == ["12", "0.500000"]


def test_names_that_look_like_other_classes_do_not_stop_a_submission(
    trained: tuple[Path, Result], pictures: Path, tmp_path: Path
) -> None:
    folder, out = tmp_path / "new", tmp_path / "submission.csv"
    folder.mkdir()
    (folder / "photo.1.jpg").symlink_to(next((pictures / "cats_dogs/val/dogs").iterdir()))

    result = kkcv("evaluate", "classifier", trained[0], folder, "--submission", out)

    assert result.exit_code == 0, result.output
    assert "not measured: " in result.stderr
    assert "the class 'photo' is not one of the run's" in result.stderr
    assert out.read_text().splitlines()[1].startswith("photo.1,")


def test_adopting_a_run_of_the_head_alone_says_that_it_changes_no_search(
    cats_dogs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KKCV_RUNTIME", "pytorch")  # exports neither network: both run in the same
    run, gallery = tmp_path / "run", tmp_path / "g.kkcv"
    kkcv("train", cats_dogs, "--out", run, "--head-epochs", 1)
    kkcv("index", gallery, cats_dogs / "cats")

    result = kkcv("reindex", gallery, "--model", run)

    assert result.exit_code == 0, result.output
    assert f"note: in {run} only the head was trained" in result.stderr
    assert "overlap at 10  1.0000" in " ".join(result.stdout.split()).replace("10 ", "10  ")


def test_a_folder_of_one_class_can_be_measured(
    trained: tuple[Path, Result], pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "cats").symlink_to(pictures / "cats_dogs/val/cats")
    (tmp_path / "dogs").mkdir()

    result = kkcv("evaluate", "classifier", trained[0], tmp_path, "--json")

    assert result.exit_code == 0, result.output
    assert "skipped: dogs is an empty class folder" in result.stderr
    found = json.loads(result.stdout)
    assert found["accuracy"] > 0.8
    assert found["auc"] is None


def test_figures_for_people_have_their_intervals(
    trained: tuple[Path, Result], cats_dogs: Path
) -> None:
    result = kkcv("evaluate", "classifier", trained[0], cats_dogs)

    assert result.exit_code == 0
    for word in ("accuracy", "log_loss", "figure", "95% interval", "(test)"):
        assert word in result.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "0"], "kkcv: epochs must be 1 or more, got 0"),
        (["--model", "resnet51"], "kkcv: no network 'resnet51' in the zoo"),
        (["--unfreeze", "some"], "kkcv: unfreeze is none, auto, all, or numbers as 1,3,all"),
        (
            ["--resume"],
            "holds no run that could be resumed: none was begun, or it was stopped while",
        ),
        (["--label-column", "x"], "kkcv: --label-column is for a CSV, and "),
    ],
)
def test_what_is_asked_wrongly_is_one_line_and_exit_code_2(
    options: list[str], message: str, cats_dogs: Path, tmp_path: Path
) -> None:
    result = kkcv("train", cats_dogs, "--out", tmp_path / "run", *options)

    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("wrong", [("--model", "resnet51"), ("--resume",), ("--size", "-1"), ()])
def test_a_wrong_name_is_refused_before_torch_is_imported(
    wrong: tuple[str, ...], tmp_path: Path
) -> None:
    data = tmp_path if wrong else tmp_path / "nosuch"
    code = "import sys, kkcv.cli\ntry: kkcv.cli.main()\nfinally: print('torch' in sys.modules)"
    command = [sys.executable, "-c", code, "train", str(data), "--out", str(tmp_path / "run")]

    result = subprocess.run([*command, *wrong], capture_output=True, text=True)

    assert (result.returncode, result.stdout) == (2, "False\n"), result.stderr


def test_a_missing_label_column_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,breed\n1.jpg,pug\n")

    result = kkcv("train", tmp_path / "t.csv", "--out", tmp_path / "run")

    assert result.exit_code == 2
    assert "has no column labels (one of: label, class, category, target, " in result.stderr
    assert not (tmp_path / "run").exists()


def test_every_setting_has_its_flag_and_its_help() -> None:
    text = kkcv("train", "--help").stdout

    for flag in ("--model", "--unfreeze", "--mixup", "--ema", "--find-lr", "--precision", "--tta"):
        assert flag in text


def test_data_that_cannot_be_fetched_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KKCV_OFFLINE", "1")

    result = kkcv("data", "cats-dogs", tmp_path / "pets")

    assert result.exit_code == 2
    assert "unzip train.zip and test1.zip into" in result.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_processes_of_a_run_in_one_line(
    number: signal.Signals, cats_dogs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    devices = ("--devices", "2", "--device", "cpu")
    endless = ("--size", "96", "--augment", "light", "--head-epochs", "10000")
    command = [sys.executable, "-m", "kkcv", "train", str(cats_dogs), "--out", str(out)]
    with subprocess.Popen([*command, *devices, *endless], stderr=subprocess.PIPE) as run:
        assert run.stderr is not None
        try:
            end = time.monotonic() + 90
            while not (out / "metrics.csv").exists() and time.monotonic() < end:
                time.sleep(0.1)
            run.send_signal(number)
            code = run.wait(60)
        finally:
            run.kill()
        os.set_blocking(run.stderr.fileno(), False)
        said = b""
        while some := os.read(run.stderr.fileno(), 1 << 16):  # raises if a process still has it
            said += some

    lines = said.decode().splitlines()
    assert code == 128 + number
    assert lines[-1] == f"stopped; to go on: kkcv train {cats_dogs} --out {out} --resume"
    assert sum("stopped" in line or "signal" in line for line in lines) == 1


@pytest.mark.slow
def test_data_that_several_processes_cannot_train_on_are_one_line(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("path,label\n1.jpg,a\n2.jpg,b\n")
    command = [sys.executable, "-m", "kkcv", "train", str(table), "--out", str(tmp_path / "run")]

    result = subprocess.run([*command, "--devices", "2"], stderr=subprocess.PIPE, timeout=120)

    assert result.returncode == 2
    lines = [line for line in result.stderr.decode().splitlines() if "looking at" not in line]
    assert len(lines) == 1
    assert lines[0].startswith(f"kkcv: 2 of 2 paths are not found below {tmp_path}, the first: ")
