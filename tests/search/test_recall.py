"""The promise: for every k, query and gallery, the recall that was asked for, in full answers.

Galleries are embeddings of real pictures, one of them of bursts: many shots of few moments, which
fall into islands in a graph. Queries are pictures of other things. Brute force says what is right.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kkcv.embedding.embedder import Embedder
from kkcv.embedding.pipeline import ahead, embed_stream
from kkcv.images.folder import find_pictures
from kkcv.search.index import effort, layered
from kkcv.search.index.build import built
from kkcv.search.index.kinds import KINDS
from kkcv.search.index.layered import LayeredIndex
from kkcv.search.index.neighbors import Neighbors
from kkcv.search.index.outside import held_out
from kkcv.search.index.records import Records
from kkcv.search.index.snapshot import Snapshot

RECALL = 0.95
SHOTS = 12
CLOSE = 1e-3  # float16 beside float32


@pytest.fixture(scope="module")
def photographs(pictures: Path) -> np.ndarray:
    """Embeddings of real pictures of many things, float32 (N, D)."""
    files = [p for name in ("imagenette", "monkeys") for p in find_pictures([pictures / name])]
    return embedded(files[::3])


def embedded(files: list[Path]) -> np.ndarray:
    embedder = Embedder.load()
    stream = embed_stream(embedder, ahead(embedder.prepare, files))
    return np.stack([vector for _, vector in stream if isinstance(vector, np.ndarray)])


@pytest.fixture(scope="module")
def bursts(photographs: np.ndarray) -> np.ndarray:
    """Twelve shots of each of some moments, one after another."""
    moments = photographs[::3].repeat(SHOTS, axis=0)
    noise = np.random.default_rng(0).normal(size=moments.shape).astype(np.float32)
    return unit(moments + 0.2 * noise / np.linalg.norm(noise, axis=1, keepdims=True))


@pytest.fixture(scope="module")
def outside(pictures: Path) -> np.ndarray:
    return embedded(list(find_pictures([pictures / "produce"]))[::12])


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=["photographs", "bursts"])
def gallery(request: pytest.FixtureRequest) -> np.ndarray:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def through_the_index() -> Iterator[None]:
    """Without this, galleries of a thousand are compared with every query: that is as quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(effort, "WORTH_MS", -1e9)
        patch.setattr(layered, "SELECTIVE", 50)
        yield


@pytest.fixture(scope="module")
def index(kind: str, gallery: np.ndarray, through_the_index: None) -> LayeredIndex:
    chosen, held = KINDS[kind], held_out(len(gallery))
    faiss, plans, order = built(chosen, gallery[~held], lambda: iter([gallery]), held, RECALL)
    assert any(step.effort != effort.ALL for plan in plans for step in plan.steps)
    snapshot = Snapshot(0, "space", chosen, plans, order, faiss, Records.of(b"" for _ in order))
    return LayeredIndex(gallery.shape[1], snapshot)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def recalls(
    index: LayeredIndex, gallery: np.ndarray, queries: np.ndarray, k: int, allowed: np.ndarray
) -> np.ndarray:
    """The recall of each query; the answers are full, and their scores are right."""
    asked = None if len(allowed) == len(gallery) else allowed
    ids, found_scores = index.search(queries, k, asked)
    scores = np.sort(queries @ gallery[allowed].T, axis=1)[:, ::-1][:, :k]
    full = scores.shape[1]  # fewer than k may be allowed
    assert (ids[:, full:] < 0).all()
    found = Neighbors(ids[:, :full], found_scores[:, :full])
    assert found.ids.shape == scores.shape
    assert (found.ids >= 0).all()
    assert np.isin(found.ids, allowed).all()
    assert all(len(set(ids)) == len(ids) for ids in found.ids.tolist())
    right = np.take_along_axis(queries @ gallery.T, found.ids, axis=1)
    np.testing.assert_allclose(found.scores, right, atol=2e-3)
    return (found.scores >= scores[:, -1:] - CLOSE).mean(axis=1)


def test_the_recall_holds_for_every_k_and_filter(
    index: LayeredIndex, gallery: np.ndarray, outside: np.ndarray
) -> None:
    cropped = unit(gallery[::37] + 0.5 * outside[np.arange(len(gallery[::37])) % len(outside)])

    @settings(max_examples=12, deadline=None, derandomize=True)
    @given(k=st.integers(1, 1000), share=st.sampled_from([1, 1, 0.6, 0.2]), seed=st.integers(0, 99))
    def check(k: int, share: float, seed: int) -> None:
        order = np.random.default_rng(seed).permutation(len(gallery))
        allowed = np.sort(order[: int(share * len(gallery))])
        for queries in (outside, cropped):
            got = recalls(index, gallery, queries, k, allowed)
            worst = np.sort(got)[: len(got) // 10]
            assert got.mean() >= RECALL - 0.01  # sixty queries tell the mean no better
            assert worst.mean() >= 1 - 10 * (1 - RECALL)

    check()


def test_a_filter_that_leaves_one_corner_of_the_gallery_is_answered_in_full(
    index: LayeredIndex, gallery: np.ndarray, outside: np.ndarray
) -> None:
    """An index does not look far from the query."""
    far = np.argsort(gallery @ outside[0])[: len(gallery) // 3]

    got = recalls(index, gallery, outside[:1], 100, np.sort(far))

    assert got.min() >= RECALL
