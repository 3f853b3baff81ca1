"""The vectors of another network, in a table of the catalog until they are swapped in."""

import json
import zlib
from collections.abc import Sequence

import numpy as np

from kkcv.search import engine
from kkcv.search.engine import Vectors
from kkcv.search.engine.kept import SETTING as KEPT
from kkcv.search.engine.kept import Kept
from kkcv.search.engine.projection import SETTING
from kkcv.search.picture import Picture
from kkcv.timing import Progress, no_progress

from .catalog import Catalog
from .reader import bound
from .writer import Writer

TABLE = """
CREATE TABLE IF NOT EXISTS {name}_vectors (
    id     INTEGER PRIMARY KEY,
    sha256 BLOB NOT NULL,  -- of the file that the vector was made of
    vector BLOB NOT NULL,
    crc32  INTEGER NOT NULL
)
"""
GENERATION = ("space", "dim", "vectors", "model", "weights", "backend", "projection")
TODO = """
    SELECT id FROM pictures AS p WHERE NOT EXISTS (
        SELECT 1 FROM next_vectors AS n WHERE n.id = p.id AND n.sha256 = p.sha256
    ) ORDER BY id
"""
MADE = """
    SELECT id, n.vector FROM next_vectors AS n JOIN pictures AS p USING (id)
    WHERE id IN carray(?) AND n.sha256 = p.sha256 ORDER BY id
"""


class NextVectors(engine.NextVectors):
    """The settings ``next`` and ``previous`` of the catalog describe the networks."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def begin(self, settings: dict[str, str]) -> None:
        with self._catalog.writing() as writer:
            under_way = json.loads(writer.setting("next", "{}"))
            if under_way.get("space") != settings["space"]:  # else it goes on where it was
                writer.execute("DROP TABLE IF EXISTS next_vectors")
                writer.set("next", json.dumps(settings))
            writer.execute(TABLE.format(name="next"))

    def begin_undo(self) -> dict[str, str] | None:
        with self._catalog.writing() as writer:
            previous = writer.setting("previous")
            if not previous:
                return None
            writer.execute("DROP TABLE IF EXISTS next_vectors")
            writer.execute("ALTER TABLE previous_vectors RENAME TO next_vectors")
            writer.set("next", previous)
            writer.set("previous", None)
        return json.loads(previous)

    def todo(self) -> list[int]:
        with self._catalog.reading() as rows:
            return [id for (id,) in rows.execute(TODO)]

    def keep(self, embedded: Sequence[tuple[Picture, np.ndarray]]) -> None:
        dtype = np.dtype(self._catalog.settings["vectors"])
        with self._catalog.writing() as writer:
            for picture, vector in embedded:
                blob = vector.astype(dtype).tobytes()
                writer.execute(
                    "INSERT OR REPLACE INTO next_vectors VALUES (?, ?, ?, ?)",
                    (picture.id, picture.file.sha256, blob, zlib.crc32(blob)),
                )

    def vectors(self, ids: np.ndarray) -> Vectors:
        dtype = np.dtype(self._catalog.settings["vectors"])
        with self._catalog.reading() as rows:
            found = list(rows.execute(MADE, (bound(ids),)))
        if found:
            made, blobs = zip(*found, strict=True)
            vectors = np.frombuffer(b"".join(blobs), dtype).reshape(len(found), -1)
            yield np.array(made, np.int64), vectors.astype(np.float32)

    def swap(self, without: set[int]) -> int | None:
        with self._catalog.writing() as writer:
            if not {id for (id,) in writer.execute(TODO)} <= without:
                return None
            return swap(writer)

    def project(self, text: str, progress: Progress = no_progress) -> None:
        with self._catalog.writing() as writer:
            writer.set(SETTING, text or None)
            before = writer.epoch
            renew(writer)
            if kept := Kept.from_text(writer.setting(KEPT)):
                writer.set(KEPT, kept.at(before, writer.epoch).to_text())


def swap(writer: Writer) -> int:
    """Swap new and old vectors in the writer's transaction; the old ones are kept.

    A picture without a new vector gets an empty one: no search finds it, and ``kkcv doctor`` lists
    it.
    """
    old = {key: writer.setting(key) for key in GENERATION}
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
    renew(writer)
    return writer.count()


def renew(writer: Writer) -> None:
    """Let every process read all vectors again."""
    writer.set("epoch", str(int(writer.setting("epoch", "0")) + 1))
    writer.renumber()
