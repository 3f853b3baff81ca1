"""The best order keeps a nearest picture that is surely alike."""

import numpy as np

from kkcv.embedding.space import unit
from kkcv.search.ranking.best import SURE, best
from kkcv.search.ranking.smoothing import smoothed


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A query and 60 candidates in five heaps, nearest first."""
    random = np.random.default_rng(seed)
    heaps = random.normal(size=(5, 12))
    around = heaps[random.integers(0, 5, 61)] + random.normal(0, 0.8, (61, 12))
    query, *others = unit(around.astype(np.float32))
    near = np.stack(others)
    return query, near[np.argsort(-(near @ query), kind="stable")]


def test_a_nearest_that_is_surely_alike_stays_first() -> None:
    kept = displaced = 0
    for seed in range(100):
        query, near = drawn(seed)
        if smoothed(query, near).argmax() == 0:
            continue
        sure = near[0] @ query >= SURE
        assert (best(query, near).argmax() == 0) == sure
        kept, displaced = kept + sure, displaced + (not sure)

    assert kept
    assert displaced


def test_the_others_are_ordered_as_before() -> None:
    query, near = drawn(1)

    assert np.array_equal(best(query, near)[1:], smoothed(query, near)[1:])


def test_no_candidates_have_no_order() -> None:
    assert len(best(np.eye(1, 8, dtype=np.float32)[0], np.empty((0, 8), np.float32))) == 0
