"""The Faiss indexes for galleries that are too large to compare with every vector.

To add one: a file beside these with its ``KIND``, and its name in ``KINDS``. Rows are numbered from
0; ids are the business of the snapshot.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import faiss
import numpy as np

from . import hnsw, ivf, rabitq
from .exact import inner_products
from .kind import Kind
from .neighbors import Neighbors, nearest_of, no_neighbors

QUERIES = 200  # for the measured curve
MEASURED = 10  # neighbors that its recall is of

KINDS: dict[str, Kind] = {kind.KIND.name: kind.KIND for kind in (hnsw, ivf, rabitq)}


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
    if kind.construction:
        faiss.ParameterSpace().set_index_parameters(index, kind.construction)
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
    queries = perturbed(sample)
    truth = exact_neighbors(queries, chunks, min(MEASURED, index.ntotal))
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


def perturbed(sample: np.ndarray) -> np.ndarray:
    """A sample of unit vectors, each with noise of length 0.2: float32 (S, D) → (Q or less, D)."""
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
