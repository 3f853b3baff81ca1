"""The real Milvus, killed: what it acknowledged is there when it comes back.

Only ``make test-milvus`` runs this: it starts servers that listen on every interface.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from kkcv.embedding.embedder import Embedder
from kkcv.errors import GalleryError
from kkcv.search.gallery import Gallery
from tests.milvus_server import real

Paint = Callable[..., Path]
Answer = TypeVar("Answer")
SECONDS = 240.0  # it listens again long before it answers


def test_what_was_acknowledged_before_kill_9_is_there_and_what_was_removed_is_not(
    tmp_path: Path, embedder: Embedder, paint: Paint
) -> None:
    data, files = tmp_path / "milvus", tmp_path / "files"
    data.mkdir()
    with real(data) as server:
        gallery = Gallery.create(f"{server}/g?files={files}", embedder)
        for seed in range(8):
            gallery.add(paint(f"{seed}.png", seed), {"n": seed})
        gallery.replace(4, paint("new.png", 50))
        gallery.describe(5, {"n": 55})
        assert gallery.remove([1, 2, 8]) == [1, 2, 8]
        gallery.close()

    began = time.monotonic()
    with real(data) as server:
        came_back = time.monotonic() - began
        gallery = patiently(lambda: Gallery.open(f"{server}/g?files={files}", embedder))
        hits = patiently(lambda: gallery.search(paint("q.png", 99), k=20))
        print(
            f"it listened after {came_back:.0f} s, answered after {time.monotonic() - began:.0f} s"
        )

        assert sorted(hit.id for hit in hits) == [3, 4, 5, 6, 7]
        assert [picture.id for picture in gallery.pictures()] == [3, 4, 5, 6, 7]
        assert gallery.get(5).metadata == {"n": 55}
        assert gallery.search(paint("new.png", 50), k=1)[0].id == 4
        for seed in (0, 1, 3, 7):  # removed or replaced
            assert gallery.search(paint(f"{seed}.png", seed), k=1)[0].score < 0.9
        assert gallery.add(paint("0.png", 0)).id == 9
        gallery.close()


def patiently(work: Callable[[], Answer]) -> Answer:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return work()
        except GalleryError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
