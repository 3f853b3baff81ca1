"""A linear projection of embeddings, learned from a gallery's own labels (adapt.py).

The catalog keeps the vectors of the network. Where a gallery has a projection, they are projected
as they are read, and queries are projected as they come.
"""

import base64
import hashlib
from dataclasses import dataclass

import numpy as np

from kkcv.embedding.space import unit

SETTING = "projection"  # of the catalog


@dataclass(frozen=True, eq=False)
class Projection:
    """``matrix`` is float16 (D, d): what it makes of unit vectors is of unit length again."""

    matrix: np.ndarray

    @property
    def dim(self) -> int:
        return self.matrix.shape[1]

    @property
    def fingerprint(self) -> str:
        """16 hex digits that differ when the matrix does."""
        return hashlib.sha256(self.matrix.tobytes()).hexdigest()[:16]

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """Unit vectors float32 (N, D), or one of them (D,) → (N, d), or (d,)."""
        projected = unit(np.atleast_2d(vectors) @ self.matrix.astype(np.float32))
        return projected.reshape(*vectors.shape[:-1], self.dim)

    def to_text(self) -> str:
        """For a setting."""
        rows, columns = self.matrix.shape
        return f"{rows} {columns} {base64.b64encode(self.matrix.tobytes()).decode()}"

    @classmethod
    def from_text(cls, text: str) -> "Projection | None":
        """What ``to_text`` wrote; None for nothing (ValueError)."""
        if not text:
            return None
        rows, columns, data = text.split(" ")
        values = np.frombuffer(base64.b64decode(data, validate=True), np.float16)
        return cls(values.reshape(int(rows), int(columns)))
