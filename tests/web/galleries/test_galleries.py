"""The promises of a library to the pages, kept by a gallery and by a service."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from kkcv.client import Client
from kkcv.embedding.embedder import Embedder
from kkcv.errors import RequestError, UnknownPicture
from kkcv.hit import Hit
from kkcv.images.source import read_bytes
from kkcv.query import Like, Region
from kkcv.search.gallery import Gallery
from kkcv.search.options import DEFAULTS, SearchOptions
from kkcv.web.galleries import remote_library
from kkcv.web.galleries.library import Library, name_of
from kkcv.web.galleries.local_library import LocalLibrary
from kkcv.web.galleries.remote_library import RemoteLibrary
from tests.serve.conftest import running


@pytest.fixture(scope="module")
def local(
    made_gallery: Path, tmp_path_factory: pytest.TempPathFactory, embedder: Embedder
) -> Iterator[LocalLibrary]:
    folder = shutil.copytree(made_gallery, tmp_path_factory.mktemp("local") / "gallery")
    with Gallery.open(folder, embedder) as gallery:
        yield LocalLibrary(gallery)


@pytest.fixture(scope="module")
def remote(made_gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteLibrary]:
    folder = shutil.copytree(made_gallery, tmp_path_factory.mktemp("remote") / "gallery")
    with running(Path(folder)) as service:
        yield RemoteLibrary(Client(service.address))


@pytest.fixture(params=["local", "remote"])
def library(request: pytest.FixtureRequest) -> Library:
    """Twelve pictures; a test leaves them as it found them."""
    found: Library = request.getfixturevalue(request.param)
    assert found.count() == 12
    return found


def test_a_picture_finds_itself_and_its_other_sizes(library: Library, album: list[Path]) -> None:
    found = library.search([Like(album[7].read_bytes())], 3, DEFAULTS)

    assert {library.get(hit.id).path for hit in found} == {str(path) for path in album[6:9]}
    assert found[0].score > 0.99


def test_a_search_is_bounded_by_filter_and_score(library: Library, album: list[Path]) -> None:
    likes = [Like(album[7].read_bytes())]

    assert len(library.search(likes, 12, SearchOptions(where=f'path == "{album[6]}"'))) == 1
    assert len(library.search(likes, 12, SearchOptions(min_score=0.95))) == 3


def test_a_region_and_a_wish_change_the_answer(library: Library, album: list[Path]) -> None:
    content = album[0].read_bytes()
    whole = library.search([Like(content)], 12, DEFAULTS)
    part = library.search([Like(content, region=Region(0.5, 0.5, 0.4, 0.4))], 12, DEFAULTS)
    last = whole[-1].id
    wished = library.search([Like(content), Like(last, 2.0)], 12, DEFAULTS)

    assert part[0].score < whole[0].score
    assert last not in [hit.id for hit in wished]
    assert library.get(wished[0].id).path.rpartition("/")[0] != str(album[0].parent)


def test_all_pictures_are_listed_page_by_page(library: Library, album: list[Path]) -> None:
    first = library.page(7)
    second = library.page(7, first[-1].id)

    assert (len(first), len(second)) == (7, 5)
    assert {entry.path for entry in first + second} == {str(path) for path in album}
    assert library.page(7, second[-1].id) == []


def test_pictures_to_begin_with_are_from_all_over_the_library(library: Library) -> None:
    ids = [entry.id for entry in library.page(12)]

    assert [entry.id for entry in library.spread(4)] == [ids[0], ids[4], ids[7], ids[11]]
    assert [entry.id for entry in library.spread(100)] == ids
    starters = library.starters(12)
    assert starters[0].id == ids[0]
    assert {entry.id for entry in starters} == set(ids)


def test_files_and_thumbnails_are_those_of_the_pictures(
    library: Library, album: list[Path]
) -> None:
    entry = next(e for e in library.page(12) if e.path == str(album[3]))

    assert library.file(entry.id) == album[3].read_bytes()
    (small,) = library.thumbnails([entry])
    assert small is not None
    assert small.startswith(b"\xff\xd8")


def test_more_pictures_than_a_request_may_name_are_removed(
    remote: RemoteLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_library, "MAX_CHOSEN", 2)
    squares = [Image.new("RGB", (64, 64), color) for color in ("red", "green", "blue")]
    added = [remote.client.add(read_bytes(square)).id for square in squares]

    removed = remote.remove(added)

    assert (removed.pictures, remote.count()) == (3, 12)
    assert removed.undo is not None
    assert removed.undo() == 1  # the last request
    assert remote.remove(added[-1:]).pictures == 1


def test_an_upload_is_added_described_removed_and_brought_back(
    library: Library, stranger: Path
) -> None:
    content = stranger.read_bytes()
    assert library.add(content, "cat.jpg")
    assert not library.add(content, "again.jpg")
    (hit,) = library.search([Like(content)], 1, DEFAULTS)
    library.describe({hit.id: {"name": "cat.jpg", "label": "cat"}})
    assert library.get(hit.id).metadata == {"name": "cat.jpg", "label": "cat"}

    removed = library.remove([hit.id, 10**9])

    assert removed.pictures == 1
    with pytest.raises(UnknownPicture):
        library.get(hit.id)
    assert removed.undo is not None
    assert removed.undo() == 1
    (back,) = library.search([Like(content)], 1, DEFAULTS)
    assert back.id == hit.id
    assert library.get(back.id).metadata == {"name": "cat.jpg", "label": "cat"}
    assert library.file(back.id) == content
    library.remove([back.id])


def test_a_gallery_here_takes_back_the_last_change_and_no_later_one_of_others(
    local: LocalLibrary,
) -> None:
    before, rows = local.page(12), local.gallery.page(12)
    labels = {entry.id: {"label": "cat"} for entry in before[:2]}

    described = local.describe(labels)
    assert described.undo is not None
    assert described.undo() == 2
    assert local.page(12) == before

    described, removed = local.describe(labels), local.remove([before[5].id])
    assert described.undo is not None
    assert removed.undo is not None
    with pytest.raises(RequestError, match="of other pictures"):
        described.undo()
    assert removed.undo() == 1

    described, removed = local.describe(labels), local.remove(list(labels))  # the same pictures
    assert described.undo is not None
    assert removed.undo is not None
    with pytest.raises(RequestError, match="of other pictures"):
        described.undo()
    assert removed.undo() == 2
    local.describe({entry.id: entry.metadata for entry in before[:2]})
    assert local.page(12) == before
    assert local.gallery.page(12) == rows  # with their ids, and when they were added


def test_pictures_are_asked_for_together_and_the_removed_are_left_out(library: Library) -> None:
    entries = library.page(12)
    wanted = [entries[3].id, 10**9, entries[0].id]

    found = library.get_many(wanted)

    assert found == [entries[3], entries[0]]


def test_a_hit_shows_a_picture_without_another_question(
    library: Library, album: list[Path]
) -> None:
    hits = library.search([Like(album[3].read_bytes())], 3, SearchOptions())
    entries = {entry.id: entry for entry in library.page(12)}

    for hit in hits:
        assert hit.path == entries[hit.id].path
        assert name_of(hit) == name_of(entries[hit.id])
    assert library.thumbnails(hits) == library.thumbnails([entries[hit.id] for hit in hits])


def test_a_blank_name_is_none() -> None:
    for blank in ("", " ", None):
        assert name_of(Hit(1, 1.0, "/pictures/cat.jpg", {"name": blank})) == "cat.jpg"


def test_its_figures_are_those_of_the_gallery(library: Library) -> None:
    facts = library.facts()

    assert (facts["pictures"], facts["network"]) == (12, library.model.network)
