"""Peculiarities of a gallery on Milvus: an address, a claim to write, limits of the server."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kkcv import extras
from kkcv.embedding.embedder import Embedder
from kkcv.errors import GalleryError, GalleryLocked, MissingExtra, NotAGallery, RequestError
from kkcv.search.engine.tuning import Goal
from kkcv.search.gallery import Gallery
from kkcv.search.maintenance.backup import backup, restore
from kkcv.search.maintenance.doctor import examine
from kkcv.search.milvus.address import parse
from kkcv.search.milvus.lease import CLAIM, taken
from kkcv.search.milvus.server import Server
from kkcv.search.picture import PictureFile
from tests.milvus_server import free_port

Paint = Callable[..., Path]


# Addresses


def test_an_address_is_written_in_one_way() -> None:
    short, long = (
        parse("milvus://Host/photos"),
        parse("milvus://[::1]:7/a_b1?files=/mnt/my%20files"),
    )

    assert str(short) == "milvus://host:19530/photos"
    assert short.server == "http://host:19530"
    assert (long.host, long.port, long.files) == ("::1", 7, Path("/mnt/my files"))
    assert parse(str(long)) == long


def test_files_that_are_added_as_bytes_lie_in_the_users_own_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KKCV_DATA", str(tmp_path))

    assert parse("milvus://host/photos").folder == tmp_path / "milvus" / "host_19530" / "photos"


@pytest.mark.parametrize(
    "text",
    [
        "milvus://host",
        "milvus://host/",
        "milvus:///photos",
        "milvus://host:port/photos",
        "milvus://host:99999/photos",
        "milvus://host/a/b",
        "milvus://host/a__1",
        "milvus://host/1st",
        "milvus://host/a-b",
        "milvus://host/photos?file=/x",
        "milvus://me:secret@host/photos",
        f"milvus://host/{'a' * 101}",
    ],
)
def test_any_other_address_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(
        RequestError,
        match="is not the address of a gallery on Milvus; one is like milvus://localhost",
    ):
        Gallery.open(text)


# Without a server, without pymilvus


def test_where_nobody_answers_it_is_said(embedder: Embedder) -> None:
    address = f"milvus://127.0.0.1:{free_port()}/photos"

    with pytest.raises(GalleryError, match=r"cannot be used \(.*\); is Milvus running there\?"):
        Gallery.open(address, embedder)


def test_without_pymilvus_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda module: None)

    with pytest.raises(MissingExtra, match=r"pip install 'kkcv\[milvus\]'"):
        Gallery.open("milvus://localhost/photos")


# On a server


@pytest.fixture
def gallery(milvus: str, unused: str, tmp_path: Path, embedder: Embedder) -> Gallery:
    with Gallery.create(f"{milvus}/{unused}?files={tmp_path / 'files'}", embedder) as made:
        yield made


def test_what_is_for_folders_says_so_in_one_line(gallery: Gallery, tmp_path: Path) -> None:
    address = gallery.address
    for work, message in (
        (lambda: examine(gallery), f"kkcv doctor is for galleries in folders, and {address} is"),
        (lambda: backup(gallery, tmp_path / "b"), "kkcv backup is for galleries in folders, and"),
        (lambda: restore(tmp_path / "b", address), "kkcv restore is for galleries in folders, and"),
        (lambda: gallery.generation.index.tune(Goal()), "kkcv tune is for galleries in folders"),
    ):
        with pytest.raises(RequestError) as error:
            work()
        assert message in str(error.value)


def test_no_score_is_above_one(gallery: Gallery, paint: Callable[..., Path]) -> None:
    """Vectors in 16 bits are not quite of unit length, and Milvus multiplies them as they are."""
    for seed in range(20):
        gallery.add(paint(f"{seed}.png", seed))

    scores = [gallery.search_id(id, k=20)[0].score for id in range(1, 21)]
    scores += [gallery.search(paint(f"{seed}.png", seed), k=1)[0].score for seed in range(20)]

    assert max(scores) == pytest.approx(1, abs=1e-3)
    assert max(scores) <= 1


def test_a_collection_of_others_is_left_alone(milvus: str, unused: str, embedder: Embedder) -> None:
    address = f"{milvus}/{unused}"
    server = Server(parse(address))
    server.call("create_collection", unused, dimension=4)

    with pytest.raises(NotAGallery, match=f"{unused} is a collection of something else"):
        Gallery.create(address, embedder)

    server.call("drop_collection", unused)
    server.close()


def test_metadata_that_milvus_cannot_hold_are_refused_and_nothing_is_changed(
    gallery: Gallery, paint: Paint
) -> None:
    with pytest.raises(RequestError, match="too long for Milvus, which takes about 30,000 bytes"):
        gallery.add(paint("a.png", 1), {"note": "猫" * 15_000})

    assert len(gallery) == 0
    assert gallery.add(paint("a.png", 1), {"note": "x" * 16_000}).id == 1
    assert gallery.count(f"note == {'x' * 1000!r}") == 0
    assert gallery.count("note.startswith('xxx')") == 1


def test_the_claim_of_a_process_that_died_ends_by_itself(
    gallery: Gallery, paint: Paint, embedder: Embedder
) -> None:
    settings = gallery.catalog.texts
    settings.keep({f"{CLAIM}dead": str(time.time() - 1)})
    assert gallery.add(paint("a.png", 1)).id == 1

    settings.keep({f"{CLAIM}alive": str(time.time() + 60)})
    with (
        Gallery.open(gallery.address, embedder, wait_seconds=0.1) as hasty,
        pytest.raises(GalleryLocked),
    ):
        hasty.remove([1])

    assert len(gallery) == 1


def test_of_two_that_ask_at_once_one_writes_and_then_the_other(gallery: Gallery) -> None:
    """With connections of their own, as on two machines."""
    import threading

    inside, most = 0, 0
    counting = threading.Lock()
    servers = [Server(parse(gallery.address)) for _ in range(3)]

    def work(server: Server) -> None:
        nonlocal inside, most
        settings = type(gallery.catalog.texts)(server, parse(gallery.address).settings)
        for _ in range(2):
            with taken(settings, gallery.address, 60):
                with counting:
                    inside += 1
                    most = max(most, inside)
                time.sleep(0.05)
                with counting:
                    inside -= 1

    threads = [threading.Thread(target=work, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for server in servers:
        server.close()

    assert (most, inside) == (1, 0)


@pytest.mark.slow
def test_a_filter_that_keeps_few_of_many_is_exact(gallery: Gallery) -> None:
    """Also where what is left is the farthest of all: Milvus itself does not look there."""
    count, dim = 12_000, 48
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(count, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for start in range(0, count, 4000):
        with gallery.catalog.writing() as writer:
            for n in range(start, start + 4000):
                file = PictureFile(f"/{n}", False, n.to_bytes(32, "big"), n, 1)
                writer.add(file, vectors[n], {"n": n, "tenth": n % 10})

    for n in generator.integers(0, count, 20).tolist():
        alone = gallery.search_vector(-vectors[n], where=f"n == {n}")
        assert [hit.metadata["n"] for hit in alone] == [n]
        assert gallery.search_vector(vectors[n], 1)[0].metadata["n"] == n
    hits = gallery.search_vectors(-vectors[:20], 10, where="tenth == 3")
    for query, each in zip(-vectors[:20], hits, strict=True):
        best = np.sort(vectors[3::10] @ query)[::-1][:10]
        assert [hit.score for hit in each] == pytest.approx(best.tolist(), abs=1e-3)


@pytest.mark.slow
def test_answers_are_full_and_right_in_a_gallery_of_bursts(gallery: Gallery) -> None:
    """Many shots of each moment, and queries that show something else; k up to the limit."""
    count, dim = 12_000, 48
    generator = np.random.default_rng(0)
    moments = generator.normal(size=(count // 20, dim)).repeat(20, axis=0)
    vectors = (moments + 0.1 * generator.normal(size=moments.shape)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    for start in range(0, count, 4000):
        with gallery.catalog.writing() as writer:
            for n in range(start, start + 4000):
                file = PictureFile(f"/{n}", False, n.to_bytes(32, "big"), n, 1)
                writer.add(file, vectors[n], {"half": n % 2})
    queries = generator.normal(size=(30, dim)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)

    def recalls(k: int, where: str | None = None) -> np.ndarray:
        allowed = vectors[1::2] if where else vectors
        answers = gallery.search_vectors(queries, k, where=where)
        assert all(len(hits) == k for hits in answers)
        least = np.sort(queries @ allowed.T, axis=1)[:, -k]
        scores = np.array([[hit.score for hit in hits] for hits in answers])
        return np.sort((scores >= least[:, None] - 1e-3).mean(axis=1))

    gallery.generation.index.rebuild()  # as kkcv index does; then the server builds and loads it
    deadline = time.monotonic() + 120
    while recalls(10).mean() < 0.99 and time.monotonic() < deadline:
        time.sleep(1)

    for k, where in ((10, None), (100, None), (1000, None), (100, "half == 1")):
        found = recalls(k, where)
        assert found.mean() >= 0.99
        assert found[:3].mean() >= 0.9
