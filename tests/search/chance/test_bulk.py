"""Chance is read off the low scores, though a tenth of the pairs belong together."""

import numpy as np
import pytest
from scipy import stats

from kkcv.search.chance.model import Bulk


@pytest.mark.parametrize("law", [stats.gamma(12, scale=0.018), stats.norm(0.0, 0.1)])
@pytest.mark.parametrize("together", [0.0, 0.1])
def test_pairs_that_belong_together_do_not_count(law: stats.rv_continuous, together: float) -> None:
    random = np.random.default_rng(0)
    pairs = law.rvs(200_000, random_state=random)
    pairs[: int(together * len(pairs))] = random.normal(0.7, 0.1, int(together * len(pairs)))

    bulk = Bulk.of(pairs)

    for rate in (1e-2, 1e-3, 1e-4):
        assert 1 / 3 < bulk.rate(law.isf(rate)) / rate < 5


def test_a_higher_score_is_rarer() -> None:
    bulk = Bulk.of(stats.gamma(12, scale=0.018).rvs(9999, random_state=np.random.default_rng(0)))

    rates = [bulk.rate(score) for score in np.linspace(-1, 1, 50)]

    assert rates == sorted(rates, reverse=True)
