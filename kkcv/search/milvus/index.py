"""Milvus searches and builds its indexes itself."""

from typing import Any

import numpy as np

from kkcv.errors import RequestError
from kkcv.search import engine
from kkcv.search.index.neighbors import Neighbors
from kkcv.search.tuning import Goal
from kkcv.search.where import Condition

from .catalog import Catalog
from .reader import EFFORT, Reader
from .rows import INDEX


class Index:
    """See engine.py."""

    wants_rebuild = False

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def search(
        self,
        rows: engine.Reader,
        vectors: np.ndarray,
        k: int,
        where: Condition | None = None,
    ) -> Neighbors:
        assert isinstance(rows, Reader)
        ids, scores = rows.nearest(vectors, k, where)
        return Neighbors(ids, np.clip(scores, -1, 1))  # vectors in 16 bits are a little off 1

    def describe(self) -> dict[str, Any]:
        return {
            "kind": f"{INDEX['index_type']} of Milvus",
            "server": self._catalog.server.call("get_server_version"),
            "parameters": INDEX["params"],
            "effort": EFFORT,
        }

    def tune(self, goal: Goal) -> None:
        raise RequestError(
            f"Milvus builds the indexes of {self._catalog.address}; kkcv tune is for galleries "
            "in folders"
        )

    def rebuild(self) -> None:
        """Nothing to do, as for ``rebuild_in_background`` and ``renew``."""

    def rebuild_in_background(self) -> None: ...

    def renew(self) -> None: ...
