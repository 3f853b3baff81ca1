"""Inverted lists of 8-bit vectors, re-ranked from float16 ones: Jégou et al. 2011."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from .kind import FaissIndex, Kind, Look

EFFORTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)  # lists to look into


def lists_for(n: int) -> int:
    """About 2 sqrt(n) lists, a power of two; Faiss wants some 39 training vectors a list."""
    return 1 << int(np.log2(max(1, min(2 * n**0.5, n / 39))))


def lists(candidates: int, candidates_a_list: int = 0) -> Callable[[FaissIndex], Look]:
    """How inverted lists are searched whose best candidates are ranked by their float16 vectors.

    These are so many for each neighbor that is asked for, and no fewer than so many a list: the
    coarser the codes, the more rows of a list look alike by them.
    """

    def opened(index: FaissIndex) -> Look:
        def look(queries: np.ndarray, k: int, effort: int) -> tuple[np.ndarray, np.ndarray]:
            factor = max(candidates, -(-candidates_a_list * effort // k))
            return index.search(queries, k, params=parameters(effort, factor))

        return look

    return opened


@cache  # making one takes a tenth of a search
def parameters(effort: int, factor: int) -> Any:
    import faiss

    probes = faiss.SearchParametersIVF(nprobe=effort)
    return faiss.IndexRefineSearchParameters(k_factor=factor, base_index_params=probes)


KIND = Kind(
    "ivf",
    factory=lambda n: f"IVF{lists_for(n)},SQ8,Refine(SQfp16)",
    efforts=lambda k: EFFORTS,
    opened=lists(candidates=10),
    resident=lambda dim: dim + 8,
)
