"""A gallery as a Parquet file, and back.

One row per picture: ``id``, ``path``, ``sha256`` (hex), ``bytes``, ``mtime_ns``, ``added`` (seconds
since 1970), ``metadata`` (JSON), ``vector``. The file's own metadata describe the network under
``kkcv``. ``id`` and ``added`` are empty in a file that does not come from a gallery. An export has
its sha256 beside it, so that a damaged file is refused before anything of it comes in.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kkcv.disk import absolute, atomic_write, must_be_a_file, reason, sha256_of, write_file, writing
from kkcv.embedding.space import EmbeddingSpace
from kkcv.errors import DataError, EmbedderMismatch, GalleryError
from kkcv.extras import need
from kkcv.metadata import MAX_METADATA, fault
from kkcv.search.engines import engine_at
from kkcv.search.gallery import Gallery
from kkcv.search.opened.generation import Generation
from kkcv.search.opened.opened import VECTOR_TYPES
from kkcv.search.picture import END_OF_TIME, PictureFile, as_path, as_text

from .folders import folders_of

if TYPE_CHECKING:
    import pyarrow

FORMAT = 1
ROWS = 1024  # in memory at once
LONGEST_PATH = 4096  # bytes, as Linux has it
LONGEST_TEXT = 4 * MAX_METADATA  # bytes, in UTF-8
TEXTS = ("path", "sha256", "metadata")
KEPT = ("space", "dim", "vectors", "model", "weights", "backend")  # of the catalog's settings


class Row(NamedTuple):
    """A picture in the file. ``added`` is in seconds since 1970."""

    file: PictureFile
    added: float | None
    metadata: dict[str, Any]
    vector: np.ndarray


def export(gallery: Gallery, file: str | PathLike[str]) -> int:
    """Write all pictures, complete or not at all, and the sha256 of the file; their number.

    Pictures with a damaged vector are left out with a warning: run kkcv doctor first. Raises
    GalleryError if the file exists or cannot be written, MissingExtra.
    """
    target, catalog = absolute(file), gallery.catalog
    if os.path.exists(target):
        raise GalleryError(f"{target} is there already; name a new file")
    schema, count = described_schema(catalog.settings, folders_of(gallery)), 0
    with (
        writing(target, GalleryError),
        catalog.reading(frozen=True) as rows,
        atomic_write(target) as part,
    ):
        with parquet_writer(part, schema) as writer:
            for ids, vectors in rows.stored_vectors(ROWS):
                pictures = list(rows.pictures(ids))
                writer.write_table(
                    table(
                        schema,
                        [replace(p.file, path=str(gallery.path(p))) for p in pictures],
                        vectors,
                        ids=[p.id for p in pictures],
                        added=[p.added_seconds for p in pictures],
                        metadata=[p.metadata for p in pictures],
                    )
                )
                count += len(ids)
        write_file(checksum_file(target), f"{sha256_of(part)}  {target.name}\n")
    return count


def parquet_writer(file: Path, schema: "pyarrow.Schema") -> "pyarrow.parquet.ParquetWriter":
    """Writes tables into a new file, with a checksum of each page."""
    _, pq = arrow()
    return pq.ParquetWriter(file, schema, write_page_checksum=True)


def checksum_file(file: str | PathLike[str]) -> Path:
    """``photos.parquet.sha256``, as ``sha256sum`` writes and checks it."""
    return absolute(f"{os.fspath(file)}.sha256")


def is_damaged(file: str | PathLike[str]) -> bool:
    """Whether there is a checksum beside the file that is not that of its bytes."""
    try:
        expected = checksum_file(file).read_bytes()
    except FileNotFoundError:
        return False
    return not expected.startswith(sha256_of(absolute(file)).encode())


def schema_of(vectors: str, dim: int) -> "pyarrow.Schema":
    pa, _ = arrow()
    value = pa.float16() if vectors == "float16" else pa.float32()
    return pa.schema(
        [
            ("id", pa.int64()),
            ("path", pa.string()),
            ("sha256", pa.string()),
            ("bytes", pa.int64()),
            ("mtime_ns", pa.int64()),
            ("added", pa.float64()),
            ("metadata", pa.string()),
            ("vector", pa.list_(value, dim)),
        ]
    )


def described_schema(
    settings: Mapping[str, str], folders: Sequence[str] | None = None
) -> "pyarrow.Schema":
    """The columns, and the description of the network from a catalog's settings."""
    about: dict[str, Any] = {"format": FORMAT, "gallery": {key: settings[key] for key in KEPT}}
    if folders is not None:
        about["folders"] = list(folders)
    schema = schema_of(settings["vectors"], int(settings["dim"]))
    return schema.with_metadata({"kkcv": json.dumps(about)})


def table(
    schema: "pyarrow.Schema",
    files: Sequence[PictureFile],
    vectors: np.ndarray,
    *,
    ids: Sequence[int] | None = None,
    added: Sequence[float] | None = None,
    metadata: Sequence[Mapping[str, Any]] | None = None,
) -> "pyarrow.Table":
    """One row per file, with an absolute path; the vectors are float32 (N, D)."""
    pa, _ = arrow()
    kind = schema.field("vector").type
    flat = pa.array(vectors.reshape(-1).astype(kind.value_type.to_pandas_dtype()), kind.value_type)
    nothing = [None] * len(files)
    columns = {
        "id": ids or nothing,
        "path": [as_text(file.path) for file in files],
        "sha256": [file.sha256.hex() for file in files],
        "bytes": [file.bytes for file in files],
        "mtime_ns": [file.mtime_ns for file in files],
        "added": added or nothing,
        "metadata": [json.dumps(m, ensure_ascii=False) for m in metadata or [{}] * len(files)],
        "vector": pa.FixedSizeListArray.from_arrays(flat, kind.list_size),
    }
    return pa.table(columns, schema=schema)


def opened(file: str | PathLike[str]) -> tuple["pyarrow.parquet.ParquetFile", dict[str, str]]:
    """The file, and the settings of the gallery that exported it (DataError)."""
    pa, pq = arrow()
    try:
        must_be_a_file(file)
    except OSError as error:
        raise DataError(f"{file} is no Parquet file that kkcv exported: {reason(error)}") from None
    try:
        if is_damaged(file):
            raise DataError(f"{file} is damaged: its checksum is not that of its bytes")
        source = pq.ParquetFile(file, page_checksum_verification=True)
        about = json.loads((source.schema_arrow.metadata or {})[b"kkcv"])
        if about["format"] > FORMAT:
            raise DataError(f"{file} was exported by a newer kkcv; update kkcv")
        settings = {key: str(about["gallery"][key]) for key in KEPT}
        space = EmbeddingSpace.from_dict(json.loads(settings["space"]))
        schema = schema_of(settings["vectors"], space.row)
        if (
            settings["vectors"] not in VECTOR_TYPES
            or settings["dim"] != str(space.row)
            or not source.schema_arrow.equals(schema)
        ):
            raise ValueError
        # so that a long text which many rows share is in memory once
        source = pq.ParquetFile(file, page_checksum_verification=True, read_dictionary=[*TEXTS])
    except (OSError, ValueError, KeyError, TypeError, GalleryError, pa.ArrowException):
        raise DataError(f"{file} is no Parquet file that kkcv exported") from None
    return source, settings


def described_folders(source: "pyarrow.parquet.ParquetFile") -> list[str] | None:
    """The folders that hold the pictures of an export; None where the file says none."""
    found = json.loads(source.schema_arrow.metadata[b"kkcv"]).get("folders")
    if not isinstance(found, list):
        return None
    return [folder for folder in found if isinstance(folder, str) and os.path.isabs(folder)]


def gallery_for(
    address: str | PathLike[str], settings: dict[str, str], file: str | PathLike[str]
) -> Gallery:
    """The existing gallery, if it has the same space, or a new one."""
    engine = engine_at(address)
    engine.must_be_free(address)
    gallery = Gallery.of(Generation(engine.create(address, settings)))
    theirs = EmbeddingSpace.from_dict(json.loads(settings["space"]))
    if theirs != gallery.generation.stored_space:
        gallery.close()
        differences = "; ".join(gallery.generation.stored_space.differences(theirs))
        raise EmbedderMismatch(
            f"{file} has vectors of another kind than {gallery.address}: {differences}"
        )
    return gallery


def batches(
    source: "pyarrow.parquet.ParquetFile", file: str | PathLike[str]
) -> Iterator["pyarrow.RecordBatch"]:
    """All rows of the file; DataError at its end if some are missing."""
    pa, _ = arrow()
    count, expected = 0, source.metadata.num_rows
    try:
        for batch in source.iter_batches(ROWS):
            count += len(batch)
            yield batch
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{file} is damaged: {str(error).splitlines()[0]}") from None
    if count != expected:
        raise DataError(f"{file} is damaged: it has {count} rows and should have {expected}")


def unpacked(batch: "pyarrow.RecordBatch", file: str | PathLike[str], dim: int) -> Iterator[Row]:
    """The rows of a batch, each checked as a request is (DataError).

    The first ``dim`` numbers of a vector are those of the whole picture.
    """
    check_lengths(batch, file)
    try:
        columns = batch.drop_columns(["vector"]).to_pylist()
    except UnicodeDecodeError:
        raise DataError(f"{file}: a row has text that is not UTF-8") from None
    vectors = batch.column("vector").flatten().to_numpy(zero_copy_only=False)
    if batch.column("vector").null_count or len(vectors) % max(1, len(columns)):
        raise DataError(f"{file}: a row has no vector")
    vectors = vectors.astype(np.float32).reshape(len(columns), -1)
    lengths = np.linalg.norm(vectors[:, :dim], axis=1)
    lengths[~np.isfinite(vectors).all(axis=1)] = np.nan  # also of parts: no such row is good
    for row, vector, length in zip(columns, vectors, lengths, strict=True):
        try:
            path, sha256 = as_path(row["path"]), bytes.fromhex(row["sha256"])
            place = PictureFile(path, False, sha256, row["bytes"], row["mtime_ns"])
            small = len(row["metadata"]) <= MAX_METADATA  # before it is parsed
            metadata: Any = json.loads(row["metadata"]) if small else None
            good = (
                os.path.isabs(place.path)
                and os.path.normpath(place.path) == place.path  # no ".." on the way
                and "\0" not in place.path
                and len(os.fsencode(place.path)) <= LONGEST_PATH
                and len(place.sha256) == 32  # bytes of a SHA-256
                and isinstance(metadata, dict)
                and fault(metadata) is None
                and row["mtime_ns"] is not None
                and row["bytes"] >= 0
                and (row["id"] is None or row["id"] > 0)
                and (row["added"] is None or 0 <= row["added"] < END_OF_TIME)
                and abs(length - 1) < 0.01  # float16 moves it by a thousandth
            )
        except (TypeError, ValueError, RecursionError):
            good = False
        if not good:
            raise DataError(f"{file}: the row of {row['path']!r:.200} is not as kkcv exports one")
        yield Row(place, row["added"], metadata, vector)


def check_lengths(batch: "pyarrow.RecordBatch", file: str | PathLike[str]) -> None:
    """Refuse texts that are too long before each row gets its own (DataError)."""
    import pyarrow.compute as pc

    for name in TEXTS:
        column = batch.column(name)
        texts = getattr(column, "dictionary", column)
        longest = pc.max(pc.binary_length(texts)).as_py() or 0
        if longest > LONGEST_TEXT:
            raise DataError(f"{file}: a row has a {name} of {longest:,} bytes, which none needs")


def arrow() -> tuple[Any, Any]:
    need("pyarrow")
    import pyarrow
    import pyarrow.parquet

    return pyarrow, pyarrow.parquet
