"""Roots on Milvus: one folder is one there too, and what Milvus cannot do it says."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kkcv.embedding.embedder import Embedder
from kkcv.errors import RequestError
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.library.absence import removable
from kkcv.search.library.forgetting import forget
from kkcv.search.library.moving import moved_by_hand
from kkcv.search.maintenance.undo import undo

from .test_roots import counts

Paint = Callable[..., Path]


@pytest.fixture
def on_milvus(milvus: str, unused: str, tmp_path: Path, embedder: Embedder) -> Iterator[Gallery]:
    with Gallery.create(f"{milvus}/{unused}?files={tmp_path / 'files'}", embedder) as made:
        yield made


def test_a_library_on_milvus_lives_as_in_a_folder(
    on_milvus: Gallery, paint: Paint, tmp_path: Path
) -> None:
    gallery, photos = on_milvus, tmp_path / "photos"
    for seed in range(4):
        paint(f"{seed}.png", seed)
    (tmp_path / "link").symlink_to(photos)

    assert counts(import_pictures(gallery, [photos], exclude=["3.*"])) == {"added": 3}
    assert counts(import_pictures(gallery, [tmp_path / "link"])) == {"unchanged": 3}

    ids = {p.id for p in gallery.pictures()}
    renamed = photos.rename(tmp_path / "renamed")
    assert counts(import_pictures(gallery, [renamed])) == {"moved": 3}
    assert {p.id for p in gallery.pictures()} == ids

    renamed.rename(photos)
    with pytest.raises(RequestError, match="is unreachable"):
        removable(gallery.library, gallery.pictures())
    assert moved_by_hand(gallery.library, str(renamed), str(photos)) == 3
    assert removable(gallery.library, gallery.pictures()) == []
    assert gallery.search(photos / "1.png", k=1)[0].path == str(photos / "1.png")

    assert forget(gallery.library, str(photos)) == 3
    assert len(gallery) == 0
    with pytest.raises(RequestError, match="kkcv undo is for galleries in folders"):
        undo(gallery)
