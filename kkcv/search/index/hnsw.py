"""A graph of neighbors over float16 vectors: Malkov & Yashunin 2016, arXiv:1603.09320."""

from functools import cache, cached_property
from typing import Any

import numpy as np

from .kind import FaissIndex, Kind

LANDMARKS = 8192  # rows, at most, that are compared to find where a deep search enters the graph
ROWS_A_LANDMARK = 8  # in a small index, of which LANDMARKS would be too large a share
ENTRIES = 32
# Landmarks are compared by a bit a number, and the best of them by all numbers: for one query alone
# it is far quicker than reading all numbers of all landmarks, and leads to nearly the same places.
LANDMARKS_INDEX, QUERY_BITS, RE_RANKED = "RaBitQ,Refine(SQfp16)", 4, 16
DEEP = 64  # the effort from which comparing with the landmarks is cheap beside the search
EFFORTS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096)


class Graph:
    """Searches a graph from its top, or, with much effort, from many places at once.

    A series of like pictures is an island: few links lead to it, and a search from the top that is
    caught on another one never gets there, however long it goes on. Landmarks are rows at even
    distances, so in the order in which pictures were added; each series has some of its own.
    """

    def __init__(self, index: FaissIndex) -> None:
        self._index = index

    def __call__(self, queries: np.ndarray, k: int, effort: int) -> tuple[np.ndarray, np.ndarray]:
        if effort < DEEP:
            return self._index.search(queries, k, params=parameters(effort))
        import faiss

        queries = np.ascontiguousarray(queries, np.float32)  # Faiss gets its address alone
        rows, landmarks = self._landmarks
        entry_scores, nearest = landmarks.search(queries, min(ENTRIES, len(rows)))
        entries = rows[nearest]  # Faiss numbers the rows of a graph with 32 bits
        scores = np.empty((len(queries), k), np.float32)
        found = np.empty((len(queries), k), np.int64)
        self._index.search_level_0(
            len(queries),
            faiss.swig_ptr(queries),
            k,
            faiss.swig_ptr(entries),
            faiss.swig_ptr(entry_scores),
            faiss.swig_ptr(scores),
            faiss.swig_ptr(found),
            entries.shape[1],
            2,  # one search from all entries, not one from each
            parameters(effort),
        )
        return scores, found

    @cached_property
    def _landmarks(self) -> tuple[np.ndarray, FaissIndex]:
        """Their rows, int32 (L,), and an index of them."""
        import faiss

        count, dim = self._index.ntotal, self._index.d
        wanted = max(1, min(LANDMARKS, count // ROWS_A_LANDMARK))
        rows = np.linspace(0, count - 1, wanted).astype(np.int64)
        vectors = self._index.reconstruct_batch(rows)
        landmarks = faiss.index_factory(dim, LANDMARKS_INDEX, faiss.METRIC_INNER_PRODUCT)
        landmarks.k_factor = RE_RANKED
        faiss.downcast_index(landmarks.base_index).qb = QUERY_BITS
        landmarks.train(vectors)
        landmarks.add(vectors)
        return rows.astype(np.int32), landmarks


@cache
def parameters(effort: int) -> Any:
    import faiss

    return faiss.SearchParametersHNSW(efSearch=effort)


KIND = Kind(
    "hnsw",
    # 16 links up and 32 at the bottom: with 32 and 64 a search takes longer for the same recall
    factory=lambda n: "HNSW16,SQfp16",
    efforts=lambda k: tuple(effort for effort in EFFORTS if effort >= k),  # Faiss takes k for less
    opened=Graph,
    resident=lambda dim: 2 * dim + 32 * 4 + 16,  # a float16 vector, 32 links and an id
    construction="efConstruction=200",  # Faiss's 40 takes half the time, and the graph finds less
)
