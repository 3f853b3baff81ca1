"""Inverted lists of 8-bit vectors, re-ranked from float16 ones: Jégou et al. 2011."""

from functools import cache
from typing import Any

import faiss
import numpy as np

from .kind import Kind, Parameters

EFFORTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # lists to look into


def lists_for(n: int) -> int:
    """About 2 sqrt(n) lists, a power of two; Faiss wants some 39 training vectors a list."""
    return 1 << int(np.log2(max(1, min(2 * n**0.5, n / 39))))


def parameters(refine: int) -> Parameters:
    """``refine`` candidates are re-ranked by their float16 vectors, for each neighbor asked for."""

    @cache  # making one takes a tenth of a search
    def of(effort: int) -> Any:
        lists = faiss.SearchParametersIVF(nprobe=effort)
        return faiss.IndexRefineSearchParameters(k_factor=refine, base_index_params=lists)

    return of


KIND = Kind(
    "ivf",
    factory=lambda n: f"IVF{lists_for(n)},SQ8,Refine(SQfp16)",
    effort=EFFORTS,
    parameters=parameters(refine=10),
    resident=lambda dim: dim + 8,
)
