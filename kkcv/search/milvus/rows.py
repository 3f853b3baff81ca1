"""A row of a collection: a picture, its vector, and the fields that are searched."""

import hashlib
import re
import secrets
from typing import Any, NamedTuple

import numpy as np

from kkcv.errors import RequestError
from kkcv.metadata import read_metadata
from kkcv.search.picture import Picture, PictureFile, as_path, as_text

from .filters import packed, terms_of
from .layout import Layout
from .server import Server, make_collection, milvus

LONGEST_PATH = 8192  # bytes
LONGEST = 65_535  # bytes, of text in a field
FIELDS = ["id", "path", "stored", "sha256", "bytes", "mtime_ns", "added", "metadata"]
OLD = re.compile(r"v?2\.[0-3]\.")
INDEX = {"index_type": "HNSW", "metric_type": "IP", "params": {"M": 32, "efConstruction": 200}}


class Row(NamedTuple):
    """``vector`` is None for a picture that could not be embedded: no search finds it.

    ``version`` is a random number, new after each change.
    """

    picture: Picture
    version: int
    vector: np.ndarray | None


def make_rows(server: Server, name: str, dim: int) -> None:
    """Create an empty collection of rows, ready for questions."""
    kinds = milvus().DataType
    schema = milvus().MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", kinds.INT64, is_primary=True)
    schema.add_field("place", kinds.VARCHAR, max_length=64)  # sha256 of the path
    schema.add_field("sha256", kinds.VARCHAR, max_length=64)
    schema.add_field("path", kinds.VARCHAR, max_length=LONGEST_PATH)
    schema.add_field("stored", kinds.BOOL)
    schema.add_field("bytes", kinds.INT64)
    schema.add_field("mtime_ns", kinds.INT64)
    schema.add_field("added", kinds.DOUBLE)
    schema.add_field("metadata", kinds.VARCHAR, max_length=LONGEST)
    schema.add_field("terms", kinds.JSON)  # filters.py
    schema.add_field("version", kinds.INT64)
    schema.add_field("embedded", kinds.BOOL)
    schema.add_field("vector", kinds.FLOAT_VECTOR, dim=dim)
    indexes = milvus().MilvusClient.prepare_index_params()
    indexes.add_index("vector", **INDEX)
    for text in ("place", "sha256"):
        indexes.add_index(text, index_type=text_index(server))
    make_collection(server, name, schema, indexes)


def text_index(server: Server) -> str:
    """The index for text, which had another name in old versions."""
    old = OLD.match(server.call("get_server_version"))
    return "Trie" if old else "INVERTED"


def place_of(path: str) -> str:
    return hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()


def new_version() -> int:
    return secrets.randbits(62)  # fits into an INT64


def pack(row: Row, layout: Layout) -> dict[str, Any]:
    """A row for pymilvus (RequestError if Milvus cannot hold it)."""
    picture, file = row.picture, row.picture.file
    path = as_text(file.path)
    if len(path.encode()) > LONGEST_PATH:
        raise RequestError(f"a path in Milvus has at most {LONGEST_PATH} bytes: {path[:60]}…")
    return {
        "id": picture.id,
        "place": place_of(file.path),
        "sha256": file.sha256.hex(),
        "path": path,
        "stored": file.stored,
        "bytes": file.bytes,
        "mtime_ns": file.mtime_ns,
        "added": picture.added_seconds,
        "metadata": packed(picture.metadata),
        "terms": terms_of(picture),
        "version": row.version,
        "embedded": row.vector is not None,
        "vector": (
            np.zeros(layout.dim, np.float32) if row.vector is None else layout.stored(row.vector)
        ),
    }


def unpack(found: dict[str, Any]) -> Picture:
    file = PictureFile(
        as_path(found["path"]),
        found["stored"],
        bytes.fromhex(found["sha256"]),
        found["bytes"],
        found["mtime_ns"],
    )
    return Picture(found["id"], file, found["added"], read_metadata(found["metadata"]))
