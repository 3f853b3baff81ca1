"""The Faiss indexes for galleries that are too large to compare with every vector.

Each kind is a row: how it is built, and the one number that trades time for recall. To add one,
add a row. Rows are numbered from 0; ids are the business of the snapshot.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np

from .exact import inner_products
from .neighbors import Neighbors, nearest_of, no_neighbors

QUERIES = 200  # for the measured curve
REFINE = 10  # candidates re-ranked by their float16 vectors, for each neighbor asked for


@dataclass(frozen=True)
class Kind:
    """``factory(n)`` is Faiss's name of the index for n rows; ``effort`` the knob's steps."""

    name: str
    factory: Callable[[int], str]
    effort: tuple[int, ...]
    parameters: Callable[[int, faiss.IDSelector | None], Any]


def hnsw_parameters(effort: int, among: faiss.IDSelector | None) -> Any:
    return faiss.SearchParametersHNSW(efSearch=effort, sel=among)


def ivf_parameters(effort: int, among: faiss.IDSelector | None) -> Any:
    lists = faiss.SearchParametersIVF(nprobe=effort, sel=among)
    return faiss.IndexRefineSearchParameters(k_factor=REFINE, base_index_params=lists)


def ivf_factory(n: int) -> str:
    """About 2 sqrt(n) lists, a power of two; Faiss wants some 39 training vectors a list."""
    lists = 1 << int(np.log2(max(1, min(2 * n**0.5, n / 39))))
    return f"IVF{lists},SQ8,Refine(SQfp16)"


KINDS = {
    kind.name: kind
    for kind in (
        # Malkov & Yashunin 2016, arXiv:1603.09320; the vectors in float16
        Kind(
            "hnsw", lambda n: "HNSW32,SQfp16", (16, 24, 32, 48, 64, 128, 256, 512), hnsw_parameters
        ),
        # Jégou et al. 2011: inverted lists of 8-bit vectors, re-ranked from float16 ones
        Kind("ivf", ivf_factory, (1, 2, 4, 8, 16, 32, 64, 128, 256), ivf_parameters),
    )
}


def kind_for(rows: int) -> Kind:
    """The kind that served a gallery of this size best (docs/search.md)."""
    return KINDS["hnsw"] if rows <= 250_000 else KINDS["ivf"]


Chunks = Callable[[], Iterator[np.ndarray]]  # all vectors, float32 (n, D) at a time, every time


def build(kind: Kind, rows: int, sample: np.ndarray, chunks: Chunks) -> faiss.Index:
    """The index of ``rows`` unit vectors; ``sample``, float32 (S, D), trains it."""
    description = kind.factory(rows)
    index = faiss.index_factory(sample.shape[1], description, faiss.METRIC_INNER_PRODUCT)
    if isinstance(index, faiss.IndexRefine):  # Faiss prints a warning of small galleries
        faiss.downcast_index(index.base_index).cp.min_points_per_centroid = 1
    index.train(sample)
    for vectors in chunks():
        index.add(vectors)
    return index


@dataclass(frozen=True)
class Effort:
    """A point of the measured curve: the knob, the recall of the exact top 10, time a query."""

    effort: int
    recall: float
    milliseconds: float


def tune(
    kind: Kind, index: faiss.Index, sample: np.ndarray, chunks: Chunks, target: float
) -> tuple[Effort, ...]:
    """The curve up to the effort that reaches the target recall, on the gallery's own vectors.

    The queries are vectors of the gallery, each moved by a fifth of its length so that none is met
    exactly.
    """
    generator = np.random.default_rng(1)
    noise = generator.normal(size=sample[:QUERIES].shape).astype(np.float32)
    queries = sample[:QUERIES] + 0.2 * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    truth = exact_neighbors(queries, chunks, min(10, index.ntotal))
    curve: list[Effort] = []
    for effort in kind.effort:
        began = time.perf_counter()
        _, rows = index.search(queries, truth.shape[1], params=kind.parameters(effort, None))
        took = (time.perf_counter() - began) / len(queries)
        found = [len(set(a) & set(b)) for a, b in zip(rows.tolist(), truth.tolist(), strict=True)]
        curve.append(Effort(effort, float(np.mean(found)) / truth.shape[1], 1000 * took))
        if curve[-1].recall >= target:
            break
    return tuple(curve)


def exact_neighbors(queries: np.ndarray, chunks: Chunks, k: int) -> np.ndarray:
    """The rows of the k nearest of all vectors: float32 (Q, D) → int64 (Q, k)."""
    best = no_neighbors(len(queries))
    before = 0
    for vectors in chunks():
        rows, scores = inner_products(queries, vectors, min(k, len(vectors)))
        best = nearest_of([best, Neighbors(rows + before, scores)], k)
        before += len(vectors)
    return best.ids
