"""Alpha query expansion against its formula, written out."""

import numpy as np
import pytest

from kkcv.search.ranking.expansion import expand, expanded

from .vectors import clusters, nearest_first


@pytest.mark.parametrize("alpha", [0.0, 1.0, 3.0])
def test_the_query_is_the_weighted_mean_of_itself_and_its_nearest(alpha: float) -> None:
    query, candidates = nearest_first(clusters(40))

    found = expand(query, candidates, neighbors=5, alpha=alpha)

    total = query.astype(np.float64).copy()
    for neighbor in candidates[:5]:
        total += float(query @ neighbor) ** alpha * neighbor
    np.testing.assert_allclose(found, total / np.sqrt((total**2).sum()), atol=1e-6)


def test_what_points_away_does_not_pull() -> None:
    query = np.array([1, 0], np.float32)
    candidates = np.array([[-1, 0]], np.float32)

    assert expand(query, candidates).tolist() == [1, 0]


def test_without_candidates_there_is_nothing_to_rank() -> None:
    assert expanded(np.ones(4, np.float32), np.empty((0, 4), np.float32)).shape == (0,)
