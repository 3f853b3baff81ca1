"""The figures are scikit-learn's, and the intervals are the bootstrap's."""

import numpy as np
import pytest
from sklearn import metrics as peer

from kkcv.training.evaluation.metrics import figures, measure, softmax


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


def test_weights_count_as_repeated_pictures():
    p, labels = drawn(3, 60)
    counts = np.random.default_rng(1).integers(0, 4, 60)
    again = np.repeat(np.arange(60), counts)

    weighted = figures(p, labels, counts[None].astype(float))
    repeated = figures(p[again], labels[again], np.ones((1, len(again))))

    for name, value in weighted.items():
        assert value == pytest.approx(repeated[name]), name


def test_intervals_agree_with_resampling_by_hand():
    p, labels = drawn(2, 150)
    generator = np.random.default_rng(9)
    picks = [generator.integers(0, 150, 150) for _ in range(300)]
    f1 = [peer.f1_score(labels[i], p[i].argmax(1), average="macro") for i in picks]
    auc = [peer.roc_auc_score(labels[i], p[i, 1]) for i in picks]

    found = measure(p, labels, ("a", "b"), resamples=2000)["intervals"]

    assert found["f1"] == pytest.approx(np.percentile(f1, [2.5, 97.5]), abs=0.02)
    assert found["auc"] == pytest.approx(np.percentile(auc, [2.5, 97.5]), abs=0.02)


def test_an_interval_holds_the_truth_about_as_often_as_it_says():
    truth, hits = 0.8, 0
    for seed in range(200):
        right = np.random.default_rng(seed).random(200) < truth
        labels = np.tile([0, 1], 100)
        p = np.eye(2)[np.where(right, labels, 1 - labels)]
        low, high = measure(p, labels, ("a", "b"), resamples=200)["intervals"]["accuracy"]
        hits += low <= truth <= high

    assert 180 <= hits <= 200  # 190 expected


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
