"""The exact index: every vector is compared.

Faiss's own indexes crash when they are written during a search. Here an index never changes: a
search keeps the index that it started with.
"""

from typing import Any

import numpy as np

from kkcv.hit import clipped

from .neighbors import Neighbors, no_neighbors

FOR_FAISS = 20  # queries from which it is as fast as NumPy in one thread, and it has all cores
MANY_DEAD = 0.2  # share of removed rows above which the others are copied together


class ExactIndex:
    """Unit vectors by id, compared by inner product: a value that never changes.

    ``updated`` gives the next one. The two share memory: new rows lie behind the old ones, where
    the old index does not look. Only the newest may be updated.
    """

    def __init__(self, dim: int) -> None:
        self._buffer = np.empty((0, dim), np.float32)
        self._vectors = self._buffer
        self._ids = np.empty(0, np.int64)  # a removed row has id -1
        self._dead = 0

    def __len__(self) -> int:
        return len(self._ids) - self._dead

    def updated(self, removed: np.ndarray, ids: np.ndarray, vectors: np.ndarray) -> "ExactIndex":
        """A copy without some ids, then with others; an existing id gets its new vector.

        ``removed`` and ``ids`` are int64 (R,) and (N,), ``vectors`` float32 (N, D).
        """
        gone = np.isin(self._ids, np.concatenate([removed, ids])) & (self._ids >= 0)
        old_ids = np.where(gone, -1, self._ids) if gone.any() else self._ids
        new = ExactIndex(vectors.shape[1])
        new._dead = self._dead + int(gone.sum())
        new._ids = np.concatenate([old_ids, ids])
        if len(self._ids):
            new._buffer = self._with_room_for(len(vectors))
            new._buffer[len(self._ids) : len(new._ids)] = vectors
        else:
            new._buffer = vectors  # a whole gallery is not copied
        new._vectors = new._buffer[: len(new._ids)]
        return new._compacted() if new._dead > MANY_DEAD * len(new._ids) else new

    def search(self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None) -> Neighbors:
        """The nearest of all, or of the ``allowed`` ids: float32 (Q, D) → (Q, k or less)."""
        vectors, ids = self._vectors, self._ids
        if allowed is not None:
            rows = np.flatnonzero(np.isin(ids, allowed))
            vectors, ids = vectors[rows], ids[rows]
        living = ids >= 0
        k = min(k, int(living.sum()))
        if k == 0:
            return no_neighbors(len(queries))
        rows, scores = inner_products(queries, vectors, k, None if living.all() else living)
        return Neighbors(ids[rows], clipped(scores))

    def _with_room_for(self, rows: int) -> np.ndarray:
        """The buffer, or a copy of at least twice the size."""
        size = len(self._ids) + rows
        if size <= len(self._buffer):
            return self._buffer
        larger = np.empty((max(size, 2 * len(self._ids)), self._buffer.shape[1]), np.float32)
        larger[: len(self._ids)] = self._vectors
        return larger

    def _compacted(self) -> "ExactIndex":
        """A copy of the rows that are not removed."""
        alive = self._ids >= 0
        new = ExactIndex(self._buffer.shape[1])
        new._buffer = new._vectors = self._vectors[alive]
        new._ids = self._ids[alive]
        return new


def inner_products(
    queries: np.ndarray, vectors: np.ndarray, k: int, among: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Rows int64 (Q, k) and scores float32 (Q, k) of the largest inner products.

    ``among`` is bool (N,): the rows that may be found, at least k.
    """
    queries, vectors = (np.ascontiguousarray(a, np.float32) for a in (queries, vectors))
    if len(queries) < FOR_FAISS:
        return few_inner_products(queries, vectors, k, among)
    import faiss

    scores = np.empty((len(queries), k), np.float32)
    rows = np.empty((len(queries), k), np.int64)
    faiss.knn_inner_product(
        faiss.swig_ptr(queries),
        faiss.swig_ptr(vectors),
        vectors.shape[1],
        len(queries),
        len(vectors),
        k,
        faiss.swig_ptr(scores),
        faiss.swig_ptr(rows),
        selector(among),
    )
    return rows, scores


def few_inner_products(
    queries: np.ndarray, vectors: np.ndarray, k: int, among: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """As ``inner_products``, without Faiss: to import it takes longer than to search."""
    # row by row: a product of matrices gives equal vectors scores that differ in the last digit
    scores = np.stack([np.matmul(vectors[:, np.newaxis], query)[:, 0] for query in queries])
    if among is not None:
        scores[:, ~among] = -np.inf
    rows = np.empty((len(queries), k), np.int64)
    for place, each in enumerate(scores):
        least = np.partition(each, len(each) - k)[len(each) - k]
        best = np.flatnonzero(each >= least)[::-1]  # of equal scores the last row first
        rows[place] = best[np.argsort(-each[best], kind="stable")[:k]]
    return rows, np.take_along_axis(scores, rows, axis=1)


def selector(among: np.ndarray | None) -> Any:
    """A selector of Faiss for the rows that may be found, bool (N,)."""
    if among is None:
        return None
    import faiss

    bits = np.packbits(among, bitorder="little")
    chosen = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
    chosen.bits = bits  # Faiss keeps only the address
    return chosen
