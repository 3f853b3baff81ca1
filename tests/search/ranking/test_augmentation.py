"""Database-side augmentation against the paper's formula, and after changes of a gallery."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kkcv.embedding.embedder import Embedder
from kkcv.search.gallery import Gallery
from kkcv.search.ranking.augmentation import augment, augmented

from .vectors import clusters, nearest_first


def by_the_formula(vectors: np.ndarray, neighbors: int, alpha: float) -> np.ndarray:
    """One vector after the other, in float64."""
    vectors = vectors.astype(np.float64)
    found = []
    for n, vector in enumerate(vectors):
        others = sorted(
            (m for m in range(len(vectors)) if m != n), key=lambda m: -vector @ vectors[m]
        )
        total = vector.copy()
        for m in others[:neighbors]:
            total += max(vector @ vectors[m], 0) ** alpha * vectors[m]
        found.append(total / np.linalg.norm(total))
    return np.array(found)


@pytest.mark.parametrize(("neighbors", "alpha"), [(1, 1.0), (5, 3.0), (99, 2.0)])
def test_each_is_the_weighted_mean_of_itself_and_its_nearest(neighbors: int, alpha: float) -> None:
    vectors = clusters(40)

    found = augment(vectors, neighbors, alpha)

    np.testing.assert_allclose(found, by_the_formula(vectors, neighbors, alpha), atol=1e-5)


def test_the_query_is_augmented_as_the_others_are() -> None:
    query, candidates = nearest_first(clusters(30))

    found = augmented(query, candidates)

    expected = by_the_formula(np.vstack([query[None], candidates]), 5, 3.0)
    np.testing.assert_allclose(found, expected[1:] @ expected[0], atol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_candidates_are_enough(count: int) -> None:
    query, candidates = nearest_first(clusters(count + 1))

    assert augmented(query, candidates).shape == (count,)


@pytest.mark.parametrize("ranking", ["augmented", "reciprocal", "smoothed"])
def test_after_additions_and_removals_a_gallery_ranks_as_one_made_from_scratch(
    ranking: str, gallery: Gallery, paint: Callable[..., Path], embedder: Embedder, tmp_path: Path
) -> None:
    query = paint("query.png", 1000)
    for n in range(25):
        gallery.add(paint(f"{n}.png", n))
    gallery.search(query, ranking=ranking)
    gallery.remove(range(3, 12))
    for n in range(25, 40):
        gallery.add(paint(f"{n}.png", n))

    found = gallery.search(query, 40, ranking=ranking)

    with Gallery.create(tmp_path / "scratch", embedder) as scratch:
        for picture in gallery.pictures():
            scratch.add(gallery.read(picture))
        expected = scratch.search(query, 40, ranking=ranking)
    assert [Path(hit.path).name for hit in found] == [Path(hit.path).name for hit in expected]
