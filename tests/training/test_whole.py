"""--whole: a picture is its center crop and the whole of it, wherever the run is used."""

import csv
import dataclasses
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from kkcv import checkpoint
from kkcv.classify import Classifier
from kkcv.embedding.eager import Eager
from kkcv.embedding.whole import mean_of_views
from kkcv.images.decode import decode
from kkcv.images.heat import UNSEEN
from kkcv.training.data.source import Source
from kkcv.training.evaluation.evaluate import evaluate_classifier, predict_unlabelled
from kkcv.training.recipe import Recipe
from kkcv.training.run import train
from kkcv.training.run_folder import RunFolder
from kkcv.training.start import sized
from kkcv.worker.gradcam import gradcam
from tests.training.conftest import read_data


@pytest.fixture(scope="module")
def whole_run(cats_dogs, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "run"
    train(Source(cats_dogs), Recipe(whole=True, size=96, head_epochs=3), out)
    return out


def test_the_run_is_measured_and_classifies_by_the_mean_of_both_views(cats_dogs, whole_run):
    base = checkpoint.load(whole_run)
    network = base.build()
    with (whole_run / "predictions.csv").open() as file:
        predicted = {row["path"]: float(row["dogs"]) for row in csv.DictReader(file)}
    path = next(path for path in predicted if path.startswith("val/dogs"))

    (guess,) = [g for g in Classifier(base).classify(cats_dogs / path) if g.label == "dogs"]
    crop, squashed = (view(decode(cats_dogs / path)) for view in base.views)
    with torch.inference_mode():
        scores = network(torch.from_numpy(np.stack([crop, squashed])))
    expected = (scores.softmax(1).mean(0).log() / base.temperature).softmax(0)[1]

    assert base.views[1].resize is None
    assert guess.probability == pytest.approx(float(expected), abs=1e-4)
    assert predicted[path] == pytest.approx(float(expected), abs=1e-4)


def test_training_and_validation_see_both_views(cats_dogs, whole_run):
    known = json.loads((whole_run / "evaluation.json").read_text())["parts"]["val"]
    again = evaluate_classifier(whole_run, read_data(cats_dogs), part="val")

    assert again["pictures"] == known["pictures"] == 24
    assert again["log_loss"] == pytest.approx(known["log_loss"], abs=1e-5)
    with (whole_run / "predictions.csv").open() as file:
        assert sum(row["part"] == "train" for row in csv.DictReader(file)) == 48


def test_what_lies_outside_of_the_center_counts(whole_run, tmp_path):
    center = np.full((96, 96, 3), 90, np.uint8)
    wide = np.zeros((96, 288, 3), np.uint8)
    wide[:, 96:192] = center
    for name, pixels in (("center", center), ("wide", wide)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    classifier = Classifier(str(whole_run))

    crops = [classifier.images(tmp_path / f"{name}.png") for name in ("center", "wide")]
    answers = [classifier.of_picture(tmp_path / f"{name}.png") for name in ("center", "wide")]

    np.testing.assert_array_equal(*crops)
    assert np.abs(answers[0] - answers[1]).max() > 1e-4


def test_grad_cam_shows_what_both_views_saw(cats_dogs, whole_run):
    path = sorted((cats_dogs / "val" / "dogs").iterdir())[0]
    classifier = Classifier(str(whole_run))
    center_only = Classifier(dataclasses.replace(classifier.checkpoint, whole=False))
    wide = np.asarray(Image.open(path).convert("RGB").resize((288, 96)))
    picture = io.BytesIO()
    Image.fromarray(wide).save(picture, "PNG")

    def shown(by):
        return list(gradcam(Eager(by.checkpoint), by, picture.getvalue(), 2, "en", 288))

    both, center = shown(classifier), shown(center_only)

    answers = classifier.classify(picture.getvalue(), 2)
    assert [(h.label, pytest.approx(h.probability, abs=1e-5)) for h in both] == [
        (guess.label, guess.probability) for guess in answers
    ]
    dark = np.rint(wide[:, :90] * UNSEEN)
    assert np.abs(center[0].picture[:, :90] - dark).max() <= 1
    assert np.abs(both[0].picture[:, :90] - dark).max() > 20


def test_a_submission_has_the_mean_too(cats_dogs, whole_run, tmp_path):
    folder = cats_dogs / "val" / "dogs"
    assert predict_unlabelled(whole_run, folder, tmp_path / "s.csv") == []

    with (tmp_path / "s.csv").open() as file:
        rows = {row["id"]: float(row["label"]) for row in csv.DictReader(file)}
    path = sorted(folder.iterdir())[0]
    dog = Classifier(str(whole_run)).of_picture(path)[1]

    assert rows[path.stem] == pytest.approx(float(np.clip(dog, 0.005, 0.995)), abs=1e-4)


def test_a_search_is_as_without_it(whole_run):
    base = sized(checkpoint.resolve(), 96)

    assert RunFolder(whole_run).finds_the_same(base.weights_id, base.preprocess.to_dict())


def test_a_class_that_no_view_thinks_possible_stays_finite():
    scores = np.array([[[1000.0, 0.0], [900.0, 0.0]]], np.float32)

    assert np.isfinite(mean_of_views(scores)).all()
    assert mean_of_views(scores).argmax() == 0
