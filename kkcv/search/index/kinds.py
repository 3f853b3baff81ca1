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

Parameters = Callable[[int], Any]  # of a search, from the effort


@dataclass(frozen=True)
class Kind:
    """``factory(n)`` is Faiss's name of the index for n rows; ``effort`` the knob's steps.

    ``resident(dim)`` are the bytes of a row that every search goes through; what re-ranks the best
    candidates stays on the disk, mapped into memory as far as there is room.
    """

    name: str
    factory: Callable[[int], str]
    effort: tuple[int, ...]
    parameters: Parameters
    resident: Callable[[int], int]


def hnsw_parameters(effort: int) -> Any:
    return faiss.SearchParametersHNSW(efSearch=effort)


def ivf_parameters(refine: int) -> Parameters:
    """``refine`` candidates are re-ranked by their float16 vectors, for each neighbor asked for."""

    def parameters(effort: int) -> Any:
        lists = faiss.SearchParametersIVF(nprobe=effort)
        return faiss.IndexRefineSearchParameters(k_factor=refine, base_index_params=lists)

    return parameters


def lists_for(n: int) -> int:
    """About 2 sqrt(n) lists, a power of two; Faiss wants some 39 training vectors a list."""
    return 1 << int(np.log2(max(1, min(2 * n**0.5, n / 39))))


EFFORTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # lists to look into

KINDS = {
    kind.name: kind
    for kind in (
        # Malkov & Yashunin 2016, arXiv:1603.09320; the vectors in float16, 64 links and an id
        Kind(
            "hnsw",
            lambda n: "HNSW32,SQfp16",
            (16, 24, 32, 48, 64, 128, 256, 512),
            hnsw_parameters,
            lambda dim: 2 * dim + 64 * 4 + 16,
        ),
        # Jégou et al. 2011: inverted lists of 8-bit vectors, re-ranked from float16 ones
        Kind(
            "ivf",
            lambda n: f"IVF{lists_for(n)},SQ8,Refine(SQfp16)",
            EFFORTS,
            ivf_parameters(refine=10),
            lambda dim: dim + 8,
        ),
        # Gao & Long 2024, arXiv:2405.12497: a bit a number and two factors, re-ranked likewise
        Kind(
            "rabitq",
            lambda n: f"IVF{lists_for(n)},RaBitQ,Refine(SQfp16)",
            EFFORTS,
            ivf_parameters(refine=30),
            lambda dim: dim // 8 + 8 + 8,
        ),
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

    The queries are vectors of the gallery, moved so that none is met exactly.
    """
    queries = moved(sample)
    truth = exact_neighbors(queries, chunks, min(10, index.ntotal))
    curve: list[Effort] = []
    for effort in kind.effort:
        began = time.perf_counter()
        _, rows = index.search(queries, truth.shape[1], params=kind.parameters(effort))
        took = (time.perf_counter() - began) / len(queries)
        found = [len(set(a) & set(b)) for a, b in zip(rows.tolist(), truth.tolist(), strict=True)]
        curve.append(Effort(effort, float(np.mean(found)) / truth.shape[1], 1000 * took))
        if curve[-1].recall >= target:
            break
    return tuple(curve)


def moved(sample: np.ndarray) -> np.ndarray:
    """Some of the vectors, each moved by a fifth of its length: float32 (S, D) → (Q or less, D)."""
    generator = np.random.default_rng(1)
    chosen = sample[generator.permutation(len(sample))[:QUERIES]]
    noise = generator.normal(size=chosen.shape).astype(np.float32)
    queries = chosen + 0.2 * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    return queries / np.linalg.norm(queries, axis=1, keepdims=True)


def exact_neighbors(queries: np.ndarray, chunks: Chunks, k: int) -> np.ndarray:
    """The rows of the k nearest of all vectors: float32 (Q, D) → int64 (Q, k)."""
    best = no_neighbors(len(queries))
    before = 0
    for vectors in chunks():
        rows, scores = inner_products(queries, vectors, min(k, len(vectors)))
        best = nearest_of([best, Neighbors(rows + before, scores)], k)
        before += len(vectors)
    return best.ids
