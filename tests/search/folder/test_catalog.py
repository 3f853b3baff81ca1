"""Commits on a disk that fails: what was refused is not done, or said to be in doubt."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pytest

from kkcv.errors import GalleryError, InDoubt
from kkcv.search.folder.catalog import Catalog
from kkcv.search.picture import PictureFile


class FailingDisk(apsw.VFS):
    """The next ``failures`` syncs fail."""

    failures = 0

    def __init__(self) -> None:
        super().__init__("failing-syncs", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        disk = self

        class File(apsw.VFSFile):
            def xSync(self, flags: int) -> None:  # noqa: N802
                if disk.failures:
                    disk.failures -= 1
                    raise apsw.IOError("this sync failed")
                super().xSync(flags)

        return File("unix", name, flags)


@pytest.fixture
def disk() -> Iterator[FailingDisk]:
    made = FailingDisk()
    yield made
    made.unregister()
    apsw.set_default_vfs("unix")


@pytest.fixture
def catalog(tmp_path: Path, disk: FailingDisk) -> Iterator[Catalog]:
    made = Catalog.create(tmp_path / "gallery", {"vectors": "float32", "dim": "4"})
    add(made, "/first")
    yield made
    made.close()


def add(catalog: Catalog, path: str) -> None:
    with catalog.writing() as writer:
        writer.add(PictureFile(path, False, b"", 1, 1), np.ones(4, np.float32), {})


def after_a_crash(catalog: Catalog, to: Path) -> list[str]:
    """The paths in the catalog, had the process been killed just now."""
    shutil.copytree(catalog.folder, to)
    again = Catalog(to)
    try:
        with again.reading() as rows:
            return [picture.file.path for picture in rows.pictures()]
    finally:
        again.close()


def test_what_was_refused_does_not_turn_up_after_a_crash(
    catalog: Catalog, disk: FailingDisk, tmp_path: Path
) -> None:
    disk.failures = 1

    with pytest.raises(GalleryError, match="this change was not made"):
        add(catalog, "/refused")

    assert after_a_crash(catalog, tmp_path / "copy") == ["/first"]


def test_where_it_may_turn_up_that_is_said_and_the_next_change_ends_the_doubt(
    catalog: Catalog, disk: FailingDisk, tmp_path: Path
) -> None:
    disk.failures = 2

    with pytest.raises(InDoubt, match="it is not done, but may be when the gallery is opened"):
        add(catalog, "/doubtful")

    with catalog.reading() as rows:
        assert rows.count() == 1
    add(catalog, "/next")
    assert after_a_crash(catalog, tmp_path / "copy") == ["/first", "/next"]
