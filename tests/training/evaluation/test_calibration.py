"""Temperature scaling makes confidence honest."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from kkcv.training.evaluation.metrics import measure, softmax
from kkcv.training.evaluation.scoring import cross_entropy, fit_temperature


def answers(count=4000, classes=3):
    """Scores whose probabilities are the true ones."""
    generator = np.random.default_rng(0)
    scores = 2 * generator.normal(size=(count, classes))
    labels = np.array([generator.choice(classes, p=row) for row in softmax(scores)])
    return scores, labels


@pytest.mark.parametrize("heat", [0.3, 1.0, 4.0])
def test_the_temperature_that_was_put_in_is_found(heat):
    scores, labels = answers()

    assert fit_temperature(heat * scores, labels) == pytest.approx(heat, rel=0.06)


def test_the_loss_is_the_least_that_an_optimizer_finds():
    scores, labels = answers(300)

    found = fit_temperature(3 * scores, labels)

    targets = (np.eye(3)[labels] * 300 + 2 / 3) / 302
    best = minimize_scalar(
        lambda b: cross_entropy(3 * scores * b, targets), bounds=(0.05, 20), method="bounded"
    )
    assert cross_entropy(3 * scores / found, targets) == pytest.approx(best.fun, abs=1e-6)


def test_it_lowers_the_calibration_error_and_keeps_the_answers():
    scores, labels = answers()
    temperature = fit_temperature(5 * scores, labels)

    before = measure(softmax(5 * scores), labels, ("a", "b", "c"), resamples=2)
    after = measure(softmax(5 * scores / temperature), labels, ("a", "b", "c"), resamples=2)

    assert after["ece"] < 0.05 < before["ece"]
    assert after["confusion"] == before["confusion"]


@pytest.mark.parametrize("classes", [2, 50])
def test_a_part_without_errors_asks_for_neither_certainty_nor_doubt(classes):
    labels = np.arange(100) % classes
    scores = 30.0 * np.eye(classes)[labels]

    sure = softmax(scores / fit_temperature(scores, labels)).max(1)

    assert sure == pytest.approx(np.full(100, (100 + 2 / classes) / 102), abs=1e-4)
