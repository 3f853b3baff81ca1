"""Synthetic vectors that are grown from real embeddings, as many as wanted, again and again alike.

Each is a mix, in a random proportion, of a real embedding and one of its ten nearest, plus 0.3
times a random combination of the deviations of 256 others from the mean (noise with the real
covariance), clipped at zero as the activations are, and scaled to length one. Easier than life:
all come from a few thousand pictures.
"""

from collections.abc import Iterator

import numpy as np

from kkcv.search.index.exact import inner_products

CHUNK = 10_000
NOISE = 0.3
TERMS = 256  # of a combination


class Grown:
    """Unit vectors float32 (N, D) by their number, from real ones, float32 (R, D)."""

    def __init__(self, real: np.ndarray) -> None:
        self.real = real
        self._near = inner_products(real, real, 11)[0][:, 1:]
        self._deviations = real - real.mean(axis=0)

    def chunks(self, count: int, seed: int = 0) -> Iterator[np.ndarray]:
        """``count`` vectors, at most CHUNK at a time; another seed gives others."""
        for start in range(0, count, CHUNK):
            size = min(CHUNK, count - start)
            chance = np.random.default_rng((seed, start))
            first = chance.integers(len(self.real), size=size)
            second = self._near[first, chance.integers(self._near.shape[1], size=size)]
            share = chance.random((size, 1), np.float32)
            terms = self._deviations[chance.permutation(len(self.real))[:TERMS]]
            noise = chance.standard_normal((size, len(terms)), np.float32) @ terms
            mixed = share * self.real[first] + (1 - share) * self.real[second]
            mixed += NOISE / len(terms) ** 0.5 * noise
            mixed = np.maximum(mixed, 0)
            yield mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
