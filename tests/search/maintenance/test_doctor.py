"""The doctor: finds each kind of harm, mends what it can, and loses nothing."""

import hashlib
import os
import shutil
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np
import pytest

from kkcv.embedding.embedder import Embedder
from kkcv.errors import GalleryFormatError
from kkcv.search.folder import index as folder_index
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.maintenance import doctor
from kkcv.search.maintenance.doctor import examine
from kkcv.search.picture import PictureFile

Paint = Callable[..., Path]


def kinds(gallery: Gallery, *, repair: bool = False) -> list[tuple[str, bool]]:
    """Each finding's kind, and whether it was mended."""
    return [(found.kind, bool(found.mended)) for found in examine(gallery, repair=repair)]


def change(gallery: Gallery, sql: str, *bindings: object) -> None:
    """Harm the catalog behind kkcv's back."""
    connection = apsw.Connection(str(gallery.folder / "catalog.sqlite"))
    connection.execute(sql, bindings)
    connection.close()


def rot(file: Path, at: float = 0.5) -> None:
    """Flip bits of one byte; size and time stay as they were."""
    was = file.stat()
    data = bytearray(file.read_bytes())
    data[int(len(data) * at)] ^= 0xFF
    file.write_bytes(data)
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))


@pytest.fixture
def filled(gallery: Gallery, paint: Paint) -> Gallery:
    """Ids 1 to 3 are files of the user's, 4 to 6 are stored in the gallery."""
    import_pictures(gallery, [paint(f"{seed}.png", seed) for seed in (1, 2, 3)])
    for seed in (4, 5, 6):
        gallery.add(paint(f"{seed}.png", seed), {"n": seed})
    return gallery


def test_a_gallery_that_is_well_has_no_findings(filled: Gallery) -> None:
    filled.generation.index.rebuild()

    assert kinds(filled) == []
    assert kinds(filled, repair=True) == []


def test_an_empty_gallery_is_well(gallery: Gallery) -> None:
    assert kinds(gallery, repair=True) == []


def test_a_file_of_the_users_that_has_gone_is_said_and_its_row_stays(
    filled: Gallery, paint: Paint
) -> None:
    paint("2.png", 2).unlink()

    found = examine(filled, repair=True)

    assert [(f.kind, f.mended) for f in found] == [("missing-file", "")]
    assert found[0].what.endswith("2.png (id 2)")
    assert f"kkcv remove {filled.folder} --missing" in found[0].advice
    assert filled.get(2).id == 2


def test_a_changed_file_is_said_and_indexing_it_again_mends_it(
    filled: Gallery, paint: Paint
) -> None:
    path = paint("2.png", 77)

    found = examine(filled, repair=True)

    assert [(f.kind, f.mended) for f in found] == [("changed-file", "")]
    assert found[0].advice == f"kkcv index {filled.folder} {path}"
    import_pictures(filled, [path])
    assert kinds(filled) == []


def test_a_changed_file_that_cannot_be_read_is_not_to_be_indexed_again(
    filled: Gallery, paint: Paint
) -> None:
    paint("2.png", 2).write_bytes(b"no picture")

    (found,) = examine(filled)

    assert found.kind == "changed-file"
    assert found.advice == f"it cannot be read; restore it, or: kkcv remove {filled.folder} 2"


def test_a_file_that_was_only_touched_is_well(filled: Gallery, paint: Paint) -> None:
    os.utime(paint("2.png", 2), (1, 1))

    assert kinds(filled) == []


def test_a_stored_file_that_has_gone_is_copied_from_a_twin(filled: Gallery, paint: Paint) -> None:
    import_pictures(filled, [paint("4.png", 4)])  # the same bytes, in a file of the user's
    path = filled.path(filled.get(4))
    path.unlink()

    assert kinds(filled, repair=True) == [("missing-file", True)]

    assert path.read_bytes() == paint("4.png", 4).read_bytes()
    assert kinds(filled) == []


def test_a_stored_file_that_rotted_is_found_though_size_and_time_are_the_same(
    filled: Gallery,
) -> None:
    rot(filled.path(filled.get(4)))

    found = examine(filled, repair=True)

    assert [(f.kind, f.mended) for f in found] == [("changed-file", "")]
    assert found[0].advice == f"take it from a backup, or: kkcv remove {filled.folder} 4"


def test_a_rotten_stored_file_is_replaced_from_a_twin_and_kept(
    filled: Gallery, paint: Paint
) -> None:
    import_pictures(filled, [paint("4.png", 4)])
    path = filled.path(filled.get(4))
    rot(path)
    rotten = path.read_bytes()

    assert kinds(filled, repair=True) == [("changed-file", True)]

    assert path.read_bytes() == paint("4.png", 4).read_bytes()
    assert (filled.folder / "orphans" / path.name).read_bytes() == rotten
    assert kinds(filled) == []


def test_a_file_that_no_row_names_is_set_aside(filled: Gallery) -> None:
    orphan = filled.folder / "pictures/ab/cdef.png"
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"someone's")

    assert kinds(filled) == [("orphaned-file", False)]
    assert orphan.exists()
    assert kinds(filled, repair=True) == [("orphaned-file", True)]

    assert (filled.folder / "orphans/cdef.png").read_bytes() == b"someone's"
    assert kinds(filled) == []


def test_what_was_set_aside_before_is_not_overwritten(filled: Gallery) -> None:
    for content in (b"first", b"second", b"third"):
        (filled.folder / "pictures/stray.png").write_bytes(content)
        examine(filled, repair=True)

    kept = {file.read_bytes() for file in (filled.folder / "orphans").iterdir()}

    assert kept == {b"first", b"second", b"third"}


def test_what_a_crash_left_unfinished_is_set_aside(filled: Gallery) -> None:
    (filled.folder / "pictures/x.123.part").write_bytes(b"half a picture")
    filled.generation.index.rebuild()
    (filled.folder / "index/7.faiss.123.part").write_bytes(b"half an index")

    assert kinds(filled, repair=True) == [("unfinished-file", True)] * 2

    assert kinds(filled) == []
    assert len(list((filled.folder / "orphans").iterdir())) == 2


BAD_VECTORS = {
    "rotted": (np.zeros(48, np.float16).tobytes(), 1),
    "of the wrong size": (b"xy", zlib.crc32(b"xy")),
    "empty": (b"", 0),
    "not finite": (
        np.full(48, np.nan, np.float16).tobytes(),
        zlib.crc32(np.full(48, np.nan, np.float16).tobytes()),
    ),
    "not of length one": (
        np.full(48, 3, np.float16).tobytes(),
        zlib.crc32(np.full(48, 3, np.float16).tobytes()),
    ),
}


def test_a_stored_file_whose_name_rotted_in_the_catalog_is_found_again(filled: Gallery) -> None:
    path = filled.path(filled.get(4))
    change(filled, "UPDATE pictures SET path = CAST(x'ff' || path AS TEXT) WHERE id = 4")

    found = [("missing-file", False), ("orphaned-file", False), ("bad-row", False)]
    assert kinds(filled) == found
    assert kinds(filled, repair=True) == [("missing-file", True)]

    assert filled.path(filled.get(4)) == path
    assert kinds(filled) == []


@pytest.mark.parametrize(("blob", "crc32"), BAD_VECTORS.values(), ids=BAD_VECTORS.keys())
def test_a_bad_vector_is_embedded_again(
    filled: Gallery, paint: Paint, blob: bytes, crc32: int
) -> None:
    change(filled, "UPDATE pictures SET vector = ?, crc32 = ? WHERE id = 2", blob, crc32)

    assert kinds(filled) == [("bad-vector", False)]
    assert kinds(filled, repair=True) == [("bad-vector", True)]

    assert kinds(filled) == []
    hit = filled.search(paint("2.png", 2), k=1)[0]
    assert (hit.id, hit.score) == (2, pytest.approx(1, abs=1e-3))


def test_a_bad_vector_whose_file_changed_is_not_made_up(filled: Gallery, paint: Paint) -> None:
    change(filled, "UPDATE pictures SET vector = x'', crc32 = 0 WHERE id = 2")
    paint("2.png", 77)

    found = examine(filled, repair=True)

    assert [(f.kind, f.mended) for f in found] == [("changed-file", ""), ("bad-vector", "")]
    assert "it cannot be embedded again: the file of picture 2 has gone or changed" in (
        found[1].advice
    )


def test_metadata_that_is_no_json_is_kept_as_text(filled: Gallery, paint: Paint) -> None:
    change(filled, """UPDATE pictures SET metadata = '{"n": 4' WHERE id = 4""")

    assert filled.search(paint("4.png", 4), k=1)[0].id == 4  # a rotten row stops nobody
    assert kinds(filled, repair=True) == [("bad-metadata", True)]

    assert filled.get(4).metadata == {"damaged": '{"n": 4'}
    assert kinds(filled) == []


def flip(gallery: Gallery, text: bytes, to: bytes, *, copy: int) -> None:
    """Rot in the file of the catalog: in a row (0), or in the copy beside it (1)."""
    table = ("pictures", "pictures_described")[copy]
    at = page_of(gallery, table)
    data = (gallery.folder / "catalog.sqlite").read_bytes()
    overwrite(gallery, data.index(text, at), to)


@pytest.mark.parametrize("copy", [0, 1], ids=["in the row", "beside it"])
@pytest.mark.parametrize(
    ("text", "to"), [(b'"n": 4', b'"n": 9'), (b"/4.png", b"/5.png")], ids=["metadata", "path"]
)
def test_a_flipped_byte_is_told_and_made_good_from_the_other_copy(
    gallery: Gallery,
    embedder: Embedder,
    caplog: pytest.LogCaptureFixture,
    text: bytes,
    to: bytes,
    copy: int,
) -> None:
    vector = np.eye(1, gallery.space.dim, dtype=np.float32)[0]
    with gallery.catalog.writing() as writer:
        for n in (3, 4):
            file = PictureFile(f"/photos/{n}.png", False, bytes(32), 1, 1)
            writer.add(file, vector, {"n": n})
    gallery.close()
    flip(gallery, text, to, copy=copy)

    with Gallery.open(gallery.folder, embedder) as again:
        shown = {hit.id: (hit.path, hit.metadata) for hit in again.search_vector(vector, k=2)}
        if copy == 1:  # which hits show
            assert shown[2] != ("/photos/4.png", {"n": 4})
            assert "the path or metadata of picture 2 are damaged: kkcv doctor" in caplog.text
        assert ("bad-row", False) in kinds(again)
        assert ("bad-row", True) in kinds(again, repair=True)
        assert {kind for kind, _ in kinds(again)} == {"missing-file"}  # they never were
        picture = again.get(2)

    assert (picture.file.path, picture.metadata) == ("/photos/4.png", {"n": 4})


def test_a_row_that_is_damaged_in_both_copies_is_told_and_not_made_up(
    filled: Gallery, caplog: pytest.LogCaptureFixture
) -> None:
    change(filled, """UPDATE pictures SET metadata = '{"n": 9}' WHERE id = 4""")

    assert kinds(filled) == [("bad-row", False)]
    assert kinds(filled, repair=True) == [("bad-row", False)]
    assert filled.get(4).metadata == {"n": 9}
    assert "the path or metadata of picture 4 are damaged: kkcv doctor" in caplog.text

    filled.describe(4, {"n": 4})

    assert kinds(filled) == []


def page_of(gallery: Gallery, name: str) -> int:
    """Where the root page of a table or an index of SQLite's begins in the file."""
    connection = apsw.Connection(str(gallery.folder / "catalog.sqlite"))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
    page = connection.execute(sql, (name,)).get
    size = connection.pragma("page_size")
    connection.close()
    return (page - 1) * size


def overwrite(gallery: Gallery, at: int, data: bytes) -> None:
    with (gallery.folder / "catalog.sqlite").open("r+b") as file:
        file.seek(at)
        file.write(data)


def test_a_damaged_index_of_sqlite_is_made_again_from_the_rows(
    filled: Gallery, embedder: object
) -> None:
    at = page_of(filled, "pictures_by_sha256")
    filled.close()
    page = (filled.folder / "catalog.sqlite").read_bytes()[at : at + 4096]
    sha256 = hashlib.sha256(Path(filled.path(filled.get(1))).read_bytes()).digest()
    filled.close()
    overwrite(filled, at + page.index(sha256), b"\x00" * 32)

    with Gallery.open(filled.folder, embedder) as opened:  # type: ignore[arg-type]
        found = examine(opened)
        assert [(f.kind, bool(f.mended)) for f in found] == [("damaged-catalog", False)]
        assert "index pictures_by_sha256" in found[0].what
        assert found[0].advice == "restore a backup: kkcv restore"
        assert kinds(opened, repair=True) == [("damaged-catalog", True)]
        assert kinds(opened) == []
        assert len(opened) == 6


def test_a_catalog_that_cannot_be_read_is_a_finding_and_no_crash(
    filled: Gallery, embedder: object
) -> None:
    at = page_of(filled, "pictures")
    filled.close()
    overwrite(filled, at, b"\xff" * 4096)

    with Gallery.open(filled.folder, embedder) as opened:  # type: ignore[arg-type]
        found = examine(opened, repair=True)

    assert [(f.kind, f.mended) for f in found] == [("damaged-catalog", "")]
    assert found[0].advice == "restore a backup: kkcv restore"


def test_a_damaged_index_is_set_aside_and_the_gallery_answers_without_it(
    filled: Gallery, paint: Paint, embedder: object
) -> None:
    filled.generation.index.rebuild()
    file = next((filled.folder / "index").glob("*.faiss"))
    rot(file)

    with Gallery.open(filled.folder, embedder) as opened:  # type: ignore[arg-type]
        found = examine(opened, repair=True)
        assert [(f.kind, bool(f.mended)) for f in found] == [("bad-index", True)] * 4
        assert "its .faiss file is damaged" in found[0].what
        assert kinds(opened) == []
        assert opened.search(paint("4.png", 4), k=1)[0].id == 4


def test_an_index_that_misses_a_picture_is_built_again(filled: Gallery, paint: Paint) -> None:
    nothing = np.empty(0, np.int64)
    index = filled.generation.index.refreshed()
    index.update(np.array([4]), nothing, np.empty((0, 48), np.float32))  # behind its back

    found = examine(filled, repair=True)

    assert [(f.kind, f.mended) for f in found] == [("bad-index", "built again")]
    assert found[0].what == "it holds 5 of 6 vectors"
    assert kinds(filled) == []
    assert filled.search(paint("4.png", 4), k=1)[0].id == 4


def test_an_index_that_lags_behind_is_built_again(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_index, "exact_limit", lambda dim: 1000)
    monkeypatch.setattr(doctor, "bad_file", lambda *args: iter(()))  # there are no files
    vectors = np.random.default_rng(0).normal(size=(1001, 48)).astype(np.float32)
    with gallery.catalog.writing() as writer:
        for n, vector in enumerate(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)):
            writer.add(PictureFile(f"/{n}", False, b"", 1, 1), vector, {})

    assert kinds(gallery) == [("stale-index", False)]
    assert kinds(gallery, repair=True) == [("stale-index", True)]
    assert kinds(gallery) == []


def test_mending_everything_at_once_loses_no_row_no_metadata_and_no_file(
    filled: Gallery, paint: Paint
) -> None:
    change(filled, "UPDATE pictures SET vector = x'', crc32 = 0 WHERE id IN (1, 4)")
    rot(filled.path(filled.get(5)))
    paint("3.png", 99)
    (filled.folder / "pictures/stray.png").write_bytes(b"stray")
    filled.generation.index.rebuild()
    rot(next((filled.folder / "index").glob("*.ids")))
    before = list(filled.pictures())
    files = {f.read_bytes() for f in (filled.folder / "pictures").rglob("*") if f.is_file()}

    examine(filled, repair=True)

    assert list(filled.pictures()) == before
    kept = [f for f in filled.folder.rglob("*") if f.is_file()]
    assert files <= {f.read_bytes() for f in kept}
    assert kinds(filled) == [("changed-file", False)] * 2  # which only the user can mend


def test_nothing_is_found_wrong_while_others_add_and_remove(filled: Gallery, paint: Paint) -> None:
    data = [paint(f"{seed}.png", seed).read_bytes() for seed in range(10, 30)]
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            ids = [filled.add(each).id for each in data]
            filled.remove(ids)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        found = [finding for _ in range(15) for finding in examine(filled, repair=True)]
    finally:
        done.set()
        writing.join()

    assert found == []
    assert kinds(filled) == []


def test_whatever_bit_of_the_catalog_flips_the_doctor_answers(
    filled: Gallery, embedder: object, tmp_path: Path
) -> None:
    """And each flip inside of a stored vector is found."""
    page_of(filled, "pictures")  # all of it into one file
    filled.close()
    good = (filled.folder / "catalog.sqlite").read_bytes()
    vectors = [
        good.index(filled.embedder.embed_picture(p).astype(np.float16).tobytes())
        for p in (filled.path(picture) for picture in filled.pictures())
    ]
    filled.close()
    generator = np.random.default_rng(5)
    broken = tmp_path / "broken"
    shutil.copytree(filled.folder, broken)
    for number in range(80):
        inside = number < 20
        at = (
            int(generator.choice(vectors) + generator.integers(96))
            if inside
            else int(generator.integers(len(good)))
        )
        data = bytearray(good)
        data[at] ^= 1 << int(generator.integers(8))
        for leftover in broken.glob("catalog.sqlite-*"):
            leftover.unlink()
        (broken / "catalog.sqlite").write_bytes(data)

        try:
            with Gallery.open(broken, embedder) as opened:  # type: ignore[arg-type]
                found = examine(opened)
        except GalleryFormatError:
            continue
        assert not inside or "bad-vector" in {f.kind for f in found}, at
