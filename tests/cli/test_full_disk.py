"""Searching needs no room: a new process answers where nothing more can be written."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

KILLED = """
import os, sys
import numpy as np
from kkcv.search.folder.catalog import Catalog
from kkcv.search.picture import PictureFile

catalog = Catalog(__import__("pathlib").Path(sys.argv[1]))
with catalog.writing() as writer:
    vector = np.eye(1, writer.dim, dtype=np.float32)[0]
    writer.add(PictureFile("/photos/last.jpg", False, bytes(32), 1, 1), vector, {})
os._exit(1)  # as killed: the log stays, and what it shares with others is not tidied
"""


def kkcv(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """A command that cannot make any file longer."""
    return subprocess.run(
        ["sh", "-c", 'ulimit -f 0 && exec "$@"', "sh", sys.executable, "-m", "kkcv", *arguments],
        capture_output=True,
        text=True,
    )


@pytest.fixture
def folder(made_gallery: Path, tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(made_gallery, tmp_path / "gallery"))
    for file in folder.glob("catalog.sqlite-*"):
        file.unlink()
    return folder


def test_a_search_needs_no_room_on_the_disk(folder: Path, album: list[Path]) -> None:
    found = kkcv("search", folder, album[7], "--json")

    assert found.returncode == 0, found.stderr
    assert str(album[7]) in found.stdout


def test_what_a_killed_process_had_committed_is_found_without_room(
    folder: Path, album: list[Path]
) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(folder)])
    (folder / "catalog.sqlite-shm").unlink()
    assert (folder / "catalog.sqlite-wal").stat().st_size

    found = kkcv("search", folder, album[7], "--json", "-k", "20")

    assert found.returncode == 0, found.stderr
    assert "/photos/last.jpg" in found.stdout


def test_a_change_without_room_is_refused_in_one_line(folder: Path) -> None:
    refused = kkcv("remove", folder, "1")

    assert refused.returncode != 0
    assert refused.stderr.count("\n") == 1
    assert "this change was not made: look for free space" in refused.stderr
