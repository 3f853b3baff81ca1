"""A gallery with ``+parts`` finds pictures by a part of them, and keeps parts through its life."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kkcv.embedding import windows
from kkcv.embedding.embedder import Embedder
from kkcv.errors import UnknownPicture
from kkcv.images.decode import decode
from kkcv.images.limits import DEFAULT_LIMITS
from kkcv.images.source import read_bytes
from kkcv.search.answer import answer
from kkcv.search.engine import Index
from kkcv.search.engine.entries import PARTS, PartsOfPictures
from kkcv.search.exchange.loading import import_parquet, load, parquet_files
from kkcv.search.exchange.parquet import export
from kkcv.search.exchange.plan import make_plan
from kkcv.search.exchange.shards import embed_shards
from kkcv.search.explain import explain, parts_of, score_of
from kkcv.search.filters.expression import parse
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.maintenance.backup import backup, restore
from kkcv.search.maintenance.doctor import examine
from kkcv.search.maintenance.reindex import reindex, undo

MODEL = "efficientnet_lite0+parts"


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load(MODEL)


@pytest.fixture(scope="module")
def album(pictures: Path) -> list[Path]:
    """Twelve different photographs."""
    return sorted((pictures / "imagenet_sample_300").glob("*.JPEG"))[:12]


@pytest.fixture(scope="module")
def strangers(pictures: Path, embedder: Embedder) -> np.ndarray:
    """Vectors of other photographs, float32 (Q, D)."""
    files = sorted((pictures / "imagenet_sample_300").glob("*.JPEG"))[12::24]
    return np.stack([embedder.embed_picture(path) for path in files])


@pytest.fixture
def gallery(address: str, embedder: Embedder, album: list[Path]) -> Iterator[Gallery]:
    with Gallery.create(address, embedder) as opened:
        import_pictures(opened, album)
        yield opened


@pytest.fixture
def in_a_folder(tmp_path: Path, embedder: Embedder, album: list[Path]) -> Iterator[Gallery]:
    with Gallery.create(tmp_path / "gallery", embedder) as opened:
        import_pictures(opened, album)
        yield opened


def quarter(path: Path) -> np.ndarray:
    return np.ascontiguousarray(windows.within(decode(path), windows.QUARTERS[3]))


def png(pixels: np.ndarray) -> bytes:
    return read_bytes(Image.fromarray(pixels))


def test_a_crop_finds_its_original_first_and_the_hit_says_where(
    gallery: Gallery, album: list[Path]
) -> None:
    for path in album:
        first = gallery.search(png(quarter(path)), 3)[0]

        assert first.path == str(path)
        assert first.score > 0.98
        assert first.place == ((0.5, 0.5), (1.0, 0.5), (1.0, 1.0), (0.5, 1.0))


def test_a_whole_picture_finds_itself_without_a_place(gallery: Gallery, album: list[Path]) -> None:
    first = gallery.search(album[0])[0]

    assert (first.path, first.place) == (str(album[0]), None)
    assert first.score == pytest.approx(1, abs=1e-3)


def test_an_order_of_whole_pictures_leaves_parts_out(gallery: Gallery, album: list[Path]) -> None:
    hits = gallery.search(png(quarter(album[0])), 5, ranking="plain")

    assert all(hit.place is None for hit in hits)


def test_removed_replaced_and_filtered_pictures_are_not_found_by_their_parts(
    gallery: Gallery, album: list[Path]
) -> None:
    ids = [gallery.find(str(path)).id for path in album]
    gallery.remove([ids[0]])
    gallery.replace(ids[1], album[0])
    gallery.describe(ids[2], {"kind": "kept"})

    moved = gallery.search(png(quarter(album[0])), 1)[0]
    filtered = gallery.search(png(quarter(album[0])), 5, where='kind == "kept"')

    assert (moved.id, moved.place is not None) == (ids[1], True)
    assert [hit.id for hit in filtered] == [ids[2]]


def test_the_first_hits_are_those_of_an_answer_that_compares_all(
    gallery: Gallery, strangers: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer, "SMALLEST", 1)
    all_of: dict[str, Any]
    for all_of, least in (({}, -1), ({}, 0.1), ({"where": "id != 3"}, 0.1), ({"fold": 0.3}, -1)):
        answers = gallery.search_vectors(strangers, 12, **all_of)
        right = [[hit.id for hit in hits if hit.score >= least] for hits in answers]

        for k in (1, 3, 5):
            answers = gallery.search_vectors(strangers, k, min_score=least, **all_of)
            assert [[hit.id for hit in hits] for hits in answers] == [ids[:k] for ids in right]


def test_a_built_index_of_parts_finds_what_comparing_all_finds(
    in_a_folder: Gallery, album: list[Path]
) -> None:
    gallery = in_a_folder
    queries = [png(quarter(path)) for path in album]
    before = [[hit.id for hit in gallery.search(query, 3)] for query in queries]
    gallery.generation.index.rebuild()

    with Gallery.open(gallery.folder, gallery.embedder) as again:
        assert (gallery.folder / "index-parts").is_dir()
        assert [[hit.id for hit in again.search(query, 3)] for query in queries] == before
        assert examine(again) == []


def test_parts_go_along_with_an_export(
    gallery: Gallery, album: list[Path], tmp_path: Path, embedder: Embedder
) -> None:
    pytest.importorskip("pyarrow")
    export(gallery, tmp_path / "all.parquet")
    import_parquet(tmp_path / "other", tmp_path / "all.parquet")

    with Gallery.open(tmp_path / "other", embedder) as other:
        hit = other.search(png(quarter(album[0])), 1)[0]

    assert (hit.path, hit.place is not None) == (str(album[0]), True)


@pytest.mark.parametrize("address", ["sqlite", "milvus"], indirect=True)
def test_a_gallery_is_given_parts_later_and_loses_them_again(
    address: str, album: list[Path], embedder: Embedder
) -> None:
    query = png(quarter(album[0]))
    with Gallery.create(address) as plain:
        import_pictures(plain, album)
        vectors = plain.search(album[0], 3)
        reindex(plain, embedder)

        assert plain.search(query, 1)[0].place is not None
        assert plain.stats()["parts"] == 5

        undo(plain)

        assert plain.stats()["parts"] == 0
        assert plain.search(query, 1)[0].place is None
        assert plain.search(album[0], 3) == vectors


def test_what_was_done_to_a_copy_is_told_on_every_engine(
    gallery: Gallery, album: list[Path]
) -> None:
    first = gallery.search(png(quarter(album[3])), 2, copies=True)[0]

    assert (first.path, first.match) == (str(album[3]), "crop")


def test_every_engine_finds_the_parts_that_comparing_all_finds(
    gallery: Gallery, album: list[Path]
) -> None:
    generation = gallery.generation
    asked = generation.embedder.embed([quarter(path) for path in album[:6]])
    sketches = windows.sketch(asked)

    with generation.catalog.reading() as rows:
        found = generation.index.parts.search(rows, sketches, 8)
        right = Index(PartsOfPictures()).search(rows, sketches, 8)
        some = generation.index.parts.search(rows, sketches, 8, parse("id < 3"))

    np.testing.assert_array_equal(found.ids, right.ids)
    np.testing.assert_allclose(found.scores, right.scores, atol=0.01)
    assert set((some.ids[some.ids >= 0] // PARTS).tolist()) == {1, 2}


def test_a_backup_is_restored_with_parts_and_the_doctor_finds_all_well(
    in_a_folder: Gallery, album: list[Path], tmp_path: Path, embedder: Embedder
) -> None:
    backup(in_a_folder, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again")

    with Gallery.open(tmp_path / "again", embedder) as again:
        hit = again.search(png(quarter(album[0])), 1)[0]
        assert examine(again) == []

    assert (hit.path, hit.place is not None) == (str(album[0]), True)


def test_the_doctor_mends_a_damaged_index_of_parts(
    in_a_folder: Gallery, album: list[Path], embedder: Embedder
) -> None:
    in_a_folder.generation.index.rebuild()
    in_a_folder.close()
    for file in (in_a_folder.folder / "index-parts").iterdir():
        file.write_bytes(file.read_bytes()[:40])

    with Gallery.open(in_a_folder.folder, embedder) as again:
        found = examine(again, repair=True)
        hit = again.search(png(quarter(album[0])), 1)[0]
        after = examine(again)

    assert "bad-index" in {finding.kind for finding in found}
    assert (hit.path, hit.place is not None) == (str(album[0]), True)
    assert after == []


def test_shards_hold_parts(album: list[Path], tmp_path: Path, embedder: Embedder) -> None:
    pytest.importorskip("pyarrow")
    plan = make_plan(tmp_path / "plan", album[:4], embedder, shards=2)
    for worker in range(2):
        embed_shards(plan, tmp_path / "vectors", embedder, worker, 2)
    load(tmp_path / "other", parquet_files([tmp_path / "vectors"], plan))

    with Gallery.open(tmp_path / "other", embedder) as other:
        hit = other.search(png(quarter(album[0])), 1)[0]

    assert (hit.path, hit.place is not None) == (str(album[0]), True)


def test_products_of_sketches_are_nearly_those_of_the_vectors() -> None:
    random = np.random.default_rng(0)
    vectors = np.abs(random.normal(size=(200, 1280))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    short = windows.sketch(vectors)

    assert short.shape == (200, windows.NUMBERS)
    assert np.abs(short @ short.T - vectors @ vectors.T).max() < 0.2


def test_the_signs_of_the_sketch_never_change() -> None:
    assert windows.signs(4)[:, :8].tolist() == [
        [-1, 1, 1, 1, 1, -1, 1, 1],
        [1, -1, 1, -1, -1, 1, 1, 1],
        [-1, 1, 1, -1, 1, 1, 1, -1],
        [-1, -1, -1, 1, -1, 1, 1, 1],
    ]


def test_a_picture_that_was_removed_meanwhile_has_no_parts(in_a_folder: Gallery) -> None:
    with pytest.raises(UnknownPicture):
        parts_of(in_a_folder, 99, DEFAULT_LIMITS)


def test_the_score_of_a_part_is_explained_by_that_part(
    in_a_folder: Gallery, album: list[Path]
) -> None:
    crop = png(quarter(album[4]))
    hits = in_a_folder.search(crop, 3)
    assert hits[0].place is not None

    for hit in hits:
        assert score_of(in_a_folder, crop, hit.id).score == pytest.approx(hit.score, abs=1e-4)
    (of_whole,) = [
        hit.score for hit in in_a_folder.search(crop, 12, ranking="plain") if hit.id == hits[0].id
    ]

    why = explain(in_a_folder, crop, hits[0].id)

    assert why.score == pytest.approx(hits[0].score, abs=1e-4)
    assert why.hit.heat.sum() + why.hit.rest == pytest.approx(why.score, abs=1e-4)
    left, top, width, height = why.hit.seen
    assert min(left, top) >= 0.5
    assert max(left + width, top + height) <= 1
    assert why.whole == pytest.approx(of_whole, abs=1e-4)
