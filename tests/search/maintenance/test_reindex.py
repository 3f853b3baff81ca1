"""Another network for a gallery in use: beside the old one, then in one step, and back."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kkcv.embedding.embedder import Embedder
from kkcv.errors import GalleryError, RequestError, Superseded
from kkcv.search.gallery import Gallery
from kkcv.search.maintenance import reindex as module
from kkcv.search.maintenance.reindex import overlap, reindex, undo
from tests.search.conftest import GridOfColors

Paint = Callable[..., Path]


@pytest.fixture
def filled(gallery: Gallery, paint: Paint) -> Gallery:
    for n in range(30):
        gallery.add(paint(f"{n}.png", n), {"label": n % 3})
    return gallery


@pytest.mark.usefixtures("loadable")
def test_all_pictures_answer_by_the_new_network(
    filled: Gallery, paint: Paint, other: Embedder
) -> None:
    report = reindex(filled, other)

    assert (report.pictures, report.left_out) == (30, [])
    assert filled.space == other.space
    query = other.embed_picture(paint("q.png", 99))
    vectors = np.array([other.embed_picture(paint(f"{n}.png", n)) for n in range(30)])
    assert [h.score for h in filled.search(paint("q.png", 99), k=30)] == pytest.approx(
        sorted(vectors @ query, reverse=True), abs=1e-3
    )


@pytest.mark.usefixtures("loadable")
def test_it_says_how_much_the_answers_change(filled: Gallery, other: Embedder) -> None:
    report = reindex(filled, other)

    assert 0 < report.overlap < 1
    assert report.before is not None
    assert report.after is not None
    assert set(report.before) == set(report.after) == {"mAP", "precision@1"}


def test_overlap_is_the_share_of_neighbors_that_stay() -> None:
    angles = np.radians(np.arange(0, 60, 5, dtype=np.float32))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)

    assert overlap(vectors, vectors, k=3) == 1
    assert overlap(vectors, vectors[np.random.default_rng(0).permutation(12)], k=3) < 0.7


@pytest.mark.usefixtures("loadable")
def test_undo_brings_the_old_answers_back_and_keeps_what_came_since(
    filled: Gallery, paint: Paint, other: Embedder, embedder: Embedder
) -> None:
    before = filled.search(paint("q.png", 99), k=30)
    reindex(filled, other)
    later = filled.add(paint("later.png", 77))

    undo(filled)

    assert filled.space == embedder.space
    after = filled.search(paint("q.png", 99), k=31)
    kept = [(hit.id, hit.score) for hit in after if hit.id != later.id]
    assert kept == [(hit.id, hit.score) for hit in before]
    assert later.id in [hit.id for hit in after]


@pytest.mark.usefixtures("loadable")
def test_stopped_work_goes_on_where_it_was(
    filled: Gallery, other: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COMMIT", 8)

    def stop(done: int, total: int) -> None:
        if done >= 16:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reindex(filled, other, progress=stop)
    seen: list[int] = []
    reindex(filled, other, progress=lambda done, total: seen.append(total))

    assert seen[0] == 30 - 16
    assert filled.space == other.space


@pytest.mark.usefixtures("loadable")
def test_searches_and_additions_go_on_meanwhile(
    filled: Gallery, paint: Paint, other: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COMMIT", 8)
    added: list[int] = []

    def meanwhile(done: int, total: int) -> None:
        if not added:
            added.append(filled.add(paint("meanwhile.png", 55)).id)
        assert filled.search(paint("3.png", 3), k=1)[0].score > 0.99

    reindex(filled, other, progress=meanwhile)

    assert filled.search(paint("meanwhile.png", 55), k=1)[0].id == added[0]
    assert filled.space == other.space


@pytest.mark.usefixtures("loadable")
def test_who_has_it_open_follows_to_the_new_network(
    filled: Gallery, paint: Paint, other: Embedder
) -> None:
    elsewhere = Gallery.open(filled.folder)
    before = elsewhere.generation
    hits = elsewhere.search(paint("5.png", 5), k=1)

    reindex(filled, other)

    assert elsewhere.search(paint("5.png", 5), k=1)[0].id == hits[0].id
    assert elsewhere.space == other.space
    with pytest.raises(Superseded, match="was given another network"), before.catalog.writing():
        pass
    elsewhere.close()


@pytest.mark.usefixtures("loadable")
def test_files_that_have_gone_stop_it_unless_they_are_left_out(
    filled: Gallery, other: Embedder
) -> None:
    gone = next(iter(filled.pictures()))
    filled.path(gone).unlink()

    with pytest.raises(GalleryError, match="1 pictures cannot be embedded again"):
        reindex(filled, other)
    report = reindex(filled, other, leave_out=True)

    assert [Path(r.path) for r in report.left_out] == [filled.path(gone)]
    assert filled.get(gone.id).id == gone.id
    assert len(filled.generation.index.refreshed()) == 29


def test_its_own_network_and_nothing_to_undo_are_refused(
    gallery: Gallery, embedder: Embedder
) -> None:
    assert isinstance(embedder.runtime, GridOfColors)
    with pytest.raises(RequestError, match="has the vectors of grid already"):
        reindex(gallery, embedder)
    with pytest.raises(RequestError, match="has no change of network to undo"):
        undo(gallery)
