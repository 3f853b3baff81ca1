"""The figures of a run can be had again, and on other pictures."""

import json
import shutil

import pytest

from kkcv.errors import CheckpointError, DataError
from kkcv.training.data.source import Source
from kkcv.training.evaluation.evaluate import evaluate_classifier
from kkcv.training.run import train
from tests.training.conftest import LENET, read_data


def test_it_repeats_the_figures_of_the_run(run, cats_dogs):
    found = evaluate_classifier(run, read_data(cats_dogs))

    measured = json.loads((run / "evaluation.json").read_text())["parts"]["val"]
    assert found["part"] == "val"
    for name in ("accuracy", "precision", "recall", "f1", "auc", "log_loss", "pictures"):
        assert found[name] == pytest.approx(measured[name], abs=1e-6), name
    assert found["intervals"]["f1"] == pytest.approx(measured["intervals"]["f1"], abs=1e-6)


def test_pictures_that_were_trained_on_are_not_measured_on(digits, tmp_path):
    measured = train(Source(digits), LENET, tmp_path / "run")

    found = evaluate_classifier(tmp_path / "run", read_data(digits))

    assert found["part"] == "test"
    assert found["pictures"] == measured["parts"]["test"]["pictures"] == 9
    assert found["accuracy"] == measured["parts"]["test"]["accuracy"]
    assert evaluate_classifier(tmp_path / "run", read_data(digits), part="all")["pictures"] == 60


def test_pictures_that_the_run_does_not_know_are_all_measured(run, pictures, tmp_path):
    for label in ("cats", "dogs"):
        source = sorted((pictures / "cats_dogs/val" / label).iterdir())[-6:]
        (tmp_path / label).mkdir()
        for path in source:
            shutil.copy(path, tmp_path / label)
    (tmp_path / "dogs/broken.jpg").write_text("woof")

    found = evaluate_classifier(run, read_data(tmp_path))

    assert (found["part"], found["pictures"]) == ("all", 12)
    assert [each["reason"] for each in found["unreadable"]] == ["not-an-image"]


def test_mirror_images_change_probabilities_a_little(run, cats_dogs):
    data = read_data(cats_dogs)

    plain = evaluate_classifier(run, data, tta=False)["log_loss"]
    mirrored = evaluate_classifier(run, data, tta=True)["log_loss"]

    assert plain != mirrored
    assert mirrored == pytest.approx(plain, abs=0.2)


def test_a_class_that_the_run_does_not_know_is_refused(run, digits):
    with pytest.raises(DataError, match="the class '0' is not one of the run's: cats, dogs"):
        evaluate_classifier(run, read_data(digits))


def test_a_part_that_is_not_there_is_refused(run, cats_dogs):
    with pytest.raises(DataError, match="has no part 'test'; there are: train, val"):
        evaluate_classifier(run, read_data(cats_dogs), part="test")


def test_a_folder_that_is_no_run_is_refused(cats_dogs):
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        evaluate_classifier(cats_dogs, read_data(cats_dogs))
