"""Augmentation is random, and the same for the same seed."""

import csv

import numpy as np
import pytest
import torch

from kkcv.checkpoint import usual_preprocess
from kkcv.images.decode import decode
from kkcv.training.data.source import Source
from kkcv.training.evaluation.evaluate import evaluate_classifier
from kkcv.training.fit.augment import Augment, mixing
from kkcv.training.recipe import Recipe
from kkcv.training.run import train
from tests.training.conftest import fitted, read_data


@pytest.fixture(scope="module")
def cat(pictures):
    return decode(pictures / "cats_dogs/train/cats/cat.1.jpg")


@pytest.mark.parametrize("kind", ["light", "randaugment"])
def test_the_seed_decides_the_change(cat, kind):
    augment = Augment(kind, Recipe(), usual_preprocess("resnet18"))

    first, again, other = (augment(cat, seed) for seed in (1, 1, 2))

    assert first.shape == (3, 224, 224)
    assert first.dtype == torch.float32
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_callers_random_numbers_are_left_alone(cat):
    augment = Augment("randaugment", Recipe(), usual_preprocess("resnet18"))
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)

    augment(cat, 1)

    assert torch.equal(torch.rand(3), expected)


def test_changed_pictures_are_normalized_as_the_weights_want_it(cat):
    preprocess = usual_preprocess("resnet18")
    whole = Augment("light", Recipe(min_crop=1.0), preprocess)

    channel_means = np.mean([whole(cat, seed).mean((1, 2)).numpy() for seed in range(20)], axis=0)

    assert channel_means == pytest.approx(preprocess(cat).mean((1, 2)), abs=0.25)


def test_grey_networks_get_one_channel(cat):
    augment = Augment("light", Recipe(), usual_preprocess("lenet5"))

    assert augment(cat, 0).shape == (1, 32, 32)


@pytest.mark.parametrize(
    "settings", [{"mixup": 0.4}, {"cutmix": 1.0}, {"mixup": 0.4, "cutmix": 1.0}]
)
def test_mixed_labels_say_how_much_of_each_class_there_is(settings):
    mix = mixing(Recipe(**settings), classes=2)
    images = torch.cat([torch.zeros(8, 1, 16, 16), torch.ones(8, 1, 16, 16)])
    labels = torch.tensor([0] * 8 + [1] * 8)

    torch.manual_seed(0)
    mixed, targets = mix(images, labels)

    assert targets.sum(1) == pytest.approx(torch.ones(16))
    assert mixed.mean((1, 2, 3)) == pytest.approx(targets[:, 1], abs=1e-5)
    assert ((targets > 0) & (targets < 1)).any()


def test_nothing_is_mixed_unasked():
    assert mixing(Recipe(), classes=2) is None


def test_a_head_alone_trains_on_crops_that_are_embedded_once_the_same_in_every_run(
    cats_dogs, tmp_path
):
    recipe = Recipe(size=64, head_epochs=2, augment="light")

    first, again = (fitted(cats_dogs, recipe, tmp_path / name).embeddings for name in ("a", "b"))

    assert torch.equal(first, again)
    assert len(torch.unique(first.unflatten(0, (48, 5))[0], dim=0)) == 5  # a picture, four crops


def test_training_pictures_are_scored_as_they_are_where_their_crops_were_trained_on(
    cats_dogs, tmp_path
):
    train(Source(cats_dogs), Recipe(size=64, head_epochs=2, augment="light"), tmp_path / "run")

    again = evaluate_classifier(tmp_path / "run", read_data(cats_dogs), part="train")

    with (tmp_path / "run/predictions.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["part"] == "train"]
    right = sum(row["label"] == row["predicted"] for row in rows)
    assert len(rows) == again["pictures"] == 48
    assert right / 48 == pytest.approx(again["accuracy"])
