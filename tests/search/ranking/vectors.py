"""Vectors with neighborhoods: a few clusters of unit vectors."""

import numpy as np


def clusters(count: int, of: int = 8, dim: int = 16, seed: int = 0) -> np.ndarray:
    """Unit vectors around every ``of``-th of them: float32 (count, dim)."""
    random = np.random.default_rng(seed)
    centers = random.normal(size=(-(-count // of), dim))
    vectors = np.repeat(centers, of, axis=0)[:count] + 0.7 * random.normal(size=(count, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def nearest_first(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first as the query, and the others in the order of their similarity to it."""
    query, others = vectors[0], vectors[1:]
    return query, others[np.argsort(-(others @ query), kind="stable")]
