"""Galleries that are moved, deleted or replaced under those who have them open."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kkcv.errors import NotAGallery
from kkcv.search.folder.catalog import Catalog
from kkcv.search.gallery import Gallery
from kkcv.search.maintenance.backup import backup, restore


def test_a_change_of_a_gallery_that_was_moved_or_deleted_is_refused(
    gallery: Gallery, paint: Callable[..., Path]
) -> None:
    gallery.add(paint("a.png", 1))
    elsewhere = gallery.folder.with_name("elsewhere")
    gallery.folder.rename(elsewhere)

    with pytest.raises(NotAGallery, match="was moved or deleted while it was open"):
        gallery.add(paint("b.png", 2))
    with pytest.raises(NotAGallery):
        gallery.search(paint("a.png", 1))

    assert not gallery.folder.exists()
    elsewhere.rename(gallery.folder)
    assert gallery.add(paint("b.png", 2)).id == 2


def test_a_gallery_that_goes_while_a_change_is_made_keeps_nothing_of_it(
    gallery: Gallery, paint: Callable[..., Path]
) -> None:
    gallery.add(paint("a.png", 1))
    elsewhere = gallery.folder.with_name("elsewhere")

    def change() -> None:
        with gallery.catalog.writing() as writer:
            writer.update(1, metadata={"lost": True})
            gallery.folder.rename(elsewhere)

    with pytest.raises(NotAGallery):
        change()

    with Catalog(elsewhere).reading() as rows:
        assert rows.picture(1).metadata == {}


def test_a_backup_that_is_restored_in_its_place_is_what_answers(
    gallery: Gallery, paint: Callable[..., Path], tmp_path: Path, loadable: None
) -> None:
    gallery.add(paint("a.png", 1))
    backup(gallery, tmp_path / "backup.zip")
    gallery.add(paint("b.png", 2))
    shutil.rmtree(gallery.folder)
    restore(tmp_path / "backup.zip", gallery.folder).close()

    assert [hit.id for hit in gallery.search(paint("b.png", 2))] == [1]
    again = gallery.add(paint("b.png", 2))

    with Gallery.open(gallery.folder) as other:
        assert [picture.id for picture in other.pictures()] == [1, again.id]
