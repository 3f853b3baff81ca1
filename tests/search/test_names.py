"""Names of files are bytes: whatever they are, a picture is found, kept and told by its own."""

import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from kkcv.errors import GalleryError, RequestError
from kkcv.search.exchange.loading import import_parquet
from kkcv.search.exchange.parquet import export
from kkcv.search.filters.conditions import StartsWith
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.picture import PictureFile, as_path, as_text
from kkcv.serve.app import create_app
from kkcv.serve.service import Service
from kkcv.serve.settings import Settings

NAMES = st.binary(min_size=1, max_size=40).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b"..")
)


def paths() -> st.SearchStrategy[str]:
    folders = st.lists(NAMES, min_size=1, max_size=4)
    return folders.map(lambda parts: os.fsdecode(b"/" + b"/".join(parts)))


@given(paths(), paths())
def test_each_path_has_a_text_of_its_own(path: str, other: str) -> None:
    assert as_path(as_text(path)) == path
    assert as_text(path).encode().decode() == as_text(path)
    assert (as_text(path) == as_text(other)) == (path == other)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(paths(), min_size=1, max_size=12, unique=True))
def test_a_catalog_keeps_every_path(gallery: Gallery, some: list[str]) -> None:
    vector = gallery.embedder.embed_row(picture())
    with gallery.catalog.writing() as writer:
        old = [p.id for p in writer.pictures()]
        for id in old:
            writer.remove(id)
        ids = {
            path: writer.add(PictureFile(path, False, bytes(32), 1, 1), vector, {}) for path in some
        }
    folder = os.path.dirname(some[0])

    with gallery.catalog.reading() as rows:
        assert {path: rows.by_path(path).id for path in some} == ids
        assert sorted(p.file.path for p in rows.pictures()) == sorted(some)
        below = [path for path in some if path.startswith(folder)]
        assert rows.ids(StartsWith(("path",), folder)).tolist() == sorted(ids[p] for p in below)
        shown = rows.shown(rows.ids())
    assert {path for path, _ in shown.values()} == set(some)


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 40), "teal").save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def odd(tmp_path: Path) -> str:
    """A file in a folder, neither with a name in UTF-8."""
    folder = os.fsencode(tmp_path) + b"/photos/\xc0lbum"
    os.makedirs(folder)
    file = folder + b"/caf\xe9.png"
    with open(file, "wb") as out:
        out.write(picture())
    return os.fsdecode(file)


@pytest.fixture(params=["sqlite", "milvus"])
def address(request: pytest.FixtureRequest, tmp_path: Path, unused: str) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "gallery")
    return f"{request.getfixturevalue('milvus')}/{unused}?files={tmp_path / 'files'}"


def test_every_engine_has_them(address: str, embedder: object, odd: str) -> None:
    with Gallery.create(address, embedder) as gallery:
        report = import_pictures(gallery, [Path(odd).parent.parent])
        again = import_pictures(gallery, [Path(odd).parent.parent])
        hit = gallery.search(odd, 1)[0]

        assert (report.added, again.unchanged, report.rejected) == (1, 1, [])
        assert (hit.path, hit.missing, gallery.find(odd).id) == (odd, False, hit.id)
        folder = os.path.dirname(odd)
        for where in (
            f'path == "{odd}"',
            f'path in ["{odd}", "b"]',
            f'path.startswith("{folder}/")',
            f'path != "{folder}"',
        ):
            assert gallery.count(where) == 1, where
        assert gallery.count(f'path == "{odd}x" or label == "\udce9" or "\udce9" in tags') == 0
        with pytest.raises(RequestError, match="keys of the metadata are UTF-8"):
            gallery.count('meta["\udce9"] == 1')


def test_parquet_has_them(gallery: Gallery, odd: str, tmp_path: Path) -> None:
    import_pictures(gallery, [odd])

    export(gallery, tmp_path / "photos.parquet")
    import_parquet(tmp_path / "other", tmp_path / "photos.parquet")

    with Gallery.open(tmp_path / "other", gallery.embedder) as other:
        assert [str(other.path(each)) for each in other] == [odd]


def test_the_service_tells_them(gallery: Gallery, odd: str) -> None:
    import_pictures(gallery, [odd])

    answer = create_app(Service(gallery, Settings())).test_client().get("/v1/images")

    assert json.loads(answer.data)["pictures"][0]["path"] == odd


def test_a_gallery_itself_has_a_name_in_utf8(tmp_path: Path, embedder: object) -> None:
    with pytest.raises(GalleryError, match=r"the path of a gallery must be UTF-8"):
        Gallery.create(os.fsdecode(os.fsencode(tmp_path) + b"/g\xff"), embedder)
