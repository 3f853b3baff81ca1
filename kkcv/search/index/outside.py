"""Queries from outside that a gallery may get, made from its own vectors.

Pictures of the gallery find themselves, and a graph leads to them; a promise that is measured with
them says nothing of new pictures. So an index is measured with four kinds of queries, as
easy and as hard as real ones were (``make bench-recall``).
"""

import numpy as np

from kkcv.embedding.space import unit

EACH = 200  # queries of a kind, where the gallery has so many pictures
SHARE = 0.1  # of the pictures are held out, at most
TERMS = 512  # vectors whose deviations from the mean make the noise
SEED = 1  # the same queries at each build, so that two builds can be compared


def held_out(count: int) -> np.ndarray:
    """Which of ``count`` rows an index is built without, until it is measured: bool (count,)."""
    chosen = np.zeros(count, bool)
    order = np.random.default_rng(SEED).permutation(count)
    chosen[order[: min(EACH, int(SHARE * count))]] = True
    return chosen


def perturbed(sample: np.ndarray) -> np.ndarray:
    """Vectors of the gallery, moved by a tenth to all of their length: (S, D) → (EACH, D)."""
    generator = np.random.default_rng(SEED)
    moved = unit(noise(sample, generator)) * generator.uniform(0.1, 1, (EACH, 1))
    return unit(sample[generator.integers(len(sample), size=EACH)] + moved).astype(np.float32)


def unlike(sample: np.ndarray) -> np.ndarray:
    """Pictures of other things, whose activations are as strong, but elsewhere: (S, D) → (EACH, D).

    Half are vectors whose numbers were permuted, half have each number from another picture. Real
    pictures of other things were as hard to find neighbors for; the gallery's mean and covariance,
    and means of its vectors, were easier.
    """
    generator = np.random.default_rng(SEED)
    count, dim = sample.shape
    permuted = generator.permuted(sample[generator.integers(count, size=EACH // 2)], axis=1)
    mixed = sample[generator.integers(count, size=(EACH - EACH // 2, dim)), np.arange(dim)]
    return unit(np.concatenate([permuted, mixed]))


def between(sample: np.ndarray) -> np.ndarray:
    """Pictures of like things: means of three vectors, moved toward an unlike one by any share.

    Their neighbors come from several series at once: (S, D) → (EACH, D).
    """
    generator = np.random.default_rng(SEED)
    means = unit(sample[generator.integers(len(sample), size=(EACH, 3))].mean(axis=1))
    share = generator.uniform(0, 1, (EACH, 1))
    return unit((1 - share) * means + share * unlike(sample)).astype(np.float32)


def noise(sample: np.ndarray, generator: "np.random.Generator") -> np.ndarray:
    """Random vectors with the covariance of the sample: (S, D) → (EACH, D)."""
    some = sample[generator.permutation(len(sample))[:TERMS]]
    weights = generator.standard_normal((EACH, len(some))) / len(some) ** 0.5
    return weights.astype(np.float32) @ (some - sample.mean(axis=0))
