"""The pictures of an answer, as the page shows them."""

import os
import shutil
from pathlib import Path

from PIL import Image, ImageOps

from kkcv.client import Client
from kkcv.embedding.embedder import Embedder
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.web.galleries.local_library import LocalLibrary
from kkcv.web.galleries.remote_library import RemoteLibrary
from kkcv.web.search.results import tiles_of
from kkcv.web.strings import Strings
from tests.serve.conftest import running


def test_a_hit_without_its_file_says_so_beside_its_thumbnail(
    album: list[Path], tmp_path: Path, embedder: Embedder
) -> None:
    photo = Path(shutil.copy(album[0], tmp_path))
    with Gallery.create(tmp_path / "gallery", embedder) as gallery:
        import_pictures(gallery, [photo])
        library, text = LocalLibrary(gallery), Strings("en")
        (there,) = tiles_of(text, library, gallery.search(photo, 1))
        query = photo.read_bytes()
        photo.unlink()
        (gone,) = tiles_of(text, library, gallery.search(query, 1))
        (unseen,) = tiles_of(text, LocalLibrary(gallery), gallery.search(query, 1))

    assert "File missing" not in (there.note or "")
    assert gone.src == there.src
    assert gone.note is not None
    assert gone.note.startswith("File missing")
    assert unseen.src is None  # the page says so in its place
    assert "File missing" not in (unseen.note or "")


def test_a_copy_says_what_was_done_to_it(
    album: list[Path], tmp_path: Path, embedder: Embedder
) -> None:
    with Image.open(album[0]) as picture:
        changed = ImageOps.mirror(picture).transpose(Image.Transpose.ROTATE_270)
    changed.save(tmp_path / "changed.png")
    with Gallery.create(tmp_path / "gallery", embedder) as gallery:
        import_pictures(gallery, album[:1])
        hits = gallery.search(tmp_path / "changed.png", 1, copies=True)
        (tile,) = tiles_of(Strings("en"), LocalLibrary(gallery), hits)

    assert tile.note == "almost certain · mirrored · turned by 90° clockwise"


def test_a_name_that_is_not_utf8_is_shown_here_and_behind_a_service(
    album: list[Path], tmp_path: Path, embedder: Embedder
) -> None:
    odd = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    shutil.copy(album[0], odd)
    with Gallery.create(tmp_path / "gallery", embedder) as gallery:
        import_pictures(gallery, [os.fsdecode(odd)])
        here = LocalLibrary(gallery)
        shown = tiles_of(Strings("en"), here, here.page(1))
    with running(tmp_path / "gallery") as service:
        there = RemoteLibrary(Client(service.address))
        assert [os.fsencode(entry.path) for entry in there.page(1)] == [odd]
        assert tiles_of(Strings("en"), there, there.page(1)) == shown

    assert [tile.name for tile in shown] == [r"caf\udce9.jpg"]
    assert shown[0].title.encode()
