"""Database-side augmentation: each picture and the query move towards their own nearest.

Turcot and Lowe: Better Matching with Fewer Features: The Selection of Useful Features in Large
Database Recognition Problems, ICCV Workshops 2009; Arandjelović and Zisserman: Three Things
Everyone Should Know to Improve Object Retrieval, CVPR 2012 (section 5); with the weights of alpha
query expansion (Radenović, Tolias, Chum, 2018, arXiv:1711.02512).

Neighbors are searched among the candidates and the query, at the time of the search. So augmented
vectors are never stored and never stale, and a gallery of up to DEPTH pictures is augmented exactly
as in the paper.
"""

import numpy as np

from kkcv.embedding.space import unit

from .graph import nearest

NEIGHBORS = 5
ALPHA = 3.0


def augmented(query: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Similarity of query and candidates after augmentation: (D,), (M, D) → (M,)."""
    first, *others = augment(np.vstack([query[None], candidates]))
    return np.array([first @ other for other in others], np.float32)


def augment(vectors: np.ndarray, neighbors: int = NEIGHBORS, alpha: float = ALPHA) -> np.ndarray:
    """Vectors plus their nearest, weighted by similarity to the power of alpha: (N, D) → same."""
    gram = vectors @ vectors.T
    near = nearest(gram, neighbors)
    weights = np.maximum(np.take_along_axis(gram, near, 1), 0) ** alpha
    return unit(vectors + np.einsum("nk,nkd->nd", weights, vectors[near]))
