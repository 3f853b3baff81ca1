"""The pages without a browser: the states that are hard to click one's way to."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from kkcv.client.calls import Calls
from kkcv.embedding.embedder import Embedder
from kkcv.errors import KkcvError, RequestError, ServiceError
from kkcv.search.gallery import Gallery
from kkcv.web import app, session
from kkcv.web.galleries.library import Change
from kkcv.web.galleries.local_library import LocalLibrary
from kkcv.web.library import browse, duplicates
from kkcv.web.search.query_state import Query
from kkcv.web.strings import Strings
from kkcv.web.training.runs import runs
from tests.serve.conftest import running

ENGLISH = Strings("en")


def forget_libraries() -> None:
    """As when the page is started anew."""
    for kept in (session.library, session.other_library, runs):
        kept.clear()


def gallery_here() -> Gallery:
    """The gallery that the page has opened."""
    library = session.library()
    assert isinstance(library, LocalLibrary)
    return library.gallery


@pytest.fixture
def folder(
    made_gallery: Path, tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A gallery that the page is started for, by the user of this machine."""
    folder = Path(shutil.copytree(made_gallery, tmp_path / "gallery"))
    monkeypatch.setenv("KKCV_GALLERY", str(folder))
    monkeypatch.setenv("KKCV_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("KKCV_PATHS", "1")
    forget_libraries()
    gallery_here()._generation._embedder = embedder  # loaded once for all tests
    yield folder
    gallery_here().close()
    forget_libraries()


def page(**query: str) -> AppTest:
    """The search page of a new visitor, drawn."""
    test = AppTest.from_file(str(app.__file__), default_timeout=60)
    for name, value in query.items():
        test.query_params[name] = value
    return test.run()


def library(panel: str = "pictures") -> AppTest:
    """The library, drawn by itself: AppTest follows no links between pages that are functions."""

    def script() -> None:
        from kkcv.web.components.guard import guarded
        from kkcv.web.library.page import library_page

        guarded(library_page)()

    test = AppTest.from_function(script, default_timeout=60)
    test.session_state["panel"] = panel
    return test.run()


def training() -> AppTest:
    def script() -> None:
        from kkcv.web.components.guard import guarded
        from kkcv.web.training.page import training_page

        guarded(training_page)()

    return AppTest.from_function(script, default_timeout=60).run()


def settled(test: AppTest, job: str) -> AppTest:
    """The page after its work in the background."""
    work = test.session_state.get(job, None)
    if work is not None:
        assert work.wait(60)
        test.run()
    return test


def errors(test: AppTest) -> list[str]:
    assert not test.exception
    return [error.value.replace("\\", "") for error in test.error]  # as Markdown shows it


def upload(test: AppTest, name: str, data: bytes) -> None:
    test.file_uploader[0].upload(name, data, "application/octet-stream").run()


def test_an_empty_gallery_says_what_to_do(
    tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    Gallery.create(tmp_path / "empty", embedder).close()
    monkeypatch.setenv("KKCV_GALLERY", str(tmp_path / "empty"))
    forget_libraries()

    test = page()

    assert errors(test) == []
    assert f"### {ENGLISH('empty.title')}" in values(test)
    assert test.code[0].value == f"kkcv index {tmp_path / 'empty'} ~/Pictures"
    forget_libraries()


def test_a_picture_that_is_no_picture_is_refused_in_the_page(folder: Path) -> None:
    test = page()

    upload(test, "my_notes [1].txt", b"hello world")

    (error,) = test.error
    assert error.value == f"**my\\_notes \\[1\\]\\.txt** — {ENGLISH('reason.not-an-image')}"


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
    gallery = gallery_here()
    first = gallery.page(1)[0].id
    with_picture(test, gallery, first)
    gallery.remove([first])

    test.run()

    assert errors(test) == []
    assert f"##### {ENGLISH('search.found', count=11, total=11)}" in values(test)


def with_picture(test: AppTest, gallery: Gallery, id: int) -> None:
    """The effect of a click on a hit; only a browser can click."""
    picture = gallery.get(id)
    query = Query(gallery.path(picture).name, None, id)
    test.session_state["queries"] = [*test.session_state["queries"], query]
    test.run()


def values(test: AppTest) -> list[str]:
    return [markdown.value for markdown in test.markdown]


def test_a_gallery_of_one_picture_has_nothing_to_choose(folder: Path, album: list[Path]) -> None:
    gallery = gallery_here()
    gallery.remove([picture.id for picture in gallery.page(11)])

    test = page()
    upload(test, "x.jpg", album[11].read_bytes())

    assert errors(test) == []
    assert [slider.label for slider in test.slider] == [ENGLISH("option.min_score")]
    assert f"##### {ENGLISH('search.found', count=1, total=1)}" in values(test)
    test.toggle(key="copies").set_value(True).run()
    assert f"##### {ENGLISH('search.copies', count=1, total=1)}" in values(test)


def test_copies_beyond_the_hits_asked_for_are_said_to_be_possible(
    folder: Path, album: list[Path]
) -> None:
    test = page()
    upload(test, "x.jpg", album[11].read_bytes())  # one of three sizes

    for k, title, count in ((1, "search.copies_or_more", 1), (4, "search.copies", 3)):
        test.slider(key="k").set_value(k)
        test.toggle(key="copies").set_value(True).run()
        assert f"##### {ENGLISH(title, count=count, total=12)}" in values(test)


def test_a_failure_is_a_message_and_never_a_traceback(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Gallery, where: str | None) -> int:
        raise RuntimeError("the password is 1234")

    monkeypatch.setattr(Gallery, "count", fail)

    for test in (page(), library()):
        assert errors(test) == [ENGLISH("page.failed")]


def test_a_gallery_that_cannot_be_opened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KKCV_GALLERY", str(tmp_path))
    forget_libraries()

    assert f"{tmp_path} is not a gallery" in errors(page())[0]


def test_many_pictures_are_added_and_the_bad_ones_are_listed(
    folder: Path, pictures: Path, stranger: Path, album: list[Path]
) -> None:
    test = library()
    nasty = pictures / "nasty"
    paths = [stranger, album[0], nasty / "generated/text_as.jpg", nasty / "corrupt/broken.png"]

    files = [(path.name, path.read_bytes(), "image/jpeg") for path in paths]
    test.file_uploader[0].set_value(files).run()
    settled(test.button[0].click().run(), "adding")

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
    gallery = gallery_here()
    assert len(gallery) == 13
    assert gallery.search(stranger, k=1)[0].metadata == {"name": stranger.name}


def test_a_library_of_several_pages_is_turned(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browse, "PAGE", 5)
    gallery = gallery_here()
    newest_first = [picture.id for picture in gallery.page(12, newest=True)]
    seen = []
    test = library()
    older = {button.label: button for button in test.button}[ENGLISH("library.after")]

    seen += shown(test)
    while not older.disabled:
        older.click().run()
        seen += shown(test)
        older = {button.label: button for button in test.button}[ENGLISH("library.after")]

    assert seen == newest_first
    assert test.query_params["page"] == "3"
    for _ in range(2):
        button(test, "library.before").click().run()
    assert shown(test) == newest_first[:5]
    test.query_params["page"] = "2"  # a link, or the browser's Back
    assert shown(test.run()) == newest_first[5:10]
    for none in ("99", "9" * 5000):
        test.query_params["page"] = none
        assert shown(test.run()) == newest_first[5:10]
    test.query_params["page"] = "3"
    assert shown(test.run()) == newest_first[10:]
    gallery.remove(newest_first[10:])
    assert shown(test.run()) == newest_first[5:10]


def shown(test: AppTest) -> list[int]:
    """The ids in the grid, from what the page sent to the browser."""
    assert errors(test) == []
    grids = [e for e in test.get("bidi_component") if "pictures" in e.proto.json]
    return [tile["id"] for tile in json.loads(grids[0].proto.json)["pictures"]]


def test_a_filter_leaves_what_matches_and_a_bad_one_is_told(folder: Path) -> None:
    gallery = gallery_here()
    ids = [picture.id for picture in gallery.page(12)]
    gallery.describe(ids[4], {"label": "cat"})
    test = library()

    test.text_input(key="browse-where").set_value('label == "cat"').run()
    assert shown(test) == [ids[4]]
    test.text_input(key="browse-where").set_value('label == "dog"').run()
    assert [info.value for info in test.info] == [ENGLISH("library.none")]
    test.text_input(key="browse-where").set_value("label ==").run()
    assert errors(test)[0].startswith("the filter 'label ==' cannot be read")


def test_filter_and_threshold_bound_an_answer(folder: Path, album: list[Path]) -> None:
    test = page()
    upload(test, "x.jpg", album[7].read_bytes())
    where = f'path == "{album[6]}"'

    test.text_input(key="where").set_value(where).run()
    assert f"##### {ENGLISH('search.found', count=1, total=1)}" in values(test)
    test.text_input(key="where").set_value("").run()
    test.slider(key="min_score").set_value(0.95).run()
    assert len(shown(test)) == 3  # itself and its other sizes
    test.text_input(key="where").set_value(f'path == "{album[0]}"').run()
    assert f"### {ENGLISH('search.nothing')}" in values(test)


def test_a_chance_that_cannot_be_told_is_said(folder: Path, album: list[Path]) -> None:
    test = page()
    upload(test, "x.jpg", album[7].read_bytes())

    test.selectbox(key="max_chance").set_value(0.001).run()

    assert errors(test)[0].startswith("a cut-off by chance needs a gallery of 30 pictures")


def test_more_hits_are_no_more_questions_to_a_service(
    made_gallery: Path, tmp_path: Path, album: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    send = Calls.send

    def counted(self: Calls, method: str, path: str, body: Any = None) -> Any:
        asked.append(path.partition("?")[0])
        return send(self, method, path, body)

    with running(Path(shutil.copytree(made_gallery, tmp_path / "gallery"))) as service:
        monkeypatch.setenv("KKCV_GALLERY", service.address)
        monkeypatch.setattr(Calls, "send", counted)
        forget_libraries()
        test = page()
        upload(test, "x.jpg", album[7].read_bytes())
        for count in (1, 6, 12):
            asked.clear()
            test.slider(key="k").set_value(count).run()
            assert len(shown(test)) == count
            assert asked.count("/v1/search/like") == 1
            now_and_then = ("/thumbnail", "/v1/model")  # kept for some minutes, or seconds
            assert len([path for path in asked if not path.endswith(now_and_then)]) <= 2
        asked.clear()
        test.run()  # nothing was changed

    assert set(asked) <= {"/v1/images", "/v1/model"}
    forget_libraries()


def test_a_folder_of_this_machine_is_added_where_it_is(
    folder: Path, stranger: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(stranger, own)
    test = library()

    test.text_input[0].set_value(str(own)).run()
    settled(button(test, "library.folder_add").click().run(), "adding")

    assert test.success[0].value == ENGLISH("library.added", count=1)
    assert gallery_here().find(str(own / stranger.name)).file.stored is False


def test_a_folder_that_is_not_there_is_told_once(folder: Path) -> None:
    test = library()

    test.text_input[0].set_value("/nowhere").run()
    settled(button(test, "library.folder_add").click().run(), "adding")

    assert errors(test)[0].startswith("/nowhere: ")
    assert test.text_input[0].value == "/nowhere"
    assert ENGLISH("library.hint") in [caption.value for caption in test.caption]  # the pictures
    test.run()
    assert errors(test) == []
    assert test.text_input[0].value == "/nowhere"  # to mend it
    assert len(shown(test)) == 12


def test_strangers_name_no_folders_and_begin_no_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KKCV_PATHS", "0")

    assert [e.label for e in library().expander] == []
    assert [info.value for info in training().info] == [ENGLISH("training.not_here")]


def test_what_is_added_can_be_stopped(folder: Path, pictures: Path) -> None:
    test = library()
    paths = sorted((pictures / "imagenette").glob("n0*/*"))[:200]
    files = [(path.name, path.read_bytes(), "image/jpeg") for path in paths]
    test.file_uploader[0].set_value(files).run()
    test.button[0].click().run()

    if button_labels(test).count(ENGLISH("page.stop")):  # else it was done at once
        button(test, "page.stop").click().run()
    settled(test, "adding")

    assert errors(test) == []
    assert test.success[0].value.endswith(ENGLISH("library.added", count=len(gallery_here()) - 12))


def test_duplicates_are_shown_and_only_copies_of_the_same_bytes_selected(
    folder: Path, album: list[Path], tmp_path: Path
) -> None:
    twin = Path(shutil.copy(album[0], tmp_path / "twin.jpg"))
    gallery_here().index(twin)
    test = library("duplicates")

    test.slider[0].set_value(0.9).run()
    settled(button(test, "duplicates.look").click().run(), "duplicates")

    assert f"##### {ENGLISH('duplicates.found', count=4)}" in values(test)
    groups = [json.loads(e.proto.json) for e in test.get("bidi_component")]
    assert sorted(len(group["pictures"]) for group in groups) == [3, 3, 3, 4]
    assert sorted(len(group["selected"]) for group in groups) == [0, 0, 0, 1]
    button(test, "duplicates.remove", count=1).click().run()
    assert len(gallery_here()) == 12
    button(test, "library.undo").click().run()
    assert len(gallery_here()) == 13


def test_groups_of_duplicates_beyond_the_first_are_shown_on_request(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "SHOWN", 3)
    test = library("duplicates")

    test.slider[0].set_value(0.9).run()
    settled(button(test, "duplicates.look").click().run(), "duplicates")

    assert len(test.get("bidi_component")) == 3
    button(test, "duplicates.more", count=1).click().run()
    assert len(test.get("bidi_component")) == 4
    assert ENGLISH("duplicates.more", count=1) not in button_labels(test)


def test_an_undo_that_fails_is_offered_again_unless_it_can_never_succeed(folder: Path) -> None:
    fails: list[KkcvError] = [ServiceError("it does not answer"), RequestError("superseded")]

    def undo() -> int:
        raise fails.pop(0)

    test = library()
    test.session_state["changed"] = ("library.removed", Change(2, undo))
    button(test.run(), "library.undo").click().run()
    button(test, "library.undo").click().run()

    assert ENGLISH("library.undo") not in button_labels(test)
    assert fails == []


def test_statistics_draw_every_picture_on_the_map(folder: Path) -> None:
    test = settled(library("statistics"), "overview")

    assert errors(test) == []
    maps = [json.loads(e.proto.json) for e in test.get("bidi_component")]
    assert sorted(dot[0] for dot in maps[0]["dots"]) == [p.id for p in gallery_here().page(12)]
    assert {label for label, _ in maps[0]["legend"]} == {
        gallery_here().path(p).parent.name for p in gallery_here().page(12)
    }
    assert len(test.get("vega_lite_chart") or test.get("arrow_vega_lite_chart")) == 2
    assert test.metric[0].value == "12"


def test_a_name_that_is_none_begins_no_run(folder: Path) -> None:
    test = training()

    test.text_input[0].set_value("/nowhere").run()
    test.text_input[1].set_value("../elsewhere").run()
    button(test, "training.start").click().run()

    assert errors(test) == [
        "a run's name has letters, digits, spaces, dots, hyphens, and not '../elsewhere'"
    ]


def button(test: AppTest, name: str, **blanks: object) -> Any:
    return next(b for b in test.button if b.label == ENGLISH(name, **blanks))


def button_labels(test: AppTest) -> list[str]:
    return [each.label for each in test.button]
