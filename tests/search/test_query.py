"""Several pictures with weights, regions, ids: what is asked for, as a vector."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kkcv.embedding.embedder import Embedder
from kkcv.errors import RequestError, UnknownPicture
from kkcv.images.decode import decode
from kkcv.query import Like, Region
from kkcv.search.gallery import Gallery
from kkcv.search.query import combined

Paint = Callable[..., Path]


def test_several_pictures_are_their_weighted_sum(
    gallery: Gallery, paint: Paint, embedder: Embedder
) -> None:
    paths = [paint(f"{n}.png", n) for n in range(15)]
    ids = [gallery.add(path).id for path in paths]

    hits = gallery.search_like([Like(paths[0], 2.0), Like(paths[1]), Like(paths[2], -0.5)], k=15)

    vectors = np.array([embedder.embed_picture(path) for path in paths])
    query = 2 * vectors[0] + vectors[1] - 0.5 * vectors[2]
    truth = dict(zip(ids, vectors @ query / np.linalg.norm(query), strict=True))
    assert [hit.id for hit in hits] == sorted(truth, key=truth.__getitem__, reverse=True)
    assert [hit.score for hit in hits] == pytest.approx(sorted(truth.values())[::-1], abs=2e-3)


def test_pictures_that_are_asked_with_by_id_are_left_out(gallery: Gallery, paint: Paint) -> None:
    ids = [gallery.add(paint(f"{n}.png", n)).id for n in range(8)]

    hits = gallery.search_like([Like(ids[0]), Like(ids[1])], k=6)

    assert sorted(hit.id for hit in hits) == sorted(ids[2:])


def test_a_region_is_searched_as_the_picture_that_it_is(
    gallery: Gallery, paint: Paint, tmp_path: Path
) -> None:
    """The right half of a picture of two finds what the right half shows."""
    left, right = paint("left.png", 1), paint("right.png", 2)
    both = Image.fromarray(np.hstack([decode(left), decode(right)]))
    both.save(tmp_path / "both.png")
    ids = {name: gallery.add(path).id for name, path in (("left", left), ("right", right))}

    hit = gallery.search_like([Like(tmp_path / "both.png", region=Region(0.5, 0, 0.5, 1))], k=1)[0]

    assert hit.id == ids["right"]
    assert hit.score == pytest.approx(1, abs=1e-3)


def test_many_queries_in_one_call_answer_as_one_by_one(
    gallery: Gallery, paint: Paint, embedder: Embedder
) -> None:
    for n in range(9):
        gallery.add(paint(f"{n}.png", n))
    queries = np.array([embedder.embed_picture(paint(f"q{n}.png", 50 + n)) for n in range(4)])

    together = gallery.search_vectors(queries, k=3)

    assert together == [gallery.search_vector(query, k=3) for query in queries]
    assert gallery.search_vectors(queries[:0], k=3) == []


@pytest.mark.parametrize(
    "numbers",
    [(0, 0, 0, 1), (-0.1, 0, 1, 1), (0.5, 0, 0.6, 1), (0, 1, 1, 1), (0, 0, 1, float("nan"))],
)
def test_a_region_outside_of_the_picture_is_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises(RequestError, match="a region is left, top, width and height"):
        Region(*numbers)


def test_what_cannot_be_a_query_is_refused(gallery: Gallery, paint: Paint) -> None:
    picture = gallery.add(paint("a.png", 1))

    for likes in ([Like(picture.id, -1.0)], []):
        with pytest.raises(RequestError, match="at least one picture must count"):
            gallery.search_like(likes)
    with pytest.raises(RequestError, match="a part of a query is Like"):
        gallery.search_like([picture.id])  # type: ignore[list-item]
    with pytest.raises(UnknownPicture, match="no picture with id 99"):
        gallery.search_like([Like(99)])
    with pytest.raises(RequestError, match="cancel each other out"):
        combined(np.eye(2, dtype=np.float32)[[0, 0]], [1.0, -1.0])
