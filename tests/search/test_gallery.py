"""The gallery: what goes in is found, what goes out is not, and nothing acknowledged is lost."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np
import pytest
from PIL import Image

from kkcv.checkpoint import Checkpoint
from kkcv.embedding.embedder import Embedder
from kkcv.errors import (
    EmbedderMismatch,
    GalleryFormatError,
    GalleryLocked,
    NotAGallery,
    PictureError,
    RequestError,
    UnknownPicture,
)
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.search.folder.catalog import Catalog
from kkcv.search.gallery import Gallery

from .conftest import PREPROCESS

Paint = Callable[..., Path]


def test_a_picture_is_its_own_nearest_neighbor(gallery: Gallery, paint: Paint) -> None:
    added = [gallery.add(paint(f"{seed}.png", seed)) for seed in range(20)]

    for seed, picture in enumerate(added):
        first = gallery.search(paint(f"{seed}.png", seed), k=1)[0]

        assert first.id == picture.id
        assert first.score == pytest.approx(1, abs=1e-3)
        assert Path(first.path).read_bytes() == paint(f"{seed}.png", seed).read_bytes()


def test_scores_are_the_cosine_similarity_of_the_embeddings(
    gallery: Gallery, paint: Paint, embedder: Embedder
) -> None:
    paths = [paint(f"{seed}.png", seed) for seed in range(12)]
    ids = [gallery.add(path).id for path in paths]
    query = paint("query.png", 99)

    hits = gallery.search(query, k=12)

    vectors = np.array([embedder.embed_picture(path) for path in paths])
    truth = dict(zip(ids, vectors @ embedder.embed_picture(query), strict=True))
    assert [h.id for h in hits] == sorted(truth, key=truth.__getitem__, reverse=True)
    assert [h.score for h in hits] == pytest.approx([truth[h.id] for h in hits], abs=1e-3)


@pytest.mark.parametrize("vectors", ["float16", "float32"])
def test_what_is_stored_is_found_again_after_reopening(
    tmp_path: Path, embedder: Embedder, paint: Paint, vectors: str
) -> None:
    with Gallery.create(tmp_path / "g", embedder, vectors=vectors) as gallery:
        picture = gallery.add(paint("a.png", 1), {"title": "猫"})

    with Gallery.open(tmp_path / "g", embedder) as again:
        hit = again.search(paint("a.png", 1))[0]

    assert (hit.id, hit.metadata) == (picture.id, {"title": "猫"})


def test_an_empty_gallery_answers_nothing(gallery: Gallery, paint: Paint) -> None:
    assert gallery.search(paint("a.png"), k=5) == []


def test_more_hits_than_pictures_are_all_pictures(gallery: Gallery, paint: Paint) -> None:
    gallery.add(paint("a.png", 1))
    gallery.add(paint("b.png", 2))

    assert len(gallery.search(paint("a.png", 1), k=1000)) == 2


@pytest.mark.parametrize("k", [0, -1, 1001, 2.5, True, "ten"])
def test_a_senseless_k_is_refused(gallery: Gallery, paint: Paint, k: object) -> None:
    with pytest.raises(RequestError, match="k must be a whole number from 1 to 1000, got"):
        gallery.search(paint("a.png"), k)  # type: ignore[arg-type]


def test_the_same_bytes_twice_are_one_picture(gallery: Gallery, paint: Paint) -> None:
    first = gallery.add(paint("a.png", 1), {"n": 1})

    again = gallery.add(paint("a.png", 1).read_bytes(), {"n": 2})

    assert again == first
    assert len(gallery) == 1


def test_a_file_beyond_the_usual_limit_can_be_read_again(gallery: Gallery, tmp_path: Path) -> None:
    large = tmp_path / "large.bmp"
    Image.new("RGB", (4800, 4700)).save(large)
    most = Limits(max_bytes=large.stat().st_size)
    assert most.max_bytes > DEFAULT_LIMITS.max_bytes

    picture = gallery.add(large, limits=most)

    assert gallery.read(picture) == large.read_bytes()


def test_a_removed_picture_is_not_found_and_its_id_never_comes_back(
    gallery: Gallery, paint: Paint
) -> None:
    picture = gallery.add(paint("a.png", 1))
    file = gallery.path(picture)

    assert gallery.remove([picture.id, 77]) == [picture.id]

    assert gallery.search(paint("a.png", 1)) == []
    assert not file.exists()
    with pytest.raises(UnknownPicture, match=f"no picture with id {picture.id} in"):
        gallery.get(picture.id)
    assert gallery.add(paint("a.png", 1)).id > picture.id


def test_a_removal_is_done_though_the_disk_refuses_to_delete_the_file(
    gallery: Gallery,
    paint: Paint,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    picture = gallery.add(paint("a.png", 1))

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(5, os.strerror(5))

    monkeypatch.setattr(Path, "unlink", refuse)

    assert gallery.remove([picture.id]) == [picture.id]
    assert gallery.search(paint("a.png", 1)) == []
    assert "a removed picture's file was not deleted ([Errno 5] Input/output error)" in caplog.text


def test_another_open_gallery_sees_each_change_at_its_next_search(
    gallery: Gallery, paint: Paint, embedder: Embedder
) -> None:
    with Gallery.open(gallery.folder, embedder) as reader:
        picture = gallery.add(paint("a.png", 1))
        assert [hit.id for hit in reader.search(paint("a.png", 1))] == [picture.id]

        gallery.remove([picture.id])
        assert reader.search(paint("a.png", 1)) == []


def test_pictures_added_by_many_threads_are_all_found(gallery: Gallery, paint: Paint) -> None:
    paths = [paint(f"{seed}.png", seed) for seed in range(24)]
    added: dict[Path, int] = {}

    def work(mine: list[Path]) -> None:
        for path in mine:
            added[path] = gallery.add(path).id
            gallery.search(path, k=3)

    threads = [threading.Thread(target=work, args=(paths[i::4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {path: gallery.search(path, k=1)[0].id for path in paths} == added


def test_similar_to_one_of_the_gallery_leaves_itself_out(gallery: Gallery, paint: Paint) -> None:
    ids = [gallery.add(paint(f"{seed}.png", seed)).id for seed in range(5)]

    hits = gallery.search_id(ids[2], k=4)

    assert sorted(hit.id for hit in hits) == sorted(set(ids) - {ids[2]})


def test_bytes_that_are_no_picture_change_nothing(gallery: Gallery) -> None:
    with pytest.raises(PictureError):
        gallery.add(b"no picture at all")

    assert len(gallery) == 0
    assert not list(gallery.folder.glob("pictures/*/*"))


def test_vectors_of_another_network_are_refused_and_both_are_named(
    gallery: Gallery, embedder: Embedder
) -> None:
    other = Embedder(Checkpoint("other", "other", None, PREPROCESS), runtime="grid")

    with pytest.raises(EmbedderMismatch) as caught:
        Gallery.open(gallery.folder, other)

    message = str(caught.value)
    assert f"was made by grid ({embedder.space.fingerprint})" in message
    assert f"this is other ({other.space.fingerprint})" in message
    assert "network grid here, other there" in message


def test_a_folder_without_a_catalog_is_no_gallery(tmp_path: Path) -> None:
    with pytest.raises(NotAGallery, match="is not a gallery; to make one: kkcv index"):
        Gallery.open(tmp_path)


def test_a_damaged_catalog_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "catalog.sqlite").write_bytes(b"no database" * 100)

    with pytest.raises(GalleryFormatError, match="is damaged or no catalog of kkcv"):
        Gallery.open(tmp_path)


def test_a_gallery_of_a_newer_kkcv_is_refused(gallery: Gallery) -> None:
    connection = apsw.Connection(str(gallery.folder / "catalog.sqlite"))
    connection.execute("UPDATE settings SET value = '99' WHERE name = 'format'")
    connection.close()

    with pytest.raises(GalleryFormatError, match="has format 99, this kkcv reads up to 5"):
        Gallery.open(gallery.folder)


def test_a_writer_waits_for_its_turn_and_then_says_so(gallery: Gallery, paint: Paint) -> None:
    other = apsw.Connection(str(gallery.folder / "catalog.sqlite"))
    other.execute("BEGIN IMMEDIATE")

    with (
        Gallery.open(gallery.folder, gallery.embedder, wait_seconds=0.2) as hasty,
        pytest.raises(GalleryLocked, match=r"another process has been writing to .* 0.2 s"),
    ):
        hasty.add(paint("a.png", 1))

    other.execute("ROLLBACK")
    other.close()
    assert gallery.add(paint("a.png", 1)).id == 1


def test_a_vector_that_rotted_on_disk_is_left_out_with_a_warning(
    gallery: Gallery, paint: Paint, embedder: Embedder, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = gallery.add(paint("a.png", 1)), gallery.add(paint("b.png", 2))
    connection = apsw.Connection(str(gallery.folder / "catalog.sqlite"))
    connection.execute("UPDATE pictures SET vector = zeroblob(96) WHERE id = ?", (bad.id,))
    connection.close()

    with Gallery.open(gallery.folder, embedder) as again:
        hits = again.search(paint("b.png", 2))

    assert [hit.id for hit in hits] == [good.id]
    assert f"the vector of picture {bad.id} is damaged" in caplog.text


WRITER = """
    import sys
    import numpy as np
    from pathlib import Path
    from kkcv.search.folder.catalog import Catalog
    from kkcv.search.picture import PictureFile

    catalog = Catalog.create(Path(sys.argv[1]), {"vectors": "float32", "dim": "4"})
    for n in range(10**6):
        with catalog.writing() as writer:
            file = PictureFile(f"/{n}", False, n.to_bytes(32, "big"), 1, 1)
            id = writer.add(file, np.full(4, n, np.float32), {})
            if n % 3 == 0:
                writer.remove(id)
        print(n, flush=True)
"""


def test_what_was_acknowledged_before_kill_9_is_there_afterwards(tmp_path: Path) -> None:
    """Every third picture was removed again in its own transaction."""
    for round in range(3):
        folder = tmp_path / str(round)
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), str(folder)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(50 * (round + 1))]
        os.kill(process.pid, signal.SIGKILL)
        acknowledged += [int(line) for line in process.stdout.read().split()]
        process.wait()
        process.stdout.close()

        with Catalog(folder).reading() as rows:
            there = {int(p.file.path[1:]): rows.vector(p.id) for p in rows.pictures()}

        kept = [n for n in acknowledged if n % 3]
        assert set(kept) <= set(there)
        assert not [n for n in there if n % 3 == 0]
        assert all((there[n] == n).all() for n in kept)
