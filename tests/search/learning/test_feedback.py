"""Feedback moves the query toward what was liked."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.feedback import simulated
from kkcv.embedding.embedder import Embedder
from kkcv.errors import RequestError
from kkcv.query import Like
from kkcv.search.gallery import Gallery
from kkcv.search.learning.feedback import WEIGHTS, rocchio

Paint = Callable[..., Path]


def test_the_query_is_moved_as_rocchio_has_it(
    gallery: Gallery, paint: Paint, embedder: Embedder
) -> None:
    paths = [paint(f"{n}.png", n) for n in range(20)]
    ids = [gallery.add(path).id for path in paths]
    vectors = np.array([embedder.embed_picture(path) for path in paths])

    hits = gallery.search_like(rocchio(Like(paths[0]), liked=ids[1:4], unliked=ids[4:6]), k=20)

    query = vectors[0] + WEIGHTS[0] * vectors[1:4].mean(0) - WEIGHTS[1] * vectors[4:6].mean(0)
    truth = dict(zip(ids, vectors @ query / np.linalg.norm(query), strict=True))
    expected = sorted({ids[0], *ids[6:]}, key=lambda id: -truth[id])
    assert [hit.id for hit in hits] == expected


def test_without_feedback_the_query_stays_what_it_is() -> None:
    assert rocchio(Like(17, 2.0)) == [Like(17, 2.0)]


def test_a_picture_cannot_be_both_liked_and_unliked() -> None:
    with pytest.raises(RequestError, match="picture 4 cannot be both liked and unliked"):
        rocchio(Like(1), liked=[2, 4], unliked=[4])


def test_a_simulated_user_finds_more_with_feedback() -> None:
    """Classes that overlap: the first hits are mixed, and marking them helps."""
    random = np.random.default_rng(0)
    labels = [str(n % 4) for n in range(400)]
    centers = random.normal(size=(4, 16))
    vectors = centers[np.arange(400) % 4] + 1.5 * random.normal(size=(400, 16))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    plain = simulated(vectors, labels, None)
    learned = simulated(vectors, labels, WEIGHTS)

    assert plain[0] == pytest.approx(learned[0], abs=0.01)
    assert (learned[1:] > plain[1:] + 0.1).all()
