"""A gallery in one file, and back: complete or not at all, and nothing taken on trust."""

import os
import shutil
import struct
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np
import pytest

from kkcv.embedding.embedder import Embedder
from kkcv.errors import GalleryError, GalleryFormatError, KkcvError, NotAGallery
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.maintenance import backup as module
from kkcv.search.maintenance.backup import backup, restore
from kkcv.search.maintenance.doctor import examine

Paint = Callable[..., Path]


@pytest.fixture
def filled(gallery: Gallery, paint: Paint) -> Gallery:
    """Two files of the user's and three that the gallery stores; one id was removed."""
    import_pictures(gallery, [paint(f"{seed}.png", seed) for seed in (1, 2)])
    ids = [gallery.add(paint(f"{seed}.png", seed), {"猫": seed}).id for seed in (3, 4, 5, 6)]
    gallery.remove(ids[-1:])
    return gallery


@pytest.fixture
def saved(filled: Gallery, tmp_path: Path) -> Path:
    backup(filled, tmp_path / "saved.zip")
    return tmp_path / "saved.zip"


def left_in(folder: Path) -> list[str]:
    """The files around, without the gallery and the pictures of the fixtures."""
    return sorted(p.name for p in folder.iterdir() if p.name not in ("gallery", "photos"))


def test_a_restored_gallery_is_the_one_that_was_backed_up(
    filled: Gallery, tmp_path: Path, paint: Paint, embedder: Embedder
) -> None:
    filled.generation.index.rebuild()

    assert backup(filled, tmp_path / "saved.zip") == 5
    restore(tmp_path / "saved.zip", tmp_path / "again").close()

    with Gallery.open(tmp_path / "again", embedder) as again:
        assert list(again.pictures()) == list(filled.pictures())
        for picture in again.pictures():
            with filled.catalog.reading() as was, again.catalog.reading() as now:
                np.testing.assert_array_equal(now.vector(picture.id), was.vector(picture.id))
            assert again.read(picture) == filled.read(picture)
        assert examine(again) == []
        assert again.add(paint("new.png", 50)).id == 7  # 6 was removed: never used again
    assert left_in(tmp_path) == ["again", "saved.zip"]


def test_a_restored_gallery_stands_alone(
    filled: Gallery, saved: Path, tmp_path: Path, embedder: Embedder
) -> None:
    filled.close()
    shutil.rmtree(filled.folder)

    restore(saved, tmp_path / "again").close()

    with Gallery.open(tmp_path / "again", embedder) as again:
        assert examine(again) == []


def test_an_empty_gallery_goes_there_and_back(gallery: Gallery, tmp_path: Path) -> None:
    assert backup(gallery, tmp_path / "saved.zip") == 0

    with restore(tmp_path / "saved.zip", tmp_path / "again") as again:
        assert len(again) == 0


def test_a_backup_taken_while_others_write_is_of_one_instant(
    gallery: Gallery, paint: Paint, tmp_path: Path, embedder: Embedder
) -> None:
    """The writer keeps pairs: both of a pair are in one transaction, and files come and go."""
    data = [paint(f"{seed}.png", seed).read_bytes() for seed in range(20)]
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            ids = [gallery.add(each).id for each in data]
            for pair in zip(ids[::2], ids[1::2], strict=True):
                with gallery.catalog.writing() as writer:
                    for id in pair:
                        writer.update(id, metadata={"pair": sum(pair)})
            gallery.remove(ids)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for number in range(8):
            backup(gallery, tmp_path / f"{number}.zip")
    finally:
        done.set()
        writing.join()

    for number in range(8):
        restore(tmp_path / f"{number}.zip", tmp_path / str(number)).close()
        with Gallery.open(tmp_path / str(number), embedder) as again:
            assert examine(again) == []


def test_who_is_removed_during_the_backup_is_in_it_whole_or_not_at_all(
    filled: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedder: Embedder
) -> None:
    stored = [picture.id for picture in filled.pictures() if picture.file.stored]

    def remove_first(*args: object) -> bool:
        monkeypatch.setattr(module, "write", original)
        for id in stored[1:]:  # one by one: those that are removed together wait for an undo
            filled.remove(id)
        return original(*args)  # type: ignore[arg-type]

    original = module.write
    monkeypatch.setattr(module, "write", remove_first)
    count = backup(filled, tmp_path / "saved.zip")

    restore(tmp_path / "saved.zip", tmp_path / "again").close()
    with Gallery.open(tmp_path / "again", embedder) as again:
        assert count == len(again) == len(filled) == 3
        assert examine(again) == []


def test_a_picture_that_rotted_does_not_spoil_the_backup(
    filled: Gallery, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rotten = next(picture for picture in filled.pictures() if picture.file.stored)
    filled.path(rotten).write_bytes(b"rot")

    backup(filled, tmp_path / "saved.zip")

    assert "is missing or damaged: the backup has its row only" in caplog.text
    with restore(tmp_path / "saved.zip", tmp_path / "again") as again:
        assert again.get(rotten.id) == rotten
        assert [f.kind for f in examine(again)] == ["missing-file"]


def test_a_file_that_is_there_is_never_overwritten(filled: Gallery, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(GalleryError, match=r"mine.txt is there already; name a new file"):
        backup(filled, tmp_path / "mine.txt")

    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_folder_in_use_is_not_restored_into(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used/mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")

    for target in ("used", "file", "gallery"):
        with pytest.raises(GalleryError, match=f"{target} is there already; name a new folder"):
            restore(saved, tmp_path / target)

    assert left_in(tmp_path) == ["file", "saved.zip", "used"]


def test_an_empty_folder_is_taken(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with restore(saved, tmp_path / "empty") as again:
        assert len(again) == 5


@pytest.fixture(params=["backup", "restore"])
def work(request: pytest.FixtureRequest, filled: Gallery, saved: Path, tmp_path: Path) -> Callable:
    """One of the two, into ``half``."""
    if request.param == "backup":
        return lambda: backup(filled, tmp_path / "half")
    return lambda: restore(saved, tmp_path / "half")


def test_what_is_interrupted_leaves_nothing(
    work: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(zipfile.ZipFile, "write", stop)
    monkeypatch.setattr(zipfile.ZipFile, "open", stop)
    with pytest.raises(KeyboardInterrupt):
        work()

    assert left_in(tmp_path) == ["saved.zip"]


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(
    work: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(GalleryError, match=r"half cannot be written: No space left on device"):
        work()

    assert left_in(tmp_path) == ["saved.zip"]


@pytest.mark.skipif(os.name != "posix", reason="files cannot be kept small")
@pytest.mark.parametrize("largest", [4096, 20_480])
def test_what_the_disk_refuses_to_the_copy_is_told_by_the_name_that_was_given(
    largest: int, filled: Gallery, tmp_path: Path
) -> None:
    import resource

    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, usual[1]))
    try:
        with pytest.raises(GalleryError, match=r"/b\.zip cannot be (written|used)(?!: not an)"):
            backup(filled, tmp_path / "b.zip")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)

    assert not (tmp_path / "b.zip").exists()


def test_a_backup_into_a_folder_that_is_not_there_says_so(filled: Gallery, tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match=r"nowhere/b.zip cannot be written: there is no folder"):
        backup(filled, tmp_path / "nowhere/b.zip")


# What hostile and damaged files hold


def rewritten(saved: Path, target: Path, change: Callable[[str, bytes], tuple[str, bytes]]) -> Path:
    """The backup with other names or contents, as a well-formed zip."""
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            new.writestr(*change(entry.filename, old.read(entry)))
    return target


def refused(file: Path, tmp_path: Path) -> str:
    """Why; and nothing lies around afterwards, here or above."""
    before, above = left_in(tmp_path), sorted(tmp_path.parent.iterdir())
    with pytest.raises(NotAGallery) as caught:
        restore(file, tmp_path / "again")
    assert left_in(tmp_path) == before
    assert sorted(tmp_path.parent.iterdir()) == above
    return str(caught.value)


HEX = "ab" + 62 * "0"
HOSTILE_NAMES = [
    "../evil",
    "/etc/evil",
    "pictures/../../evil",
    "pictures/../..evil.png",
    f"pictures/ab/../{HEX}.png",
    f"pictures/cd/{HEX}.png",
    f"pictures/AB/{HEX.upper()}.png",
    f"pictures\\ab\\{HEX}.png",
    f"pictures/ab/{HEX}.png/",
    f"pictures/ab/{HEX}.p\x01g",
    "index/00000000000000001.faiss",
    "catalog.sqlite-wal",
    "CATALOG.SQLITE",
    "C:evil",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_that_no_backup_has_is_refused(saved: Path, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(saved, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"evil")

    assert "is not a backup of a gallery, or damaged: it holds " in refused(saved, tmp_path)


def test_a_link_out_of_the_gallery_is_not_made(saved: Path, tmp_path: Path) -> None:
    link = zipfile.ZipInfo(f"pictures/ab/{HEX}")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(saved, "a") as archive:
        archive.writestr(link, b"/etc/passwd")

    assert "is damaged" in refused(saved, tmp_path)


def test_a_bomb_is_refused_before_it_is_unpacked(saved: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(saved, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"pictures/ab/{HEX}.png", bytes(200_000_000))
    assert saved.stat().st_size < 10**6

    assert "it holds more than its size" in refused(saved, tmp_path)


def test_a_compressed_file_is_refused(saved: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(saved, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"pictures/ab/{HEX}.png", os.urandom(100))

    assert "is compressed" in refused(saved, tmp_path)


def test_entries_that_overlap_are_refused(saved: Path, tmp_path: Path) -> None:
    """The same bytes under many names: the quoted size is many times that of the file."""
    with zipfile.ZipFile(saved) as archive:
        entries = archive.infolist()
    catalog = next(entry for entry in entries if entry.filename == "catalog.sqlite")
    with zipfile.ZipFile(saved, "a") as archive:
        archive.filelist += [catalog] * 3
        archive._didModify = True  # type: ignore[attr-defined]

    assert "it holds more than its size" in refused(saved, tmp_path)


def test_a_file_that_is_there_twice_is_refused(saved: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(saved, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("catalog.sqlite", b"another")

    assert "it holds catalog.sqlite twice" in refused(saved, tmp_path)


def test_a_picture_with_another_hash_is_refused_and_the_way_out_is_named(
    saved: Path, tmp_path: Path
) -> None:
    other = rewritten(
        saved, tmp_path / "x.zip", lambda n, d: (n, b"rot" if n.startswith("pictures") else d)
    )

    message = refused(other, tmp_path)

    assert ".png is damaged; to save what is left, unpack it with any program" in message


@pytest.mark.parametrize(
    "content", [b"", b"text", b"PK\x05\x06" + bytes(18), b"PK\x03\x04" + bytes(100)]
)
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(content)

    assert "x.zip is not a backup of a gallery" in refused(tmp_path / "x.zip", tmp_path)


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    assert refused(tmp_path / "x.zip", tmp_path).endswith("x.zip: there is no such file")
    assert refused(tmp_path, tmp_path).endswith("is a folder; a backup is one file")


def test_a_catalog_that_is_none_is_refused_by_the_name_of_the_backup(
    saved: Path, tmp_path: Path
) -> None:
    other = rewritten(
        saved, tmp_path / "x.zip", lambda n, d: (n, d if n.startswith("pictures") else b"none")
    )

    with pytest.raises(GalleryFormatError) as caught:
        restore(other, tmp_path / "again")

    assert str(caught.value).startswith(f"{other}/catalog.sqlite is damaged or no catalog")
    assert left_in(tmp_path) == ["saved.zip", "x.zip"]


HOSTILE_SQL = {
    "it holds the trigger t": "CREATE TRIGGER t AFTER DELETE ON pictures BEGIN SELECT 1; END",
    "it holds the view v": "CREATE VIEW v AS SELECT 1",
    "it names '../../mine.txt' as its own": "UPDATE pictures SET path = '../../mine.txt' "
    "WHERE id = 4",
    "it names '/etc/passwd' as its own": "UPDATE pictures SET path = '/etc/passwd' WHERE id = 4",
    "the picture with id 1 has the path '/photos/../etc/passwd'": "UPDATE pictures SET "
    "path = '/photos/../etc/passwd' WHERE id = 1",
    "the picture with id 1 has a time that no date can show": "UPDATE pictures SET added = 1e300 "
    "WHERE id = 1",
    "the picture with id -1 has a number that none can have": "UPDATE pictures SET id = -1 "
    "WHERE id = 1",
}


@pytest.mark.parametrize(("reason", "sql"), HOSTILE_SQL.items())
def test_a_catalog_that_reaches_out_of_the_gallery_is_refused(
    saved: Path, tmp_path: Path, reason: str, sql: str
) -> None:
    """Removing such a picture would delete a file of the user's."""

    def change(name: str, data: bytes) -> tuple[str, bytes]:
        if name == "catalog.sqlite":
            (tmp_path / "c").write_bytes(data)
            connection = apsw.Connection(str(tmp_path / "c"))
            connection.execute(sql)
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.close()
            data = (tmp_path / "c").read_bytes()
            (tmp_path / "c").unlink()
        return name, data

    assert reason in refused(rewritten(saved, tmp_path / "x.zip", change), tmp_path)


def test_a_backup_cut_short_anywhere_is_refused(saved: Path, tmp_path: Path) -> None:
    data = saved.read_bytes()
    for length in range(0, len(data), len(data) // 40):
        (tmp_path / "x.zip").write_bytes(data[:length])

        refused(tmp_path / "x.zip", tmp_path)


def test_a_backup_with_any_byte_changed_is_refused_or_means_the_same(
    saved: Path, filled: Gallery, tmp_path: Path
) -> None:
    generator = np.random.default_rng(3)
    data = saved.read_bytes()
    directory = struct.unpack("<I", data[-6:-2])[0]  # where the zip lists its files
    at = [*generator.integers(len(data), size=60), *range(directory, len(data), 5)]
    for position in at:
        changed = bytearray(data)
        changed[position] ^= int(generator.integers(1, 256))
        (tmp_path / "x.zip").write_bytes(changed)

        try:
            with restore(tmp_path / "x.zip", tmp_path / "again") as again:
                assert list(again.pictures()) == list(filled.pictures())
                assert examine(again) == []
            shutil.rmtree(tmp_path / "again")
        except KkcvError:
            assert left_in(tmp_path) == ["saved.zip", "x.zip"]
