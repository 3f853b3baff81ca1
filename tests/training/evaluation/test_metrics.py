"""The figures are scikit-learn's, and the intervals hold the truth as often as they say."""

import numpy as np
import pytest
from sklearn import metrics as peer

from kkcv.training.evaluation.metrics import measure, softmax


def drawn(classes, count, seed=0, spread=1.5):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, count)
    labels[:classes] = np.arange(classes)
    scores = generator.normal(size=(count, classes)) + spread * np.eye(classes)[labels]
    return softmax(scores), labels


def names(classes):
    return tuple(f"class {i}" for i in range(classes))


@pytest.mark.parametrize(("classes", "count"), [(2, 40), (2, 500), (3, 300), (30, 900)])
def test_the_figures_are_those_of_scikit_learn(classes, count):
    p, labels = drawn(classes, count)
    taken = p.argmax(1)

    found = measure(p, labels, names(classes), resamples=2)

    precision, recall, f1, _ = peer.precision_recall_fscore_support(
        labels, taken, average="macro", zero_division=0
    )
    auc = peer.roc_auc_score(labels, p[:, 1] if classes == 2 else p, multi_class="ovr")
    assert found["accuracy"] == pytest.approx(peer.accuracy_score(labels, taken))
    assert found["precision"] == pytest.approx(precision)
    assert found["recall"] == pytest.approx(recall)
    assert found["f1"] == pytest.approx(f1)
    assert found["auc"] == pytest.approx(auc)
    assert found["log_loss"] == pytest.approx(peer.log_loss(labels, p))
    assert found["confusion"] == peer.confusion_matrix(labels, taken).tolist()


def test_the_figures_of_single_classes_are_those_of_scikit_learn():
    p, labels = drawn(4, 200)

    found = measure(p, labels, names(4), resamples=2)["per_class"]

    expected = peer.precision_recall_fscore_support(labels, p.argmax(1))
    for k, each in enumerate(found.values()):
        got = (each["precision"], each["recall"], each["f1"], each["pictures"])
        assert got == pytest.approx([column[k] for column in expected])
        assert each["auc"] == pytest.approx(peer.roc_auc_score(labels == k, p[:, k]))


def test_equal_scores_count_a_half_in_the_auc():
    p = np.array([[0.5, 0.5], [0.5, 0.5], [0.2, 0.8], [0.5, 0.5]])
    labels = np.array([0, 1, 1, 0])

    assert measure(p, labels, ("a", "b"))["auc"] == peer.roc_auc_score(labels, p[:, 1]) == 0.75


def test_intervals_agree_with_resampling_by_hand():
    p, labels = drawn(2, 150)
    generator = np.random.default_rng(9)
    picks = [generator.integers(0, 150, 150) for _ in range(300)]
    f1 = [peer.f1_score(labels[i], p[i].argmax(1), average="macro") for i in picks]
    auc = [peer.roc_auc_score(labels[i], p[i, 1]) for i in picks]

    found = measure(p, labels, ("a", "b"), resamples=2000)["intervals"]

    assert found["f1"] == pytest.approx(np.percentile(f1, [2.5, 97.5]), abs=0.02)
    assert found["auc"] == pytest.approx(np.percentile(auc, [2.5, 97.5]), abs=0.02)


@pytest.mark.parametrize("truth", [0.8, 0.97])
@pytest.mark.parametrize(("classes", "count"), [(2, 60), (2, 200), (6, 120)])
def test_intervals_hold_the_truth_about_as_often_as_they_say(truth, classes, count):
    labels = np.tile(np.arange(classes), count // classes)
    held = dict.fromkeys(("accuracy", "recall", "precision", "f1"), 0)
    for seed in range(300):
        generator = np.random.default_rng(seed)
        wrong = (labels + generator.integers(1, classes, len(labels))) % classes
        taken = np.where(generator.random(len(labels)) < truth, labels, wrong)
        found = measure(np.eye(classes)[taken], labels, names(classes), resamples=2)["intervals"]
        for name in held:  # errors are spread evenly, so that all four have the same truth
            low, high = found[name]
            held[name] += low - 1e-3 <= truth <= high + 1e-3

    assert all(n / 300 >= 0.92 for n in held.values()), held  # 0.95 expected


def test_the_interval_of_the_auc_holds_the_truth():
    truth, held = 0.9214, 0  # of normal scores two deviations apart: Phi(2 / sqrt 2)
    labels = np.repeat([0, 1], 40)
    for seed in range(300):
        scores = np.random.default_rng(seed).normal(size=80) + 2 * labels
        p = softmax(np.stack([np.zeros(80), scores], 1))
        low, high = measure(p, labels, ("a", "b"), resamples=2)["intervals"]["auc"]
        held += low <= truth <= high

    assert held >= 276  # 285 expected


def test_no_error_is_not_certainty():
    labels = np.tile([0, 1], 60)

    found = measure(np.eye(2)[labels], labels, ("a", "b"))

    assert found["intervals"]["accuracy"] == pytest.approx([1 / (1 + 1.96**2 / 120), 1], abs=1e-3)
    for name in ("precision", "recall", "f1", "auc"):
        low, high = found["intervals"][name]
        assert found[name] == high == 1
        assert 0.9 < low < 0.999, name
        assert found["per_class"]["a"]["intervals"][name][0] < low + 1e-9


def test_sure_and_right_is_calibrated_and_sure_and_wrong_is_not():
    labels = np.array([0, 1] * 20)
    right, wrong = np.eye(2)[labels], np.eye(2)[1 - labels]

    assert measure(right, labels, ("a", "b"))["ece"] == 0
    assert measure(wrong, labels, ("a", "b"))["ece"] == 1


def test_a_class_that_does_not_occur_is_left_out_of_the_means():
    p, labels = drawn(3, 90)
    kept = labels != 2

    found = measure(p[kept], labels[kept], names(3))

    assert found["per_class"]["class 2"]["recall"] is None
    recalls = [found["per_class"][f"class {k}"]["recall"] for k in (0, 1)]
    assert found["recall"] == pytest.approx(np.mean(recalls))


def test_one_class_alone_has_no_auc():
    p, _ = drawn(2, 10)

    assert measure(p, np.zeros(10, int), ("a", "b"))["auc"] is None
