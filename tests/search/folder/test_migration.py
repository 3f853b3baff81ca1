"""A gallery of the first format is opened, brought to today's, and loses nothing."""

import json
import re
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np
import pytest

from kkcv.embedding.embedder import Embedder
from kkcv.errors import GalleryError
from kkcv.search.folder import migration
from kkcv.search.gallery import Gallery
from kkcv.search.maintenance.doctor import examine
from kkcv.search.opened.generation import settings_for

FIRST = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE pictures (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    sequence INTEGER NOT NULL,
    path     TEXT NOT NULL UNIQUE,
    stored   INTEGER NOT NULL,
    sha256   BLOB NOT NULL,
    bytes    INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    added    REAL NOT NULL,
    metadata TEXT NOT NULL,
    vector   BLOB NOT NULL,
    crc32    INTEGER NOT NULL
);
CREATE INDEX pictures_by_sha256 ON pictures (sha256);
CREATE INDEX pictures_by_sequence ON pictures (sequence);
CREATE TABLE removals (sequence INTEGER PRIMARY KEY, id INTEGER NOT NULL);
"""
COUNT = 40


def vectors() -> np.ndarray:
    found = np.random.default_rng(1).normal(size=(COUNT, 48)).astype(np.float16)
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float16)


@pytest.fixture
def old(tmp_path: Path, embedder: Embedder) -> Path:
    """As the first kkcv wrote it: pictures 1 to 40, the last of which was removed."""
    folder = tmp_path / "old"
    folder.mkdir()
    connection = apsw.Connection(str(folder / "catalog.sqlite"))
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(FIRST)
    settings = {"format": "1", "sequence": str(COUNT + 1), **settings_for(embedder, "float16")}
    connection.executemany("INSERT INTO settings VALUES (?, ?)", list(settings.items()))
    for number, vector in enumerate(vectors(), 1):
        blob = vector.tobytes()
        connection.execute(
            "INSERT INTO pictures VALUES (?, ?, ?, 0, zeroblob(32), 1, 1, 1700000000, ?, ?, ?)",
            (
                number,
                number,
                f"/photos/{number}.jpg",
                json.dumps({"label": "猫" if number % 2 else "dog", "n": number}),
                blob,
                zlib.crc32(blob),
            ),
        )
    connection.execute("DELETE FROM pictures WHERE id = ?", (COUNT,))
    connection.execute("INSERT INTO removals VALUES (?, ?)", (COUNT + 1, COUNT))
    connection.close()
    return folder


def asked(folder: Path, sql: str) -> list[tuple]:
    connection = apsw.Connection(str(folder / "catalog.sqlite"))
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def format_of(folder: Path) -> str:
    return asked(folder, "SELECT value FROM settings WHERE name = 'format'")[0][0]


def test_a_gallery_of_the_first_format_answers_as_it_did(
    old: Path, embedder: Embedder, caplog: pytest.LogCaptureFixture
) -> None:
    with Gallery.open(old, embedder) as gallery:
        assert len(gallery) == COUNT - 1
        for number, vector in enumerate(vectors()[:-1].astype(np.float32), 1):
            hit = gallery.search_vector(vector, k=1)[0]
            assert (hit.id, hit.path) == (number, f"/photos/{number}.jpg")
            assert hit.metadata["n"] == number
        cats = gallery.search_vector(vectors()[0].astype(np.float32), 40, where="label=猫")
        assert len(cats) == COUNT // 2
        assert {f.kind for f in examine(gallery)} == {"missing-file"}  # they never were

    assert format_of(old) == str(migration.FORMAT)
    for step in range(1, migration.FORMAT):
        assert (
            caplog.messages.count(f"the gallery is brought from format {step} to {step + 1}") == 1
        )


def test_it_has_the_same_tables_as_a_new_one(old: Path, gallery: Gallery) -> None:
    Gallery.open(old).close()

    schema = "SELECT type, name, tbl_name FROM sqlite_schema ORDER BY name"
    assert asked(old, schema) == asked(gallery.folder, schema)


def test_of_a_picture_that_was_edited_often_the_last_edit_is_kept(
    old: Path, embedder: Embedder
) -> None:
    edits = "SELECT sequence, id FROM edits ORDER BY id"
    connection = apsw.Connection(str(old / "catalog.sqlite"))
    for step in (1, 2):
        connection.execute(migration.STEPS[step])
    connection.execute("UPDATE settings SET value = '3' WHERE name = 'format'")
    connection.execute("UPDATE settings SET value = '45' WHERE name = 'sequence'")
    connection.execute("INSERT INTO edits VALUES (42, 1), (43, 2), (44, 1), (45, 1)")
    connection.close()

    with Gallery.open(old, embedder) as gallery:
        assert asked(old, edits) == [(45, 1), (43, 2)]
        gallery.describe(2, {"n": 0})
        gallery.describe(2, {"n": 1})
        assert asked(old, edits) == [(45, 1), (47, 2)]
        hit = gallery.search_vector(vectors()[1].astype(np.float32), k=1)[0]

    assert hit.metadata == {"n": 1}


def test_a_removed_id_does_not_come_back(
    old: Path, embedder: Embedder, paint: Callable[..., Path]
) -> None:
    with Gallery.open(old, embedder) as gallery:
        assert gallery.add(paint("new.png", 1)).id == COUNT + 1


def test_a_migration_that_is_cut_off_changes_nothing(
    old: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migration, "STEPS", {1: f"{migration.DESCRIBED}; SELECT no_such_function()"})
        with pytest.raises(GalleryError):
            Gallery.open(old, embedder)

    assert format_of(old) == "1"
    with Gallery.open(old, embedder) as gallery:
        assert len(gallery) == COUNT - 1


def test_of_many_that_open_it_at_once_one_migrates_it(old: Path, embedder: Embedder) -> None:
    counts = []

    def look() -> None:
        with Gallery.open(old, embedder) as gallery:
            counts.append(len(gallery))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counts == [COUNT - 1] * 8


def test_a_filter_reads_what_lies_beside_the_rows(gallery: Gallery) -> None:
    plan = asked(
        gallery.folder,
        "EXPLAIN QUERY PLAN SELECT id FROM pictures "
        "WHERE json_extract(metadata, '$.n') = 3 AND added > 1 ORDER BY id",
    )

    assert [row[3] for row in plan] == ["SCAN pictures USING COVERING INDEX pictures_described"]


def test_the_page_names_the_format_and_what_each_format_changed() -> None:
    page = (Path(__file__).parents[3] / "docs" / "search.md").read_text(encoding="utf-8")

    assert f"A gallery has a format number, {migration.FORMAT} now." in page
    assert re.findall(r"^\| (\d) \|", page, re.MULTILINE) == [
        str(n + 1) for n in range(migration.FORMAT)
    ]
