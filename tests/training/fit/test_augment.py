"""Augmentation is random, and the same for the same seed."""

import numpy as np
import pytest
import torch

from kkcv.checkpoint import usual_preprocess
from kkcv.images.decode import decode
from kkcv.training.fit.augment import Augment, mixing
from kkcv.training.recipe import Recipe


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
