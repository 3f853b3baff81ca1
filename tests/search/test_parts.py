"""A gallery with ``+parts`` finds pictures by a part of them, and keeps parts through its life."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kkcv.embedding import windows
from kkcv.embedding.embedder import Embedder
from kkcv.errors import RequestError
from kkcv.images.decode import decode
from kkcv.images.source import read_bytes
from kkcv.search.exchange.loading import import_parquet
from kkcv.search.exchange.parquet import export
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.maintenance.doctor import examine
from kkcv.search.maintenance.reindex import reindex, undo
from kkcv.search.milvus.engine import MilvusEngine

MODEL = "efficientnet_lite0+parts"


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.load(MODEL)


@pytest.fixture(scope="module")
def album(pictures: Path) -> list[Path]:
    """Twelve different photographs."""
    return sorted((pictures / "imagenet_sample_300").glob("*.JPEG"))[:12]


@pytest.fixture
def gallery(tmp_path: Path, embedder: Embedder, album: list[Path]) -> Iterator[Gallery]:
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


def test_a_built_index_of_parts_finds_what_comparing_all_finds(
    gallery: Gallery, album: list[Path]
) -> None:
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


def test_a_gallery_is_given_parts_later_and_loses_them_again(
    tmp_path: Path, album: list[Path], embedder: Embedder
) -> None:
    query = png(quarter(album[0]))
    with Gallery.create(tmp_path / "plain") as plain:
        import_pictures(plain, album)
        vectors = plain.search(album[0], 3)
        reindex(plain, embedder)

        assert plain.search(query, 1)[0].place is not None

        undo(plain)

        assert plain.search(query, 1)[0].place is None
        assert plain.search(album[0], 3) == vectors


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


def test_milvus_says_that_it_keeps_no_parts() -> None:
    with pytest.raises(RequestError) as error:
        MilvusEngine.create("milvus://127.0.0.1:1/pictures", {"space": '{"parts": "5x256"}'})

    assert str(error.value) == "parts of pictures (+parts) are for galleries in folders, not Milvus"
