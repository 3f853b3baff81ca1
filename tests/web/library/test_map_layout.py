"""The map of a library: what is alike lies together."""

import numpy as np

from kkcv.web.library.map_layout import clusters, plane


def bunches(count: int, each: int, dim: int = 32) -> np.ndarray:
    """Unit vectors around so many directions: float32 (count * each, dim)."""
    random = np.random.default_rng(0)
    centers = np.repeat(random.normal(size=(count, dim)), each, 0)
    vectors = centers + 0.3 * random.normal(size=centers.shape)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_neighbors_stay_neighbors_on_the_map() -> None:
    points = plane(bunches(4, 30))

    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (apart.argmin(1) // 30 == np.arange(120) // 30).all()
    assert points.min() >= 0
    assert points.max() <= 1


def test_the_map_is_the_same_every_time() -> None:
    vectors = bunches(3, 10)

    assert (plane(vectors) == plane(vectors)).all()


def test_very_few_pictures_have_a_map_too() -> None:
    for count in (1, 2, 5):
        points = plane(bunches(count, 1))
        assert points.shape == (count, 2)
        assert np.isfinite(points).all()


def test_bunches_are_clusters() -> None:
    groups = clusters(bunches(4, 30), 4)

    assert [len(set(groups[n : n + 30].tolist())) for n in range(0, 120, 30)] == [1, 1, 1, 1]
    assert len(set(groups.tolist())) == 4


def test_the_same_picture_many_times_is_no_trouble() -> None:
    same = np.repeat(bunches(1, 1), 12, 0)

    assert np.isfinite(plane(same)).all()
    assert len(set(clusters(same).tolist())) == 1
