"""Alpha query expansion: the query moves towards its nearest.

Chum, Philbin, Sivic, Isard, Zisserman: Total Recall: Automatic Query Expansion with a Generative
Feature Model for Object Retrieval, ICCV 2007 (the average); Radenović, Tolias, Chum: Fine-tuning
CNN Image Retrieval with No Human Annotation, 2018, arXiv:1711.02512 (the weights, section 3.5).
"""

import numpy as np

from kkcv.embedding.space import unit

NEIGHBORS = 5
ALPHA = 3.0


def expanded(query: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Similarity to the expanded query: (D,), (M, D) → (M,)."""
    return candidates @ expand(query, candidates)


def expand(
    query: np.ndarray, candidates: np.ndarray, neighbors: int = NEIGHBORS, alpha: float = ALPHA
) -> np.ndarray:
    """The query plus its nearest, each weighted by its similarity to the power of alpha: (D,)."""
    near = candidates[:neighbors]
    weights = np.maximum(near @ query, 0) ** alpha
    return unit((query + weights @ near)[None])[0]
