"""The index of an engine: as it is here, every vector is compared."""

from typing import Any

import numpy as np

from kkcv.errors import RequestError
from kkcv.search.filters.conditions import Condition
from kkcv.search.index.exact import inner_products
from kkcv.search.index.neighbors import Neighbors, nearest_of, no_neighbors

from .catalog import Reader
from .entries import Entries, WholePictures
from .tuning import Goal


class Index:
    """Finds the nearest vectors: as it is, by comparing with all of them.

    ``parts`` is the index of the parts of pictures, where the gallery has them; it finds keys
    (entries.py).
    """

    parts: "Index | None" = None

    def __init__(self, entries: Entries | None = None) -> None:
        self._entries = entries

    def search(
        self, rows: Reader, vectors: np.ndarray, k: int, where: Condition | None = None
    ) -> Neighbors:
        """The nearest of all, or of those that match a filter: float32 (Q, D) → (Q, k or less)."""
        best, entries = no_neighbors(len(vectors)), self._entries or WholePictures(rows.dim)
        for stored in rows.stored_vectors(ids=None if where is None else rows.ids(where)):
            keys, some = entries.of(rows, *stored)
            found, scores = inner_products(vectors, some, min(k, len(some)))
            best = nearest_of([best, Neighbors(keys[found], scores)], k)
        return best

    def glance(
        self, rows: Reader, vectors: np.ndarray, k: int, where: Condition | None = None
    ) -> Neighbors:
        """As ``search``, with the least effort: it finds copies, and may miss what is less near."""
        return self.search(rows, vectors, k, where)

    def shown(self, rows: Reader, ids: np.ndarray) -> dict[int, tuple[str, dict[str, Any]]]:
        """As ``rows.shown``, if the index has it at hand more quickly."""
        return rows.shown(ids)

    def describe(self) -> dict[str, Any]:
        """The kind of index, and its recall if it was measured, as plain values."""
        return {"kind": "exact", "recall": 1.0}

    @property
    def wants_rebuild(self) -> bool:
        """Whether searches would be quicker after ``rebuild``."""
        return False

    def rebuild(self) -> object:
        """Build the index again; searches go on meanwhile."""
        return None

    def rebuild_in_background(self) -> None:
        """Start ``rebuild`` if it is wanted and not running yet."""

    def tune(self, goal: Goal) -> object:
        """``rebuild`` for a goal that holds from now on (RequestError)."""
        raise RequestError(
            "this engine has no index to tune: kkcv tune is for galleries in folders"
        )

    def renew(self) -> None:
        """Rebuild after a change of network, if wanted, and forget everything of the old one."""
