"""The layered index, against brute force: with every kind of snapshot under it, and with none."""

from dataclasses import replace

import faiss
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kkcv.search.index import effort, kinds, layered
from kkcv.search.index.build import built, empty
from kkcv.search.index.effort import Plan, Step
from kkcv.search.index.exact import ExactIndex
from kkcv.search.index.kind import FaissIndex, Look
from kkcv.search.index.layered import LayeredIndex
from kkcv.search.index.outside import held_out
from kkcv.search.index.records import Records
from kkcv.search.index.snapshot import Snapshot

NOTHING = np.empty(0, np.int64)
DIM = 8


def unit_vectors(seed: int, count: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def records_of(ids: np.ndarray) -> Records:
    return Records.of(f"{id} as it was".encode() for id in ids.tolist())


def snapshot_of(kind: str, ids: np.ndarray, vectors: np.ndarray) -> Snapshot:
    """With so much effort that it finds all: what is tested is what lies around it."""
    chosen = kinds.KINDS[kind]
    index = empty(chosen, len(ids), vectors)
    index.add(vectors)
    most = Step(chosen.efforts(10)[-1])
    plan = Plan(10, (most,), 1.0, 1.0, 1.0, milliseconds=0.0, comparing_all=1.0, curve=())
    return Snapshot(0, "space", chosen, (plan,), ids, index, records_of(ids))


class AgainstBruteForce(RuleBasedStateMachine):
    """Whatever is put in, replaced, taken out and filtered, a search finds what is nearest."""

    kind: str | None = None

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[int, np.ndarray] = {}
        self.untouched: set[int] = set()
        self.index = LayeredIndex(DIM)
        if self.kind:
            ids = np.arange(10, 30)
            vectors = unit_vectors(0, len(ids))
            self.index = LayeredIndex(DIM, snapshot_of(self.kind, ids, vectors))
            self.model = dict(zip(ids.tolist(), vectors, strict=True))
            self.untouched = set(self.model)

    @rule(
        ids=st.lists(st.integers(1, 40), unique=True, max_size=12),
        gone=st.lists(st.integers(1, 40), unique=True, max_size=12),
        edited=st.lists(st.integers(1, 40), unique=True, max_size=5),
        seed=st.integers(1, 2**32 - 1),
    )
    def update(self, ids: list[int], gone: list[int], edited: list[int], seed: int) -> None:
        vectors = unit_vectors(seed, len(ids))
        changes = [np.array(each, np.int64) for each in (gone, ids, edited)]
        self.index.update(changes[0], changes[1], vectors, changes[2])
        self.untouched -= {*gone, *ids, *edited}
        for id in gone:
            self.model.pop(id, None)
        self.model.update(zip(ids, vectors, strict=True))

    @rule(
        seed=st.integers(1, 2**32 - 1),
        k=st.integers(1, 50),
        allowed=st.none() | st.lists(st.integers(1, 45), unique=True, max_size=30),
    )
    def search(self, seed: int, k: int, allowed: list[int] | None) -> None:
        queries = unit_vectors(seed, 3)
        among = {i: v for i, v in self.model.items() if allowed is None or i in allowed}

        chosen = None if allowed is None else np.array(allowed, np.int64)
        found = self.index.search(queries, k, chosen)

        for query, ids, scores in zip(queries, found.ids, found.scores, strict=True):
            here = ids >= 0
            truth = sorted((float(query @ v) for v in among.values()), reverse=True)[:k]
            np.testing.assert_allclose(scores[here], truth, atol=2e-3)  # float16 in snapshots
            expected = [query @ among[i] for i in ids[here].tolist()]
            np.testing.assert_allclose(scores[here], expected, atol=2e-3)
            assert len(set(ids[here].tolist())) == here.sum()

    @rule(ids=st.lists(st.integers(0, 45), max_size=20))
    def look_up(self, ids: list[int]) -> None:
        kept, others = self.index.records(np.array(ids, np.int64))

        assert kept == {id: f"{id} as it was".encode() for id in ids if id in self.untouched}
        assert others.tolist() == [id for id in ids if id not in self.untouched]

    @invariant()
    def it_knows_how_many_it_holds(self) -> None:
        assert len(self.index) == len(self.model)


class AgainstBruteForceOverHnsw(AgainstBruteForce):
    kind = "hnsw"


class AgainstBruteForceOverIvf(AgainstBruteForce):
    kind = "ivf"


class AgainstBruteForceOverRabitq(AgainstBruteForce):
    kind = "rabitq"


TestExact = AgainstBruteForce.TestCase
TestOverHnsw = AgainstBruteForceOverHnsw.TestCase
TestOverIvf = AgainstBruteForceOverIvf.TestCase
TestOverRabitq = AgainstBruteForceOverRabitq.TestCase
for case in (TestExact, TestOverHnsw, TestOverIvf, TestOverRabitq):
    case.settings = settings(max_examples=40, deadline=None)
del case  # or it would run twice


@pytest.fixture
def flock() -> np.ndarray:
    """Ten flocks of 200 unit vectors, each around a direction of its own."""
    around = unit_vectors(4, 10).repeat(200, axis=0)
    vectors = around + 0.1 * np.random.default_rng(5).normal(size=around.shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def tuned(kind: str, vectors: np.ndarray, recall: float = 0.9) -> Snapshot:
    """With no more effort than the recall takes, though comparing all would be as quick."""
    chosen, held = kinds.KINDS[kind], held_out(len(vectors))
    index, plans, order = built(chosen, vectors[~held], lambda: iter([vectors]), held, recall)
    return Snapshot(0, "space", chosen, plans, order, index, records_of(order))


@pytest.fixture(autouse=True)
def indexes_earn_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small galleries are searched through their index, not by comparing all."""
    monkeypatch.setattr(effort, "WORTH_MS", -1e9)


def exact(queries: np.ndarray, vectors: np.ndarray, among: np.ndarray) -> np.ndarray:
    return -np.sort(-queries @ vectors[among].T, axis=1)[:, :10]


@pytest.mark.parametrize("kind", kinds.KINDS)
@pytest.mark.parametrize("k", [2, 4])
def test_the_recall_that_was_measured_for_ten_holds_for_fewer(kind: str, k: int) -> None:
    vectors = np.random.default_rng(7).normal(size=(270, 48)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = tuned(kind, vectors, recall=1.0).search(vectors, k)

    best = -np.sort(-vectors @ vectors.T, axis=1)[:, :k]
    assert found.ids.shape == best.shape
    missed = (np.abs(found.scores - best) > 2e-3).any(axis=1)
    assert missed.sum() <= 1  # the recall of 1 is of a sample


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_a_filter_that_leaves_only_what_is_far_away_is_exact(
    flock: np.ndarray, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """An index looks near the query; there, nothing may be found."""
    monkeypatch.setattr(layered, "SELECTIVE", 10)
    index = LayeredIndex(DIM, tuned(kind, flock))
    queries, others = flock[:200:10], np.arange(200, 2000)

    for allowed in (others, others[-300:], others[::9]):
        found = index.search(queries, 10, allowed)

        assert np.isin(found.ids, allowed).all()
        np.testing.assert_allclose(found.scores, exact(queries, flock, allowed), atol=2e-3)


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_after_all_that_is_near_was_removed_what_is_left_is_found_exactly(
    flock: np.ndarray, kind: str
) -> None:
    index = LayeredIndex(DIM, tuned(kind, flock))
    index.update(np.arange(200), NOTHING, np.empty((0, DIM), np.float32))

    found = index.search(flock[:200:10], 10)

    truth = exact(flock[:200:10], flock, np.arange(200, 2000))
    np.testing.assert_allclose(found.scores, truth, atol=2e-3)


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_the_least_effort_is_the_least_that_finds_most_and_finds_what_is_very_near(
    flock: np.ndarray, kind: str
) -> None:
    found = tuned(kind, flock)
    hard, easy = found.kind.efforts(10)[-1], found.kind.efforts(10)[-2]
    curve = [effort.Point(10, easy, 0.6, 0.5, 0.1), effort.Point(10, hard, 0.8, 0.7, 0.2)]
    plan = found.plans[0]._replace(steps=(Step(easy, 2.0), Step(effort.ALL)), curve=tuple(curve))
    hesitant = replace(found, plans=(plan,))  # no score is enough for it

    near = hesitant.search(flock[::50], 10, least=True)

    np.testing.assert_array_equal(near.ids[:, 0], np.arange(2000)[::50])
    rows = found._look(flock[::50], 10, hard)[1]
    np.testing.assert_array_equal(near.ids, found.ids[rows])


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_one_query_is_searched_for_in_its_own_thread_and_many_in_all(
    flock: np.ndarray, kind: str
) -> None:
    threads = []

    def opened(index: FaissIndex) -> Look:
        def look(queries: np.ndarray, k: int, effort: int) -> tuple[np.ndarray, np.ndarray]:
            threads.append(faiss.omp_get_max_threads())
            return index.search(queries, k)

        return look

    found = tuned(kind, flock)
    search = kinds.opened(replace(found.kind, opened=opened), found.index)
    usual = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(3)
    try:
        for count in (1, kinds.MANY - 1, kinds.MANY, 100):
            search(flock[:count], 10, 64)
        assert threads == [1, 1, 3, 3]
        assert faiss.omp_get_max_threads() == 3
    finally:
        faiss.omp_set_num_threads(usual)


def test_an_exact_index_is_a_value_that_later_changes_do_not_touch() -> None:
    first = ExactIndex(DIM).updated(NOTHING, np.array([1, 2]), unit_vectors(1, 2))
    before = first.search(unit_vectors(9, 1), 5)

    second = first.updated(np.array([1]), np.array([3, 4, 5]), unit_vectors(2, 3))

    after = first.search(unit_vectors(9, 1), 5)
    np.testing.assert_array_equal(before.ids, after.ids)
    np.testing.assert_array_equal(before.scores, after.scores)
    assert sorted(second.search(unit_vectors(9, 1), 9).ids[0].tolist()) == [2, 3, 4, 5]
