"""k-reciprocal re-ranking against the paper's sets, written out."""

import math

import numpy as np
import pytest

from kkcv.search.ranking.reciprocal import reciprocal

from .vectors import clusters, nearest_first


def by_the_paper(vectors: np.ndarray, k1: int, k2: int, share: float) -> list[float]:
    """Distances of equation 12 from the first to the others; sets are sets."""
    vectors = vectors.astype(np.float64)
    everyone = range(len(vectors))
    distance = [[max(2 - 2 * float(a @ b), 0) for b in vectors] for a in vectors]
    near = [sorted(everyone, key=lambda j: (-(j == i), distance[i][j])) for i in everyone]

    def mutual(i: int, k: int) -> set[int]:
        return {j for j in near[i][: k + 1] if i in near[j][: k + 1]}

    def expanded(i: int) -> set[int]:
        found = mutual(i, k1)
        for j in mutual(i, k1):
            inner = mutual(j, k1 // 2)
            if len(inner & mutual(i, k1)) >= 2 / 3 * len(inner):
                found = found | inner
        return found

    codes = []
    for i in everyone:
        code = {j: math.exp(-distance[i][j]) for j in expanded(i)}
        codes.append([code.get(j, 0) / sum(code.values()) for j in everyone])
    codes = [np.mean([codes[j] for j in near[i][:k2]], axis=0) for i in everyone]
    found = []
    for i in everyone[1:]:
        least, most = np.minimum(codes[0], codes[i]).sum(), np.maximum(codes[0], codes[i]).sum()
        found.append((1 - share) * (1 - least / most) + share * distance[0][i])
    return found


@pytest.mark.parametrize(("k1", "k2", "share"), [(20, 6, 0.3), (4, 1, 0.0), (7, 3, 0.5)])
def test_it_is_the_papers_distance(k1: int, k2: int, share: float) -> None:
    query, candidates = nearest_first(clusters(48))

    found = reciprocal(query, candidates, k1, k2, share)

    expected = by_the_paper(np.vstack([query[None], candidates]), k1, k2, share)
    np.testing.assert_allclose(1 - found, expected, atol=1e-4)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_candidates_are_enough(count: int) -> None:
    query, candidates = nearest_first(clusters(count + 1))

    assert reciprocal(query, candidates).shape == (count,)
