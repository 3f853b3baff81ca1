"""A graph of neighbors over float16 vectors: Malkov & Yashunin 2016, arXiv:1603.09320."""

from functools import cache
from typing import Any

import faiss

from .kind import Kind


@cache
def parameters(effort: int) -> Any:
    return faiss.SearchParametersHNSW(efSearch=effort)


KIND = Kind(
    "hnsw",
    factory=lambda n: "HNSW32,SQfp16",
    effort=(8, 12, 16, 24, 32, 48, 64, 128, 256, 512),
    parameters=parameters,
    resident=lambda dim: 2 * dim + 64 * 4 + 16,  # a float16 vector, 64 links and an id
)
