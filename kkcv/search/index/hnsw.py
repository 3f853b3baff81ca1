"""A graph of neighbors over float16 vectors: Malkov & Yashunin 2016, arXiv:1603.09320."""

from functools import cache
from typing import Any

import faiss

from .kind import Kind


@cache
def parameters(effort: int) -> Any:
    return faiss.SearchParametersHNSW(efSearch=effort)


# With less effort than 16, tuning promises more than new pictures get: its queries are easier.
KIND = Kind(
    "hnsw",
    factory=lambda n: "HNSW32,SQfp16",
    effort=(16, 24, 32, 48, 64, 128, 256, 512),
    parameters=parameters,
    resident=lambda dim: 2 * dim + 64 * 4 + 16,  # a float16 vector, 64 links and an id
    construction="efConstruction=100",  # Faiss's 40 takes two thirds of the time and finds less
)
