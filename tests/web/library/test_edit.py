"""Metadata as people write it."""

import shutil
from pathlib import Path

import pytest

from kkcv.embedding.embedder import Embedder
from kkcv.errors import UnknownPicture
from kkcv.search.describing.describing import as_value
from kkcv.search.gallery import Gallery
from kkcv.web.galleries.local_library import LocalLibrary
from kkcv.web.library.edit import as_text, save


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("cat", "cat"),
        ("2024", 2024),
        ("0.5", 0.5),
        ("true", True),
        ('["a", "b"]', ["a", "b"]),
        ("猫", "猫"),
        ("NaN", "NaN"),
        ("1e999", "1e999"),
    ],
)
def test_words_become_what_they_say(words: str, value: object) -> None:
    assert as_value(words) == value


@pytest.mark.parametrize("value", ["cat", 7, 0.5, None, True, ["a"], {"b": "猫"}])
def test_what_is_shown_is_read_back(value: object) -> None:
    assert as_value(as_text(value)) == value


def test_only_what_differs_from_what_was_shown_is_saved(
    made_gallery: Path, tmp_path: Path, embedder: Embedder
) -> None:
    folder = shutil.copytree(made_gallery, tmp_path / "gallery")
    with Gallery.open(folder, embedder) as gallery:
        here, id = LocalLibrary(gallery), gallery.page(1)[0].id
        shown = {"label": "cat", "year": 2023, "old": 1, "seen": 1}
        gallery.describe(id, {"label": "cat", "year": 2024, "old": 1, "by": "another", "seen": 1})

        save(here, [id], shown, {"label": "dog", "year": 2023, "new": None, "seen": True})

        now = {"label": "dog", "year": 2024, "by": "another", "new": None, "seen": True}
        assert gallery.get(id).metadata == now
        assert gallery.get(id).metadata["seen"] is True
        save(here, [id, 10**9], {}, {"many": True})
        assert gallery.get(id).metadata == {**now, "many": True}
        with pytest.raises(UnknownPicture):
            save(here, [10**9], {}, {"many": True})
