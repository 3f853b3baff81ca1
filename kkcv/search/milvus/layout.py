"""How a vector lies in a row of a collection, and where a projection is kept.

A collection of Milvus 2.3 has one field of vectors. What is compared with something else lies side
by side in it, and a query has zeros wherever it does not ask: the whole picture, then its parts
(windows.py), each of which is asked for by a query of its own. Milvus links neighbors by the whole
field; parts are scaled down, so that all of them weigh there as much as the whole picture. A power
of two loses no bit.

A gallery that learned from its labels is compared through a projection, and yet keeps the vectors
of the network: these are scaled down so far that they hardly weigh, and their projection is behind.

The projection is longer than a setting may be. It lies in pieces in a collection of its own,
``ROWS_projection``, and the settings of the network have its fingerprint.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kkcv.embedding import windows
from kkcv.search.engine.entries import PARTS, Shape
from kkcv.search.engine.projection import SETTING, Projection

from .server import Server
from .settings import Settings, make_settings

SCALE = np.float32(2**-6)  # of what has a projection
SCALE_OF_PARTS = np.float32(2**-1)
PIECE = 60_000  # characters in a setting


@dataclass(frozen=True, eq=False)
class Layout:
    """The field of vectors for rows of a ``shape``: the row, and its projection if there is one."""

    shape: Shape
    projection: Projection | None = None

    @property
    def dim(self) -> int:
        """How many numbers the field has."""
        return self.shape.row + (self.projection.dim if self.projection else 0)

    def stored(self, row: np.ndarray) -> np.ndarray:
        """A row as the network made it, float32 (row,), as the field: float32 (dim,)."""
        scaled = row * self._scales
        if self.projection is None:
            return scaled
        return np.concatenate([scaled, self.projection(row[: self.shape.whole])])

    def rows(self, stored: np.ndarray) -> np.ndarray:
        """Fields float32 (N, dim) as the network made the rows: float32 (N, row)."""
        return stored[:, : self.shape.row] / self._scales

    def query(self, vectors: np.ndarray) -> np.ndarray:
        """The query that finds the fields of the nearest vectors: float32 (Q, D) → (Q, dim)."""
        start = 0 if self.projection is None else self.shape.row
        return np.pad(vectors, ((0, 0), (start, self.dim - start - vectors.shape[1])))

    def query_parts(self, sketches: np.ndarray) -> np.ndarray:
        """A query for each part of a picture: sketches float32 (Q, 256) → (Q · 5, dim)."""
        queries = np.zeros((len(sketches), PARTS, self.dim), np.float32)
        for part in range(PARTS):
            start = self.shape.whole + part * windows.NUMBERS
            scaled = sketches / self._scales[start]
            queries[:, part, start : start + windows.NUMBERS] = scaled
        return queries.reshape(-1, self.dim)

    @cached_property
    def _scales(self) -> np.ndarray:
        """The factor of each number of a row in the field: float32 (row,)."""
        if self.projection is not None:
            return np.full(self.shape.row, SCALE)
        scales = np.full(self.shape.row, SCALE_OF_PARTS)
        scales[: self.shape.whole] = 1
        return scales


def layout_of(settings: Mapping[str, str]) -> Layout:
    """From the settings of a network, with the text of its projection (KeyError, ValueError)."""
    return Layout(Shape.of(settings), Projection.from_text(settings.get(SETTING, "")))


def without_text(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings with the fingerprint of their projection in the place of its text."""
    projection = Projection.from_text(settings.get(SETTING, ""))
    return {**settings, SETTING: projection.fingerprint if projection else ""}


def with_text(server: Server, rows: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The settings of a collection's network, and the text of its projection."""
    if not settings.get(SETTING):
        return dict(settings)
    pieces = Settings(server, beside(rows)).all()
    return {**settings, SETTING: "".join(pieces[name] for name in sorted(pieces))}


def keep_text(server: Server, rows: str, settings: Mapping[str, str]) -> None:
    """Keep the text of the projection in these settings, if they have one, beside a collection."""
    server.call("drop_collection", beside(rows))  # of one that was never finished
    if text := settings.get(SETTING):
        make_settings(server, beside(rows))
        starts = range(0, len(text), PIECE)
        Settings(server, beside(rows)).keep(
            {f"{number:05}": text[start : start + PIECE] for number, start in enumerate(starts)}
        )


def drop(server: Server, rows: str) -> None:
    """Drop a collection and the projection beside it."""
    server.call("drop_collection", rows)
    server.call("drop_collection", beside(rows))


def beside(rows: str) -> str:
    return f"{rows}_projection"
