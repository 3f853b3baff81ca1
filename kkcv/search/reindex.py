"""Another network for a gallery: new vectors beside the old ones, then swapped in one step.

Searches and additions go on meanwhile. The work may be stopped at any time and goes on where it
was. The old vectors are kept for ``undo`` until the next change of network.
"""

import json
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from kkcv.embedding.embedder import Embedder
from kkcv.embedding.pipeline import ahead, embed_stream
from kkcv.errors import GalleryError, KkcvError, PictureError, RequestError

from .catalog import Picture, Writer
from .gallery import Gallery
from .generation import settings_for
from .importing import Reject
from .index.exact import inner_products
from .metrics import leave_one_out

TABLE = """
CREATE TABLE IF NOT EXISTS {name}_vectors (
    id     INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL,  -- of the file that the vector was made of
    vector BLOB NOT NULL,
    crc32  INTEGER NOT NULL
)
"""
KEPT = ("space", "dim", "vectors", "model", "weights", "backend")  # settings of a generation
TODO = """
    SELECT id FROM pictures AS p WHERE NOT EXISTS (
        SELECT 1 FROM next_vectors AS n WHERE n.id = p.id AND n.sha256 = p.sha256
    ) ORDER BY id
"""
COMMIT = 64  # pictures a transaction
SAMPLE = 2000  # pictures whose answers are compared


class Reindexed(NamedTuple):
    """What a change of network did.

    ``left_out`` are pictures whose file could not be embedded: they stay in the catalog, without a
    vector. ``overlap`` is the share of the ten nearest that stayed, over a sample. ``before`` and
    ``after`` are retrieval figures over the sample, where its metadata has a ``label``.
    """

    pictures: int
    left_out: list[Reject]
    overlap: float
    before: dict[str, float] | None
    after: dict[str, float] | None


def reindex(
    gallery: Gallery,
    embedder: Embedder,
    *,
    leave_out: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Reindexed:
    """Embed all pictures with another network, then use those vectors.

    ``leave_out`` goes on though some files cannot be read. ``progress`` is told the pictures done
    and in all.

    Raises RequestError when the network is the gallery's own, GalleryError when files cannot be
    read, GalleryLocked.
    """
    if embedder.space == gallery.space:
        raise RequestError(f"{gallery.folder} has the vectors of {embedder.space.network} already")
    begin(gallery, settings_for(embedder, gallery.catalog.settings["vectors"]))
    return finish(gallery, embedder, leave_out, progress)


def undo(
    gallery: Gallery,
    *,
    leave_out: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Reindexed:
    """Back to the network before: only what came since is embedded with it.

    Raises RequestError when there is nothing to undo, and as ``reindex`` does.
    """
    with gallery.catalog.writing() as writer:
        previous = writer.setting("previous")
        if not previous:
            raise RequestError(f"{gallery.folder} has no change of network to undo")
        writer.execute("DROP TABLE IF EXISTS next_vectors")
        writer.execute("ALTER TABLE previous_vectors RENAME TO next_vectors")
        writer.set("next", previous)
        writer.set("previous", None)
    settings = json.loads(previous)
    embedder = Embedder.load(settings["model"], settings["weights"], backend=settings["backend"])
    return finish(gallery, embedder, leave_out, progress)


def begin(gallery: Gallery, settings: dict[str, str]) -> None:
    """Make room for the new vectors, or go on with those of the same network."""
    with gallery.catalog.writing() as writer:
        under_way = json.loads(writer.setting("next", "{}"))
        if under_way.get("space") != settings["space"]:
            writer.execute("DROP TABLE IF EXISTS next_vectors")
            writer.set("next", json.dumps(settings))
        writer.execute(TABLE.format(name="next"))


def finish(
    gallery: Gallery, embedder: Embedder, leave_out: bool, progress: Callable[[int, int], None]
) -> Reindexed:
    """Embed what is missing until nothing is, then swap."""
    dtype = np.dtype(gallery.catalog.settings["vectors"])
    rejected: dict[int, Reject] = {}
    while True:
        missing = [id for id in todo(gallery) if id not in rejected]
        if missing:
            rejected |= embed_missing(gallery, embedder, missing, dtype, progress)
            if rejected and not leave_out:
                first = next(iter(rejected.values()))
                raise GalleryError(
                    f"{len(rejected)} pictures cannot be embedded again, such as {first.message}; "
                    "mend them, remove them (kkcv remove --missing), or pass --leave-out"
                )
        compared = compare(gallery, dtype, embedder.space.dim)
        with gallery.catalog.writing() as writer:
            if {id for (id,) in writer.execute(TODO)} <= rejected.keys():
                pictures = swap(writer)
                break
    gallery.live.renew()
    return Reindexed(pictures, list(rejected.values()), *compared)


def todo(gallery: Gallery) -> list[int]:
    with gallery.catalog.reading() as rows:
        return [id for (id,) in rows.execute(TODO)]


def embed_missing(
    gallery: Gallery,
    embedder: Embedder,
    missing: list[int],
    dtype: np.dtype,
    progress: Callable[[int, int], None],
) -> dict[int, Reject]:
    """New vectors for pictures by id; those that failed, with the reason."""
    rejected: dict[int, Reject] = {}
    done, total = 0, len(missing)

    def pictures() -> Iterator[Picture]:
        for start in range(0, total, COMMIT):
            with gallery.catalog.reading() as rows:
                found = list(rows.pictures(missing[start : start + COMMIT]))
            yield from found

    def prepare(picture: Picture) -> np.ndarray:
        try:
            return embedder.prepare(gallery.read(picture))
        except PictureError:
            raise
        except KkcvError as error:  # the file has gone or changed
            raise PictureError(str(error), "unreadable") from None

    stream = embed_stream(embedder, ahead(prepare, pictures()))
    while batch := list(islice(stream, COMMIT)):
        with gallery.catalog.writing() as writer:
            for picture, vector in batch:
                if isinstance(vector, np.ndarray):
                    keep(writer, picture, vector.astype(dtype).tobytes())
                elif isinstance(vector, PictureError):
                    path = str(gallery.path(picture))
                    rejected[picture.id] = Reject(path, vector.reason, f"{path}: {vector}")
        done += len(batch)
        progress(done, total)
    return rejected


def keep(writer: Writer, picture: Picture, blob: bytes) -> None:
    writer.execute(
        "INSERT OR REPLACE INTO next_vectors VALUES (?, ?, ?, ?)",
        (picture.id, picture.file.sha256, blob, zlib.crc32(blob)),
    )


def swap(writer: Writer) -> int:
    """The new vectors in place of the old ones, which are kept; in the writer's transaction.

    A picture without a new vector keeps its row and gets an empty one, which is left out of all
    answers and which ``kkcv doctor`` names.
    """
    old = {key: writer.setting(key) for key in KEPT}
    writer.execute("DROP TABLE IF EXISTS previous_vectors")
    writer.execute(TABLE.format(name="previous"))
    writer.execute("INSERT INTO previous_vectors SELECT id, sha256, vector, crc32 FROM pictures")
    writer.execute(
        f"UPDATE pictures SET vector = x'', crc32 = 0 WHERE id IN (SELECT id FROM ({TODO}))"
    )
    writer.execute(
        "UPDATE pictures SET vector = n.vector, crc32 = n.crc32 FROM next_vectors AS n "
        "WHERE n.id = pictures.id AND n.sha256 = pictures.sha256"
    )
    writer.execute("DROP TABLE next_vectors")
    for key, value in json.loads(writer.setting("next")).items():
        writer.set(key, value)
    writer.set("next", None)
    writer.set("previous", json.dumps(old))
    writer.set("epoch", str(int(writer.setting("epoch", "0")) + 1))
    writer.renumber()
    return writer.count()


def compare(
    gallery: Gallery, dtype: np.dtype, dim: int
) -> tuple[float, dict[str, float] | None, dict[str, float] | None]:
    """Overlap of the ten nearest, and retrieval figures before and after, over a sample."""
    query = (
        "SELECT p.vector, n.vector, json_extract(p.metadata, '$.label') FROM pictures AS p "
        "JOIN next_vectors AS n ON n.id = p.id AND n.sha256 = p.sha256 "
        "ORDER BY p.id * 2654435761 % 4294967296 LIMIT ?"
    )
    with gallery.catalog.reading() as rows:
        found = [
            (old, new, label)
            for old, new, label in rows.execute(query, (SAMPLE,))
            if len(old) == gallery.space.dim * dtype.itemsize
        ]
    if len(found) < 2:
        return 1.0, None, None
    before = np.frombuffer(b"".join(f[0] for f in found), dtype).reshape(len(found), -1)
    after = np.frombuffer(b"".join(f[1] for f in found), dtype).reshape(len(found), dim)
    old, new = before.astype(np.float32), after.astype(np.float32)
    labels = [str(label) for _, _, label in found if label is not None]
    if len(labels) < len(found):
        return overlap(old, new), None, None
    return overlap(old, new), figures(old, labels), figures(new, labels)


def overlap(old: np.ndarray, new: np.ndarray, k: int = 10) -> float:
    """The share of each picture's k nearest others that are the same in both."""
    k = min(k, len(old) - 1)
    both = (inner_products(vectors, vectors, k + 1)[0].tolist() for vectors in (old, new))
    shares = [
        len(set(others(first, i, k)) & set(others(second, i, k))) / k
        for i, (first, second) in enumerate(zip(*both, strict=True))
    ]
    return float(np.mean(shares))


def others(rows: list[int], own: int, k: int) -> list[int]:
    return [row for row in rows if row != own][:k]


def figures(vectors: np.ndarray, labels: list[str]) -> dict[str, float] | None:
    try:
        found = leave_one_out(vectors, labels)
    except ValueError:
        return None
    return {"mAP": found.mean_average_precision, "precision@1": found.precision[1]}


def as_plain(report: Reindexed) -> dict[str, Any]:
    """For JSON."""
    return {**report._asdict(), "left_out": [reject._asdict() for reject in report.left_out]}
