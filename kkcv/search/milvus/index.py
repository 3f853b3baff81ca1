"""Milvus searches and builds its indexes itself."""

import logging
import threading
import time
from typing import Any

import numpy as np

from kkcv.errors import KkcvError, RequestError
from kkcv.search import engine
from kkcv.search.engine.tuning import Goal
from kkcv.search.filters.conditions import Condition
from kkcv.search.index.neighbors import Neighbors

from .catalog import Catalog
from .reader import EFFORT, Reader
from .rows import INDEX

UNFLUSHED = 4000  # rows from which Milvus 2.3 searches only parts of what is not flushed
LOOK_SECONDS = 10.0  # between two looks at how much is not flushed
log = logging.getLogger(__name__)


class MilvusParts(engine.Index):
    """The parts of pictures, which lie in the same rows (layout.py)."""

    def search(
        self, rows: engine.Reader, vectors: np.ndarray, k: int, where: Condition | None = None
    ) -> Neighbors:
        assert isinstance(rows, Reader)
        return rows.nearest_parts(vectors, k, where)


class MilvusIndex(engine.Index):
    """The index of a collection."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._next_look = time.monotonic() + LOOK_SECONDS

    def search(
        self, rows: engine.Reader, vectors: np.ndarray, k: int, where: Condition | None = None
    ) -> Neighbors:
        assert isinstance(rows, Reader)
        self.rebuild_in_background()
        return rows.nearest(vectors, k, where)

    def describe(self) -> dict[str, Any]:
        return {
            "kind": f"{INDEX['index_type']} of Milvus",
            "server": self._catalog.server.call("get_server_version"),
            "parameters": INDEX["params"],
            "effort": EFFORT,
            "indexed": self._indexed(),
        }

    @property
    def wants_rebuild(self) -> bool:
        """True when Milvus holds many rows in memory, which it searches less thoroughly."""
        with self._catalog.reading() as rows:
            return rows.count() - self._indexed() > UNFLUSHED

    def tune(self, goal: Goal) -> None:
        raise RequestError(
            f"Milvus builds the indexes of {self._catalog.address}; kkcv tune is for galleries "
            "in folders"
        )

    def rebuild(self) -> None:
        """Have Milvus flush what it holds in memory; it then builds the index in its own time."""
        self._catalog.server.call("flush", self._catalog.rows)

    def rebuild_in_background(self) -> None:
        """Flush when it is wanted: until then many new rows are searched less thoroughly."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            threading.Thread(target=self._rebuild_quietly, name="kkcv-flush", daemon=True).start()

    def _rebuild_quietly(self) -> None:
        try:
            if self.wants_rebuild:
                self.rebuild()
        except KkcvError as error:
            log.warning("%s", error)

    def _indexed(self) -> int:
        return self._catalog.server.call("describe_index", self._catalog.rows, "vector")[
            "indexed_rows"
        ]
