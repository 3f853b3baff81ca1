"""Roots on Milvus: one folder is one there too, and what was done to many can be undone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from kkcv.embedding.embedder import Embedder
from kkcv.errors import RequestError
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.library.absence import removable
from kkcv.search.library.moving import moved_by_hand

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

    gallery.describe_many({id: {"label": f"of {id}"} for id in ids})
    before = list(gallery.pictures())
    vectors = dict(zip(*gallery.vectors(), strict=True))

    assert gallery.forget_root(photos) == 3
    assert len(gallery) == 0
    assert gallery.undo().pictures == 3
    assert list(gallery.pictures()) == before
    for id, vector in zip(*gallery.vectors(), strict=True):
        np.testing.assert_array_equal(vector, vectors[id])
    assert [root.place.path for root in gallery.roots()] == [str(photos)]
    assert gallery.search(photos / "1.png", k=1)[0].path == str(photos / "1.png")
    with pytest.raises(RequestError, match="there is nothing to undo"):
        gallery.undo()


def test_each_change_of_many_takes_the_place_of_the_one_before(
    on_milvus: Gallery, paint: Paint
) -> None:
    gallery = on_milvus
    import_pictures(gallery, [paint(f"{seed}.png", seed) for seed in range(4)])
    gallery.describe_many({1: {"label": "a"}, 2: {"label": "b"}})
    gallery.remove([3, 4])
    gallery.add(paint("5.png", 5))

    assert (gallery.undo().what, len(gallery)) == ("removed", 5)

    gallery.describe_many({1: {"label": "c"}, 2: {"label": "d"}})
    assert (gallery.undo().what, gallery.get(1).metadata) == ("described", {"label": "a"})
    server = gallery.catalog.server
    kept = f"{server.address.name}__undo_"
    assert not [name for name in server.call("list_collections") if name.startswith(kept)]
