"""The pages without a browser: the states that are hard to click one's way to."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from kkcv.embedding.embedder import Embedder
from kkcv.search.gallery import Gallery
from kkcv.web import app, library_page, session
from kkcv.web.asking import Question
from kkcv.web.strings import Strings

ENGLISH = Strings("en")


@pytest.fixture
def folder(
    made_gallery: Path, tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A gallery that the page is started for."""
    folder = Path(shutil.copytree(made_gallery, tmp_path / "gallery"))
    monkeypatch.setenv("KKCV_GALLERY", str(folder))
    session.open_gallery.clear()
    session.thumbnails.clear()
    session.open_gallery()._embedder = embedder  # loaded once for all tests
    yield folder
    session.open_gallery().close()
    session.open_gallery.clear()


def page(**query: str) -> AppTest:
    """The search page of a new visitor, drawn."""
    test = AppTest.from_file(str(app.__file__), default_timeout=60)
    for name, value in query.items():
        test.query_params[name] = value
    return test.run()


def library() -> AppTest:
    """The library, drawn by itself: AppTest follows no links between pages that are functions."""

    def script() -> None:
        from kkcv.web.app import guarded
        from kkcv.web.library_page import library_page

        guarded(library_page)()

    return AppTest.from_function(script, default_timeout=60).run()


def errors(test: AppTest) -> list[str]:
    assert not test.exception
    return [error.value for error in test.error]


def upload(test: AppTest, name: str, data: bytes) -> None:
    test.file_uploader[0].upload(name, data, "application/octet-stream").run()


def test_an_empty_gallery_says_what_to_do(
    tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    Gallery.create(tmp_path / "empty", embedder).close()
    monkeypatch.setenv("KKCV_GALLERY", str(tmp_path / "empty"))
    session.open_gallery.clear()

    test = page()

    assert errors(test) == []
    assert test.markdown[0].value == f"### {ENGLISH('empty.title')}"
    assert test.code[0].value == f"kkcv index {tmp_path / 'empty'} ~/Pictures"
    session.open_gallery.clear()


def test_a_picture_that_is_no_picture_is_refused_in_the_page(folder: Path) -> None:
    test = page()

    upload(test, "my_notes [1].txt", b"hello world")

    assert errors(test) == [f"**my\\_notes \\[1\\]\\.txt** — {ENGLISH('reason.not-an-image')}"]


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("generated/zero_byte.jpg", "empty"),
        ("generated/photo_truncated_half.jpg", "truncated"),
        ("generated/huge_40000x40000_1bit.png", "too-many-pixels"),
        ("corrupt/broken.png", "corrupt"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_reason_is_told_in_both_languages(
    folder: Path, pictures: Path, file: str, reason: str, language: str
) -> None:
    test = page(lang=language)

    upload(test, "x", (pictures / "nasty" / file).read_bytes())

    assert errors(test) == [f"**x** — {Strings(language)(f'reason.{reason}')}"]


def test_a_picture_that_has_been_removed_leads_back(folder: Path, album: list[Path]) -> None:
    """Another process takes out the picture that this visitor searches with."""
    test = page()
    upload(test, "x.jpg", album[0].read_bytes())
    gallery = session.open_gallery()
    first = gallery.page(1)[0].id
    with_picture(test, gallery, first)
    gallery.remove([first])

    test.run()

    assert errors(test) == []
    assert f"##### {ENGLISH('search.found', count=11, total=11)}" in values(test)


def with_picture(test: AppTest, gallery: Gallery, id: int) -> None:
    """What a click on a hit does, which only a browser can do."""
    picture = gallery.get(id)
    question = Question(gallery.path(picture).name, None, id=id)
    test.session_state["questions"] = [*test.session_state["questions"], question]
    test.run()


def values(test: AppTest) -> list[str]:
    return [markdown.value for markdown in test.markdown]


def test_a_gallery_of_one_picture_has_nothing_to_choose(folder: Path, album: list[Path]) -> None:
    gallery = session.open_gallery()
    gallery.remove([picture.id for picture in gallery.page(11)])

    test = page()
    upload(test, "x.jpg", album[0].read_bytes())

    assert errors(test) == []
    assert len(test.slider) == 0
    assert f"##### {ENGLISH('search.found', count=1, total=1)}" in values(test)


def test_a_failure_is_a_message_and_never_a_traceback(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Gallery) -> int:
        raise RuntimeError("the password is 1234")

    monkeypatch.setattr(Gallery, "__len__", fail)

    for test in (page(), library()):
        assert errors(test) == [ENGLISH("page.failed")]


def test_a_gallery_that_cannot_be_opened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KKCV_GALLERY", str(tmp_path))
    session.open_gallery.clear()

    assert f"{tmp_path} is no gallery" in errors(page())[0]


def test_many_pictures_are_added_and_the_bad_ones_are_listed(
    folder: Path, pictures: Path, stranger: Path, album: list[Path]
) -> None:
    test = library()
    nasty = pictures / "nasty"
    paths = [stranger, album[0], nasty / "generated/text_as.jpg", nasty / "corrupt/broken.png"]

    files = [(path.name, path.read_bytes(), "image/jpeg") for path in paths]
    test.file_uploader[0].set_value(files).run()
    test.button[0].click().run()

    assert errors(test) == []
    assert test.success[0].value == (
        f"{ENGLISH('library.added', count=1)} · {ENGLISH('library.known', count=1)}"
    )
    assert test.warning[0].value.splitlines() == [
        ENGLISH("library.rejected", count=2),
        "",
        f"- **text\\_as\\.jpg** — {ENGLISH('reason.not-an-image')}",
        f"- **broken\\.png** — {ENGLISH('reason.corrupt')}",
    ]
    gallery = session.open_gallery()
    assert len(gallery) == 13
    assert gallery.search(stranger, k=1)[0].metadata == {"name": stranger.name}


def test_a_library_of_several_pages_is_turned(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_page, "PAGE", 5)
    gallery = session.open_gallery()
    newest_first = [picture.id for picture in gallery.page(12, newest=True)]
    seen = []
    test = library()
    older = {button.label: button for button in test.button}[ENGLISH("library.older")]

    seen += shown(test)
    while not older.disabled:
        older.click().run()
        seen += shown(test)
        older = {button.label: button for button in test.button}[ENGLISH("library.older")]

    assert seen == newest_first
    for _ in range(2):
        {b.label: b for b in test.button}[ENGLISH("library.newer")].click().run()
    assert shown(test) == newest_first[:5]


def shown(test: AppTest) -> list[int]:
    """The ids in the grid, from what the page sent to the browser."""
    assert errors(test) == []
    grids = [e for e in test.get("bidi_component") if "pictures" in e.proto.json]
    return [tile["id"] for tile in json.loads(grids[0].proto.json)["pictures"]]
