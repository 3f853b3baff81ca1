"""A linear projection of embeddings, learned from a gallery's own labels (learning/adapt.py).

The catalog keeps the vectors of the network. In a gallery with a projection they are projected as
they are read, and so is every query.
"""

import base64
import hashlib
from dataclasses import dataclass

import numpy as np

from kkcv.embedding.space import unit

SETTING = "projection"  # of the catalog


@dataclass(frozen=True, eq=False)
class Projection:
    """``matrix`` is float16 (D, d); projected vectors are scaled to unit length."""

    matrix: np.ndarray

    @property
    def dim(self) -> int:
        return self.matrix.shape[1]

    @property
    def fingerprint(self) -> str:
        """16 hex digits that differ when the matrix does."""
        return hashlib.sha256(self.matrix.tobytes()).hexdigest()[:16]

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """Unit vectors float32 (N, D) → (N, d), or one, (D,) → (d,)."""
        projected = unit(np.atleast_2d(vectors) @ self.matrix.astype(np.float32))
        return projected.reshape(*vectors.shape[:-1], self.dim)

    def to_text(self) -> str:
        """For a setting."""
        rows, columns = self.matrix.shape
        return f"{rows} {columns} {base64.b64encode(self.matrix.tobytes()).decode()}"

    @classmethod
    def from_text(cls, text: str) -> "Projection | None":
        """From the text of ``to_text``; None for an empty one (ValueError)."""
        if not text:
            return None
        rows, columns, data = text.split(" ")
        # validate: letters of no alphabet are damage, not nothing
        values = np.frombuffer(base64.b64decode(data, validate=True), np.float16)
        return cls(values.reshape(int(rows), int(columns)))
