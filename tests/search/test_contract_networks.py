"""The promises of a gallery when its network or a projection changes, on engines that can."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from kkcv.embedding.embedder import Embedder
from kkcv.embedding.space import unit
from kkcv.errors import EmbedderMismatch, RequestError, Superseded, UnknownPicture
from kkcv.search.engine.projection import Projection
from kkcv.search.gallery import Gallery
from kkcv.search.learning import adapt
from kkcv.search.maintenance.reindex import reindex, undo

from .test_contract import ids_of

Paint = Callable[..., Path]
THEY_CAN = pytest.mark.parametrize("address", ["sqlite", "milvus"], indirect=True)


@pytest.fixture
def gallery(address: str, embedder: Embedder) -> Iterator[Gallery]:
    with Gallery.create(address, embedder) as made:
        yield made


@pytest.mark.usefixtures("loadable")
@THEY_CAN
def test_another_network_and_back_while_pictures_come_and_go(
    gallery: Gallery, paint: Paint, embedder: Embedder, other: Embedder
) -> None:
    ids = [gallery.add(paint(f"{n}.png", n), {"label": n % 3}).id for n in range(12)]
    reader = Gallery.open(gallery.address)
    before = ids_of(reader, paint("5.png", 5))

    def meanwhile(done: int, total: int) -> None:
        if len(gallery) == 12:
            gallery.add(paint("later.png", 77))
            gallery.remove([ids[0]])
            gallery.describe(ids[1], {"label": "new"})
        assert ids_of(reader, paint("3.png", 3), 1) == [ids[3]]

    report = reindex(gallery, other, progress=meanwhile)

    assert (report.pictures, report.left_out) == (12, [])
    assert 0 < report.overlap <= 1
    assert gallery.space == reader.space == other.space
    assert gallery.get(ids[1]).metadata == {"label": "new"}
    for each in (gallery, reader):
        found = ids_of(each, paint("5.png", 5))
        assert (found[0], len(found), ids[0] in found) == (ids[5], 12, False)
    last = gallery.add(paint("last.png", 88)).id

    undo(gallery)

    assert gallery.space == reader.space == embedder.space
    kept = [id for id in before if id != ids[0]]
    assert [id for id in ids_of(reader, paint("5.png", 5)) if id in kept] == kept
    assert ids_of(reader, paint("last.png", 88), 1) == [last]
    assert len(reader) == 13
    reader.close()


def a_projection(seed: int, dim: int = 48) -> Projection:
    return Projection(np.random.default_rng(seed).normal(size=(dim, 8)).astype(np.float16))


@THEY_CAN
def test_vectors_are_compared_through_a_projection_until_it_is_undone(
    gallery: Gallery, paint: Paint, embedder: Embedder
) -> None:
    ids = [gallery.add(paint(f"{n}.png", n), {"third": n % 3}).id for n in range(24)]
    reader = Gallery.open(gallery.address, embedder)
    space, stored = gallery.space, gallery.vectors().vectors
    query = paint("query.png", 99)

    for seed in (0, 1):  # one that was learned again takes the place of the first
        projection = a_projection(seed)
        adapt.adopt(gallery, projection)

        assert gallery.space == reader.space != space
        truth = unit(stored @ projection.matrix.astype(np.float32))
        scores = truth @ projection(embedder.embed_picture(query))
        for each in (gallery, reader):
            np.testing.assert_allclose(each.vectors().vectors, truth, atol=1e-6)
            for where, rows in (("", range(24)), ("third == 1", range(1, 24, 3))):
                best = sorted(rows, key=lambda row: -scores[row])
                hits = each.search(query, k=24, where=where or None)
                assert [hit.id for hit in hits] == [ids[row] for row in best]
                assert [h.score for h in hits] == pytest.approx(scores[best].tolist(), abs=1e-5)
            assert each.search_id(ids[5], k=23)[0].id != ids[5]
    added = gallery.add(paint("added.png", 77)).id
    gallery.describe(ids[2], {"third": 7})
    gallery.remove([ids[3]])
    assert ids_of(reader, paint("added.png", 77), 1) == [added]
    assert ids_of(reader, query, where="third == 7") == [ids[2]]

    adapt.undo(gallery)

    assert gallery.space == reader.space == space
    own = embedder.embed_picture(paint("added.png", 77)).astype(np.float16)
    expected = [*stored[[row for row in range(24) if row != 3]], own]
    np.testing.assert_array_equal(reader.vectors().vectors, expected)  # not a bit was lost
    with pytest.raises(RequestError, match="has no projection to undo"):
        adapt.undo(gallery)
    reader.close()


@pytest.mark.usefixtures("loadable")
@THEY_CAN
def test_another_network_and_a_projection_are_undone_each_by_itself(
    gallery: Gallery, paint: Paint, embedder: Embedder, other: Embedder
) -> None:
    ids = [gallery.add(paint(f"{n}.png", n)).id for n in range(8)]
    adapt.adopt(gallery, a_projection(0))
    adapted = gallery.space

    reindex(gallery, other)
    assert gallery.space == other.space
    adapt.adopt(gallery, a_projection(1, other.space.dim))
    gallery.add(paint("later.png", 77))
    undo(gallery)

    assert gallery.space == adapted
    assert ids_of(gallery, paint("5.png", 5), 1) == [ids[5]]
    assert ids_of(gallery, paint("later.png", 77), 1) == [9]
    adapt.undo(gallery)
    assert gallery.space == embedder.space
    assert len(gallery.search(paint("5.png", 5), k=20)) == 9


@THEY_CAN
def test_pictures_that_were_removed_before_a_projection_come_back_through_it(
    gallery: Gallery, paint: Paint
) -> None:
    ids = [gallery.add(paint(f"{n}.png", n)).id for n in range(8)]
    gallery.remove(ids[:4], at_least=1)
    adapt.adopt(gallery, a_projection(0))

    assert gallery.undo().pictures == 4

    assert ids_of(gallery, paint("2.png", 2), 1) == [ids[2]]
    assert gallery.vectors().vectors.shape == (8, 8)


@pytest.mark.parametrize("address", ["shown"], indirect=True)
def test_an_engine_that_cannot_says_so(gallery: Gallery, other: Embedder) -> None:
    with pytest.raises(RequestError, match="keeps one network: kkcv reindex is for galleries in"):
        reindex(gallery, other)
    with pytest.raises(RequestError, match="has no change of network to undo"):
        undo(gallery)
    with pytest.raises(RequestError, match="keeps no projection: kkcv adapt is for galleries in"):
        adapt.adopt(gallery, a_projection(0))


@pytest.mark.usefixtures("loadable")
@THEY_CAN
def test_what_is_begun_with_one_network_is_not_written_with_another(
    gallery: Gallery, paint: Paint, other: Embedder
) -> None:
    gallery.add(paint("a.png", 1))
    before = gallery.generation

    reindex(gallery, other)

    with pytest.raises(Superseded, match="was given another network"), before.catalog.writing():
        pass


@pytest.mark.usefixtures("loadable")
@THEY_CAN
def test_pictures_that_cannot_be_embedded_again_stay_without_an_answer(
    gallery: Gallery, paint: Paint, other: Embedder, embedder: Embedder
) -> None:
    pictures = [gallery.add(paint(f"{n}.png", n)) for n in range(4)]
    gallery.path(pictures[2]).unlink()

    report = reindex(gallery, other, leave_out=True)

    assert len(report.left_out) == 1
    assert sorted(ids_of(gallery, paint("0.png", 0))) == [1, 2, 4]
    assert sorted(ids_of(gallery, paint("0.png", 0), where="id >= 2")) == [2, 4]
    assert (len(gallery), gallery.get(3).id) == (4, 3)
    with pytest.raises(UnknownPicture):
        gallery.search_id(3)


def test_vectors_of_another_network_are_refused(
    gallery: Gallery, other: Embedder, address: str
) -> None:
    for wrong in (Gallery.open, Gallery.create):
        with pytest.raises(EmbedderMismatch, match="was made by grid") as caught:
            wrong(address, other)
        assert "network grid here, quadrants there" in str(caught.value)
