"""The web page asks for words where the gallery's network reads."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from kkcv.embedding.embedder import Embedder
from kkcv.search.gallery import Gallery
from kkcv.web import app, session
from kkcv.web.galleries.local_library import LocalLibrary
from kkcv.web.strings import Strings

ENGLISH = Strings("en")


def test_words_are_searched_with(
    open_clip_folder: Path, album: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = Embedder.load(
        f"open_clip:{open_clip_folder}", runtime="pytorch", precision="float32", device="cpu"
    )
    with Gallery.create(tmp_path / "gallery", embedder) as made:
        for path in album[:5]:
            made.add(path)
        wanted = [hit.id for hit in made.search_text("a red bus")]
    monkeypatch.setenv("KKCV_GALLERY", str(tmp_path / "gallery"))
    session.library.clear()
    library = session.library()
    assert isinstance(library, LocalLibrary)
    library.gallery._generation._embedder = embedder

    test = AppTest.from_file(str(app.__file__), default_timeout=60).run()
    test.text_input(key="words").set_value("a red bus").run()

    assert not test.exception
    assert [error.value for error in test.error] == []
    found = ENGLISH("search.found", count=5, total=5)
    assert f"##### {found}" in [markdown.value for markdown in test.markdown]
    assert [hit.id for hit in test.session_state["answered"][1]] == wanted
    library.gallery.close()
    session.library.clear()
