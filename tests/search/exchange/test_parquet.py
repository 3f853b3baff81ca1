"""A gallery as Parquet and back: bit for bit, and nothing but kkcv's own comes in."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kkcv.checkpoint import Checkpoint
from kkcv.embedding.embedder import Embedder
from kkcv.errors import DataError, EmbedderMismatch, GalleryError, NotAGallery
from kkcv.search.exchange import loading
from kkcv.search.exchange import parquet as module
from kkcv.search.exchange.loading import import_parquet
from kkcv.search.exchange.parquet import export
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.library import library
from tests.search.conftest import PREPROCESS

Paint = Callable[..., Path]


@pytest.fixture
def filled(gallery: Gallery, paint: Paint) -> Gallery:
    """Two files of the user's and two that the gallery stores."""
    import_pictures(gallery, [paint(f"{seed}.png", seed) for seed in (1, 2)])
    for seed in (3, 4):
        gallery.add(paint(f"{seed}.png", seed), {"猫": seed, "deep": {"list": [1, None]}})
    return gallery


@pytest.fixture
def exported(filled: Gallery, tmp_path: Path) -> Path:
    assert export(filled, tmp_path / "e.parquet") == 4
    return tmp_path / "e.parquet"


def test_any_program_can_read_it(exported: Path, filled: Gallery) -> None:
    table = pq.read_table(exported)

    assert table.column_names == (
        ["id", "path", "sha256", "bytes", "mtime_ns", "added", "metadata", "vector"]
    )
    for row, picture in zip(table.to_pylist(), filled.pictures(), strict=True):
        assert row["id"] == picture.id
        assert row["path"] == str(filled.path(picture))
        assert row["sha256"] == picture.file.sha256.hex()
        assert row["added"] == picture.added_seconds
        assert json.loads(row["metadata"]) == picture.metadata


@pytest.mark.parametrize("kind", ["float16", "float32"])
def test_vectors_go_there_and_back_bit_for_bit(
    tmp_path: Path, embedder: Embedder, paint: Paint, kind: str
) -> None:
    paths = [paint(f"{seed}.png", seed) for seed in range(5)]
    with Gallery.create(tmp_path / "a", embedder, vectors=kind) as gallery:
        import_pictures(gallery, paths)
        export(gallery, tmp_path / "e.parquet")
        before = stored(gallery)

    assert import_parquet(tmp_path / "b", tmp_path / "e.parquet") == (5, 0)

    column = pq.read_schema(tmp_path / "e.parquet").field("vector").type
    assert column.value_type == {"float16": pa.float16(), "float32": pa.float32()}[kind]
    with Gallery.open(tmp_path / "b", embedder) as again:
        assert stored(again) == before
        assert again.search(paths[3], k=1)[0].path == str(paths[3])


def stored(gallery: Gallery) -> dict[str, tuple[bytes, float, str]]:
    """The bytes of each vector, when it came and its metadata, by path."""
    with gallery.catalog.reading() as rows:
        return {
            path: (vector, added, metadata)
            for path, vector, added, metadata in rows.execute(
                "SELECT path, vector, added, metadata FROM pictures"
            )
        }


def test_metadata_and_the_time_of_adding_come_along(
    exported: Path, filled: Gallery, tmp_path: Path
) -> None:
    import_parquet(tmp_path / "again", exported)

    with Gallery.open(tmp_path / "again") as again:
        for was, now in zip(filled.pictures(), again.pictures(), strict=True):
            assert (now.metadata, now.added) == (was.metadata, was.added)
            assert again.path(now) == filled.path(was)
            assert again.read(now) == filled.read(was)


def test_importing_twice_or_into_itself_changes_nothing(
    exported: Path, filled: Gallery, tmp_path: Path
) -> None:
    before = list(filled.pictures())

    assert import_parquet(filled.folder, exported) == (0, 4)

    assert list(filled.pictures()) == before
    assert import_parquet(tmp_path / "again", exported) == (4, 0)
    assert import_parquet(tmp_path / "again", exported) == (0, 4)


def test_a_disk_is_asked_once_for_a_folder_not_for_each_picture(
    gallery: Gallery, paint: Paint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = paint("album/1.png", 1).parent
    paint("album/2.png", 2)
    import_pictures(gallery, [folder])
    export(gallery, tmp_path / "e.parquet")
    asked = []
    monkeypatch.setattr(library, "answers", lambda path: asked.append(path) or True)

    assert import_parquet(gallery.folder, tmp_path / "e.parquet") == (0, 2)
    assert asked == [str(folder)]


def test_it_comes_in_beside_what_is_there(
    exported: Path, tmp_path: Path, embedder: Embedder, paint: Paint
) -> None:
    with Gallery.create(tmp_path / "other", embedder) as other:
        import_pictures(other, [paint("1.png", 1), paint("9.png", 9)])
        with other.catalog.writing() as writer:
            writer.update(1, metadata={"mine": True})

        assert import_parquet(other.folder, exported) == (3, 1)

        assert len(other) == 5
        assert other.get(1).metadata == {"mine": True}
        assert Path(other.search(paint("4.png", 4), k=1)[0].path).stem.startswith(
            "".join(f"{byte:02x}" for byte in other.get(5).file.sha256)
        )


def test_vectors_of_another_network_are_refused_and_the_gallery_is_untouched(
    exported: Path, tmp_path: Path
) -> None:
    other = Embedder(Checkpoint("other", "other", None, PREPROCESS), runtime="grid")
    with Gallery.create(tmp_path / "other", other) as gallery:
        with pytest.raises(EmbedderMismatch, match="network other here, grid there"):
            import_parquet(tmp_path / "other", exported)

        assert len(gallery) == 0


def test_a_file_that_is_there_is_never_overwritten(exported: Path, filled: Gallery) -> None:
    before = exported.read_bytes()

    with pytest.raises(GalleryError, match=r"e.parquet is there already; name a new file"):
        export(filled, exported)

    assert exported.read_bytes() == before


def test_an_export_is_complete_or_not_there(
    filled: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(GalleryError, match=r"x.parquet cannot be written: No space left on device"):
        export(filled, tmp_path / "x.parquet")

    assert not list(tmp_path.glob("x.parquet*"))


def test_an_export_into_a_folder_that_is_not_there_says_so(filled: Gallery, tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match=r"nowhere/x.parquet cannot be written: "):
        export(filled, tmp_path / "nowhere/x.parquet")


def test_a_folder_with_other_things_is_not_made_a_gallery(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(NotAGallery, match="is a folder with other things in it"):
        import_parquet(tmp_path / "photos", exported)

    assert not (tmp_path / "photos/catalog.sqlite").exists()


def test_many_rows_come_in_batches_and_memory_stays_small(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    unpacked = loading.unpacked
    monkeypatch.setattr(module, "ROWS", 3)
    monkeypatch.setattr(
        loading, "unpacked", lambda batch, *rest: seen.append(len(batch)) or unpacked(batch, *rest)
    )

    assert import_parquet(tmp_path / "again", exported) == (4, 0)

    assert seen == [3, 1]


# What is not kkcv's


def described(table: pa.Table, **changes: object) -> pa.Table:
    """With kkcv's description changed."""
    about = json.loads(table.schema.metadata[b"kkcv"])
    about["gallery"] |= {key: value for key, value in changes.items() if key in about["gallery"]}
    about |= {key: value for key, value in changes.items() if key in about}
    return table.replace_schema_metadata({"kkcv": json.dumps(about)})


def with_column(table: pa.Table, name: str, values: list) -> pa.Table:
    index = table.column_names.index(name)
    return table.set_column(index, table.schema.field(name), pa.array(values, table[name].type))


FOREIGN = {
    "without kkcv's description": lambda t: t.replace_schema_metadata(None),
    "with a description that is an empty list": lambda t: t.replace_schema_metadata({"kkcv": "[]"}),
    "without vectors": lambda t: t.drop_columns(["vector"]),
    "with ids that are text": lambda t: t.set_column(0, "id", t["id"].cast(pa.string())),
    "with vectors of another size": lambda t: described(t, dim="49"),
    "with vectors of another type": lambda t: described(t, vectors="float64"),
    "with a space that is empty": lambda t: described(t, space="{}"),
}


@pytest.mark.parametrize("change", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_table_that_kkcv_did_not_export_is_refused(
    exported: Path, tmp_path: Path, change: Callable[[pa.Table], pa.Table]
) -> None:
    pq.write_table(change(pq.read_table(exported)), tmp_path / "x.parquet")

    with pytest.raises(DataError, match=r"x.parquet is no Parquet file that kkcv exported"):
        import_parquet(tmp_path / "again", tmp_path / "x.parquet")

    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("content", [b"", b"PAR1", b"text " * 50])
def test_what_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.parquet").write_bytes(content)

    with pytest.raises(DataError, match="is no Parquet file that kkcv exported"):
        import_parquet(tmp_path / "again", tmp_path / "x.parquet")


def test_an_export_of_a_newer_kkcv_is_refused(exported: Path, tmp_path: Path) -> None:
    pq.write_table(described(pq.read_table(exported), format=2), tmp_path / "x.parquet")

    with pytest.raises(DataError, match="was exported by a newer kkcv; update kkcv"):
        import_parquet(tmp_path / "again", tmp_path / "x.parquet")


def nan(table: pa.Table) -> list:
    vectors = table["vector"].to_pylist()
    return [*vectors[:-1], [float("nan")] * 48]


BAD_ROWS = {
    "a vector that is not finite": ("vector", nan),
    "a vector of another length": ("vector", lambda t: [[5.0] * 48] * 4),
    "no vector": ("vector", lambda t: [*t["vector"].to_pylist()[:-1], None]),
    "no path": ("path", lambda t: ["/a", "/b", "/c", None]),
    "a path that is not absolute": ("path", lambda t: ["/a", "/b", "/c", "../d"]),
    "no hash": ("sha256", lambda t: [*t["sha256"].to_pylist()[:-1], None]),
    "a hash that is too short": ("sha256", lambda t: [*t["sha256"].to_pylist()[:-1], "abcd"]),
    "no size": ("bytes", lambda t: [1, 1, 1, None]),
    "metadata that is no JSON": ("metadata", lambda t: ["{}", "{}", "{}", "{"]),
    "a path with a NUL": ("path", lambda t: ["/a", "/b", "/c", "/d\0"]),
    "a path that no file can have": ("path", lambda t: ["/a", "/b", "/c", "/d" * 3000]),
    "a vector of zeros": ("vector", lambda t: [*t["vector"].to_pylist()[:-1], [0.0] * 48]),
    "a size below zero": ("bytes", lambda t: [1, 1, 1, -1]),
    "an id below one": ("id", lambda t: [1, 2, 3, 0]),
    "a time that no date can show": ("added", lambda t: [1.0, 1.0, 1.0, 1e300]),
    "a time that is no number": ("added", lambda t: [1.0, 1.0, 1.0, float("nan")]),
    "a time before 1970": ("added", lambda t: [1.0, 1.0, 1.0, -1.0]),
    "too much metadata": ("metadata", lambda t: ["{}"] * 3 + [f'{{"a": "{"x" * 20_000}"}}']),
    "metadata too deep": ("metadata", lambda t: ["{}"] * 3 + ['{"a":' + "[" * 20 + "]" * 20 + "}"]),
    "metadata without a bottom": ("metadata", lambda t: ["{}"] * 3 + ['{"a":' + "[" * 7_000]),
    "metadata with a number that is not finite": ("metadata", lambda t: ["{}"] * 3 + ['{"a":NaN}']),
    "metadata that is no object": ("metadata", lambda t: ["{}", "{}", "{}", "[]"]),
}


@pytest.mark.parametrize(("name", "values"), BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_a_row_that_makes_no_sense_is_refused_by_name(
    exported: Path, tmp_path: Path, name: str, values: Callable[[pa.Table], list]
) -> None:
    table = pq.read_table(exported)
    pq.write_table(with_column(table, name, values(table)), tmp_path / "x.parquet")

    with pytest.raises(
        DataError, match=r"x.parquet: (the row of .* is not as|a row has no vector)"
    ):
        import_parquet(tmp_path / "again", tmp_path / "x.parquet")

    with Gallery.open(tmp_path / "again") as again:
        assert len(again) == 0


@pytest.mark.parametrize("path", ["/etc/passwd", "{folder}/../etc/passwd", "{into}/catalog.sqlite"])
def test_a_row_names_no_file_outside_of_the_folders_that_it_is_of(
    exported: Path, filled: Gallery, tmp_path: Path, path: str
) -> None:
    into = tmp_path / "again"
    named = path.format(folder=tmp_path / "photos", into=into)
    table = pq.read_table(exported)
    paths = [*table["path"].to_pylist()[:-1], named]
    pq.write_table(with_column(table, "path", paths), tmp_path / "x.parquet")

    with pytest.raises(DataError, match=r"the row of .* (in none of the folders|is not as kkcv)"):
        import_parquet(into, tmp_path / "x.parquet")

    with Gallery.open(into) as again:
        assert len(again) == 0


def test_a_folder_that_the_person_names_lets_its_files_in(exported: Path, tmp_path: Path) -> None:
    table = pq.read_table(exported)
    paths = [f"/elsewhere/{n}.png" for n in range(4)]
    pq.write_table(with_column(table, "path", paths), tmp_path / "x.parquet")

    with pytest.raises(DataError, match="in none of the folders"):
        import_parquet(tmp_path / "again", tmp_path / "x.parquet")
    assert import_parquet(tmp_path / "again", tmp_path / "x.parquet", roots=["/elsewhere"]) == (
        4,
        0,
    )


def test_of_a_file_that_says_no_folders_pictures_alone_come_in(
    exported: Path, tmp_path: Path
) -> None:
    table = pq.read_table(exported)
    about = json.loads(table.schema.metadata[b"kkcv"])
    del about["folders"]
    table = table.replace_schema_metadata({"kkcv": json.dumps(about)})
    pq.write_table(table, tmp_path / "old.parquet")
    secret = with_column(table, "path", ["/a.png", "/b.JPG", "/c.heic", "/root/.ssh/id_rsa"])
    pq.write_table(secret, tmp_path / "x.parquet")

    assert import_parquet(tmp_path / "old", tmp_path / "old.parquet") == (4, 0)
    with pytest.raises(DataError, match=r"the row of '/root/.ssh/id_rsa' names a file"):
        import_parquet(tmp_path / "again", tmp_path / "x.parquet")


def test_a_long_text_that_all_rows_share_is_refused_before_each_has_it(
    exported: Path, tmp_path: Path
) -> None:
    """Some kilobytes in the file, and 20 MB a row once."""
    table = pq.read_table(exported)
    long = with_column(table, "metadata", [json.dumps({"a": "x" * 20_000_000})] * 4)
    pq.write_table(long, tmp_path / "x.parquet", compression="zstd")
    assert (tmp_path / "x.parquet").stat().st_size < 100_000

    with pytest.raises(DataError, match="a row has a metadata of 20,000,009 bytes"):
        import_parquet(tmp_path / "again", tmp_path / "x.parquet")


def test_a_file_from_no_gallery_has_neither_ids_nor_times(exported: Path, tmp_path: Path) -> None:
    table = pq.read_table(exported)
    for name in ("id", "added"):
        table = with_column(table, name, [None] * 4)
    pq.write_table(table, tmp_path / "x.parquet")

    assert import_parquet(tmp_path / "again", tmp_path / "x.parquet") == (4, 0)


def test_any_damaged_byte_is_one_clear_error_and_nothing_comes_in(
    exported: Path, tmp_path: Path
) -> None:
    """Every byte, and bits all over the footer, whose damage can mean anything."""
    data = exported.read_bytes()
    footer = len(data) - int.from_bytes(data[-8:-4], "little") - 8
    everywhere = [(at, 1 + at % 255) for at in range(len(data))]
    bits = [(at, 1 << at * 3 % 8) for at in range(footer, len(data))]
    seen = set()

    with exported.open("rb+", buffering=0) as file:
        for at, change in everywhere + bits:
            os.pwrite(file.fileno(), bytes([data[at] ^ change]), at)
            with pytest.raises(DataError) as caught:
                import_parquet(tmp_path / "again", exported)
            seen.add(str(caught.value).replace(str(exported), "FILE"))
            os.pwrite(file.fileno(), data[at : at + 1], at)

    assert not (tmp_path / "again").exists()
    assert seen == {"FILE is damaged: its checksum is not that of its bytes"}


def test_sha256sum_checks_an_export(exported: Path) -> None:
    command = ["sha256sum", "--check", f"{exported.name}.sha256"]

    subprocess.run(command, cwd=exported.parent, check=True)


def test_without_its_checksum_a_damaged_page_is_noticed(exported: Path, tmp_path: Path) -> None:
    data = bytearray(exported.read_bytes())
    data[200] ^= 1
    (tmp_path / "alone.parquet").write_bytes(data)

    with pytest.raises(DataError, match="is damaged"):
        import_parquet(tmp_path / "again", tmp_path / "alone.parquet")


def test_a_file_cut_short_anywhere_is_refused(exported: Path, tmp_path: Path) -> None:
    for size in range(exported.stat().st_size - 1, -1, -7):
        os.truncate(exported, size)

        with pytest.raises(DataError):
            import_parquet(tmp_path / "again", exported)

    assert not (tmp_path / "again").exists()


def test_a_file_that_another_program_wrote_anew_comes_in_without_a_checksum(
    exported: Path, tmp_path: Path
) -> None:
    table = pq.read_table(exported)
    pq.write_table(table.slice(1, 2), tmp_path / "x.parquet")

    assert import_parquet(tmp_path / "again", tmp_path / "x.parquet") == (2, 0)


def test_without_a_checksum_rows_that_went_missing_are_noticed(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged footer can promise rows that no reader finds."""
    source, _ = module.opened(exported)
    fewer = pq.read_table(exported).slice(0, 3).to_batches()
    monkeypatch.setattr(source, "iter_batches", lambda rows: iter(fewer))

    with pytest.raises(DataError, match=r"is damaged: it has 3 rows and should have 4"):
        list(module.batches(source, exported))
