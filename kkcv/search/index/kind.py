"""A kind of Faiss index: how it is built, how it is searched, and how hard it can look."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

FaissIndex = Any  # faiss.Index; Faiss is imported where it works: that takes a tenth of a second
# queries float32 (Q, D), k, effort → scores float32 (Q, k) and rows int64 (Q, k), -1 where none
Look = Callable[[np.ndarray, int, int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Kind:
    """A kind of index: a line of numbers, and the function that searches it.

    Args:
        factory: Faiss's name of the index for n rows.
        efforts: For k neighbors, the steps of the number that trades time for recall, ascending.
        opened: How an index of this kind is searched with an effort.
        resident: Bytes of a row, by dimension, that every search goes through. The float16 vectors
            that re-rank the best candidates stay on the disk, mapped as far as there is room.
        construction: Parameters that Faiss is given before it builds, as ``efConstruction=100``.
        same: Difference of two scores that comes of how vectors are kept, float16 beside float32.
    """

    name: str
    factory: Callable[[int], str]
    efforts: Callable[[int], tuple[int, ...]]
    opened: Callable[[FaissIndex], Look]
    resident: Callable[[int], int]
    construction: str = ""
    same: float = 1e-4
