"""Smoothed similarities against the same done with vectors."""

import numpy as np
import pytest

from kkcv.search.quality.metrics import leave_one_out
from kkcv.search.quality.reordering import by_ranking
from kkcv.search.ranking.names import RANKINGS, reranked
from kkcv.search.ranking.smoothing import smooth, smoothed

from .vectors import clusters, nearest_first


def moved(vectors: np.ndarray, similar: np.ndarray, neighbors: int, pull: float) -> np.ndarray:
    """Each vector plus ``pull`` times the weighted mean of its nearest, scaled to length one."""
    found = []
    for n in range(len(vectors)):
        near = sorted((m for m in range(len(vectors)) if m != n), key=lambda m: -similar[n, m])
        near = near[:neighbors]
        weights = np.maximum(similar[n, near], 0)
        found.append(vectors[n] + pull * weights @ vectors[near] / weights.sum())
    return np.array([each / np.linalg.norm(each) for each in found])


def test_smoothed_similarities_are_those_of_moved_vectors() -> None:
    vectors = clusters(40).astype(np.float64)

    found = smooth(vectors @ vectors.T, 5, 3.0)

    after = moved(vectors, vectors @ vectors.T, 5, 3.0)
    np.testing.assert_allclose(found, after @ after.T, atol=1e-9)


def test_it_is_two_rounds_on_centered_vectors_and_the_similarity_before() -> None:
    query, candidates = nearest_first(clusters(64))

    found = smoothed(query, candidates)

    vectors = np.vstack([query[None], candidates]).astype(np.float64)
    vectors -= 0.7 * vectors.mean(0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    after = vectors
    for _ in range(2):
        after = moved(after, after @ after.T, 5, 3.0)
    expected = vectors[1:] @ vectors[0] + after[1:] @ after[0]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("count", [0, 1, 2, 29, 30])
@pytest.mark.parametrize("name", RANKINGS)
def test_every_ranking_keeps_all_candidates(name: str, count: int) -> None:
    query, candidates = nearest_first(clusters(count + 1))

    assert sorted(reranked(name, query, candidates)) == list(range(count))


@pytest.mark.parametrize("name", RANKINGS)
def test_a_vector_that_was_lost_disturbs_nothing(name: str) -> None:
    query, candidates = nearest_first(clusters(40))
    candidates[7] = 0

    assert np.isfinite(RANKINGS[name](query, candidates)).all()


def test_in_clusters_every_ranking_beats_the_plain_one() -> None:
    vectors = clusters(160, of=16, dim=12, seed=3)
    labels = [str(n // 16) for n in range(160)]

    found = {name: leave_one_out(vectors, labels, by_ranking(name, vectors)) for name in RANKINGS}

    plain = found["plain"].mean_average_precision
    for name in RANKINGS:
        assert found[name].mean_average_precision >= plain
