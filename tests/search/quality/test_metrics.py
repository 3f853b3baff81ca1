"""Retrieval figures, against a slow computation from their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from kkcv.search.quality.metrics import CUTS, leave_one_out


def by_definition(vectors: np.ndarray, labels: list[str]) -> dict[str, float]:
    """One query at a time, one hit at a time."""
    average, precision, recall = [], {k: [] for k in CUTS}, {k: [] for k in CUTS}
    for query, label in enumerate(labels):
        others = [i for i in range(len(labels)) if i != query]
        if label not in [labels[i] for i in others]:
            continue
        others.sort(key=lambda i: -float(vectors[query] @ vectors[i]))
        relevant = [labels[i] == label for i in others]
        scores = [float(vectors[query] @ vectors[i]) for i in others]
        average.append(average_precision_score(relevant, scores))
        for k in CUTS:
            precision[k].append(sum(relevant[:k]) / k)
            recall[k].append(any(relevant[:k]))
    return {"mAP": np.mean(average)} | {
        f"{name}@{k}": np.mean(values[k])
        for name, values in (("precision", precision), ("recall", recall))
        for k in CUTS
    }


@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(1, 5))
@settings(max_examples=50, deadline=None)
def test_they_are_what_their_definitions_say(seed: int, size: int, classes: int) -> None:
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(size, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = [f"class {i}" for i in generator.integers(classes, size=size)]
    labels[:2] = ["class 0"] * 2  # somebody must have company

    found = leave_one_out(vectors, labels)

    truth = by_definition(vectors, labels)
    assert found.mean_average_precision == pytest.approx(truth["mAP"])
    for k in CUTS:
        assert found.precision[k] == pytest.approx(truth[f"precision@{k}"])
        assert found.recall[k] == pytest.approx(truth[f"recall@{k}"])


def test_pictures_alone_in_their_class_are_no_queries_but_can_be_in_the_way() -> None:
    angles = np.radians([0, 10, 5])  # the loner lies between the two of a class
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)

    found = leave_one_out(vectors, ["cat", "cat", "loner"])

    assert found.queries == 2
    assert found.mean_average_precision == pytest.approx(0.5)
    assert (found.precision[1], found.recall[1], found.recall[5]) == (0, 0, 1)


def test_nothing_to_find_is_an_error() -> None:
    with pytest.raises(ValueError, match="no class has two pictures"):
        leave_one_out(np.eye(3), ["a", "b", "c"])
