"""How a vector lies in a row of a collection, and where a projection is kept.

A gallery that learned from its labels is compared through a projection (projection.py), and yet
keeps the vectors of the network. A collection of Milvus 2.3 has one field of vectors, so both lie
in it: the network's, scaled down, and its projection behind. A query has zeros in front: inner
products are then those of the projections. Scaled down, the front hardly weighs where Milvus links
neighbors, which it does by the whole field; a power of two loses no bit.

The projection is longer than a setting may be. It lies in pieces in a collection of its own,
``ROWS_projection``, and the settings of the network have its fingerprint.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from kkcv.search.entries import Shape
from kkcv.search.projection import SETTING, Projection

from .server import Server
from .settings import Settings, make_settings

SCALE = np.float32(2**-6)
PIECE = 60_000  # characters in a setting


@dataclass(frozen=True, eq=False)
class Layout:
    """The field of vectors for rows of a ``shape``; without a ``projection`` it is the row."""

    shape: Shape
    projection: Projection | None = None

    @property
    def dim(self) -> int:
        """How many numbers the field has."""
        return self.shape.row + (self.projection.dim if self.projection else 0)

    def stored(self, row: np.ndarray) -> np.ndarray:
        """A row as the network made it, float32 (row,), as the field: float32 (dim,)."""
        if self.projection is None:
            return row
        return np.concatenate([row * SCALE, self.projection(row[: self.shape.whole])])

    def rows(self, stored: np.ndarray) -> np.ndarray:
        """Fields float32 (N, dim) as the network made the rows: float32 (N, row)."""
        return stored if self.projection is None else stored[:, : self.shape.row] / SCALE

    def query(self, vectors: np.ndarray) -> np.ndarray:
        """The query that finds the fields of the nearest vectors: float32 (Q, D) → (Q, dim)."""
        if self.projection is None:
            return vectors
        return np.pad(vectors, ((0, 0), (self.shape.row, 0)))


def layout_of(settings: Mapping[str, str]) -> Layout:
    """From the settings of a network, with the text of its projection (KeyError, ValueError)."""
    return Layout(Shape.of(settings), Projection.from_text(settings.get(SETTING, "")))


def without_text(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings with the fingerprint of their projection in the place of its text."""
    projection = Projection.from_text(settings.get(SETTING, ""))
    return {**settings, SETTING: projection.fingerprint if projection else ""}


def with_text(server: Server, rows: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The settings of the network of a collection with the text of its projection."""
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
