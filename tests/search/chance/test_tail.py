"""How often a score is exceeded, against distributions whose tails are known."""

import numpy as np
import pytest
from scipy import stats

from kkcv.search.chance.model import Tail, pareto

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [0.0, 0.2, 0.4])
def test_the_fit_finds_scale_and_shape(shape: float) -> None:
    excesses = np.sort(stats.genpareto.rvs(shape, scale=0.1, size=20_000, random_state=RANDOM))

    assert pareto(excesses) == pytest.approx((0.1, shape), abs=0.04)


def test_within_the_sample_it_counts() -> None:
    scores = RANDOM.normal(0.3, 0.1, 50_000)

    tail = Tail.of(scores)

    for score in (0.1, 0.3, 0.45, 0.52):
        assert tail.rate(score) == pytest.approx((scores >= score).mean(), rel=0.1)
    assert tail.rate(-1) == 1


@pytest.mark.parametrize(
    "law", [stats.norm(0.3, 0.06), stats.beta(20, 60), stats.gamma(12, scale=0.02)]
)
def test_beyond_the_sample_it_errs_towards_chance(law: stats.rv_continuous) -> None:
    tail = Tail.of(law.rvs(200_000, random_state=np.random.default_rng(1)))

    for rate in (1e-4, 1e-5, 1e-6):
        assert 1 / 2 < tail.rate(law.isf(rate)) / rate < 10


def test_scores_that_are_all_the_same_are_a_tail_too() -> None:
    tail = Tail.of(np.full(1000, 0.5))

    assert tail.rate(0.4) == 1
    assert tail.rate(0.6) < 1e-3
