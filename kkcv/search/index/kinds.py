"""The Faiss indexes for galleries that are too large to compare with every vector.

To add one: a file beside these with its ``KIND``, and its name in ``KINDS``. Rows are numbered from
0; ids are the business of the snapshot.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from . import hnsw, ivf, rabitq
from .effort import ALL
from .kind import FaissIndex, Kind, Look

MANY = 12  # queries that Faiss's threads are worth their price for
SAME_IN_8_BITS = 3e-3  # difference of scores, 8 bits beside float32

KINDS: dict[str, Kind] = {kind.KIND.name: kind.KIND for kind in (hnsw, ivf, rabitq)}


def kind_for(rows: int) -> Kind:
    """The best kind for a gallery of this size (docs/search.md)."""
    return KINDS["hnsw"] if rows <= 250_000 else KINDS["ivf"]


def in_8_bits(kind: Kind) -> Kind:
    """The same kind with vectors in 8 bits in place of 16: a little less exact, half as large."""
    return replace(
        kind, factory=lambda n: kind.factory(n).replace("SQfp16", "SQ8"), same=SAME_IN_8_BITS
    )


def vectors_of(index: FaissIndex) -> FaissIndex:
    """The part of an index that has the vectors themselves, one after another."""
    import faiss

    refined = isinstance(index, faiss.IndexRefine)
    return faiss.downcast_index(index.refine_index if refined else index.storage)


def opened(kind: Kind, index: FaissIndex) -> Look:
    """How an index is searched; with the effort ALL every vector is compared."""
    look, vectors = kind.opened(index), vectors_of(index)

    def search(queries: np.ndarray, k: int, effort: int) -> tuple[np.ndarray, np.ndarray]:
        with threads_for(queries):
            return vectors.search(queries, k) if effort == ALL else look(queries, k, effort)

    return search


@contextmanager
def threads_for(queries: np.ndarray) -> Iterator[None]:
    """Faiss searches for few queries in this thread alone.

    It would divide them among a thread a core, each of which then keeps its core busy for
    milliseconds, waiting for more: cores that decode and embed the next query.
    """
    import faiss

    threads = faiss.omp_get_max_threads()  # of this thread: others are not changed
    faiss.omp_set_num_threads(1 if len(queries) < MANY else threads)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
