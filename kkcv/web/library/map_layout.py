"""The layout of the map: vectors as points of the plane, similar ones together; and their clusters.

t-SNE (van der Maaten and Hinton, Visualizing Data using t-SNE, JMLR 9, 2008) in its exact form,
for up to a thousand vectors. It starts from the first two principal components, so that the map is
the same every time. (scikit-learn has it too, and is not worth 150 MB for these 50 lines.)
"""

import faiss
import numpy as np

from kkcv.timing import Progress, no_progress

PERPLEXITY = 25  # neighbors that count, roughly
STEPS = 300
EXAGGERATED = 80  # first steps, in which clusters form
CLUSTERS = 8  # fewer than the map has colors (components/map.py)


def plane(vectors: np.ndarray, progress: Progress = no_progress) -> np.ndarray:
    """A point for each unit vector: float32 (N, D) → float32 (N, 2), each coordinate 0 to 1."""
    points = principal(vectors)
    if len(vectors) > 4:
        points = embedded(affinities(vectors), points, progress)
    low, high = points.min(0), points.max(0)
    return ((points - low) / np.maximum(high - low, 1e-9)).astype(np.float32)


def principal(vectors: np.ndarray) -> np.ndarray:
    """The first two principal components: (N, D) → (N, 2). Zeros where there are fewer."""
    centered = vectors - vectors.mean(0)
    values, basis = np.linalg.eigh(centered @ centered.T)
    first = basis[:, ::-1][:, :2] * np.sqrt(np.maximum(values[::-1][:2], 0))
    return np.pad(first, ((0, 0), (0, 2 - first.shape[1]))).astype(np.float64)


def affinities(vectors: np.ndarray) -> np.ndarray:
    """Joint probabilities of all pairs (equation 1 and section 3.1): symmetric (N, N), sum 1."""
    distances = np.maximum(2 - 2 * (vectors @ vectors.T), 0).astype(np.float64)
    np.fill_diagonal(distances, np.inf)
    wanted = np.log(min(PERPLEXITY, (len(vectors) - 1) / 3))
    low, high = np.full(len(vectors), 1e-3), np.full(len(vectors), 1e5)
    for _ in range(40):  # the precision of each row that gives the wanted entropy
        precision = np.sqrt(low * high)
        near = np.exp(-(distances - distances.min(1, keepdims=True)) * precision[:, None])
        near /= near.sum(1, keepdims=True)
        entropy = -np.sum(near * np.log(np.maximum(near, 1e-300)), 1)
        low = np.where(entropy > wanted, precision, low)
        high = np.where(entropy > wanted, high, precision)
    both = near + near.T
    return np.maximum(both / both.sum(), 1e-12)


def embedded(near: np.ndarray, points: np.ndarray, progress: Progress) -> np.ndarray:
    """Gradient descent with momentum and gains on the divergence (equation 5)."""
    # of the first axis a deviation of 0.01, as in algorithm 1
    y = points / max(points[:, 0].std(), 1e-9) * 1e-2
    rate = max(50.0, len(y) / 12)  # N over the exaggeration: Belkina et al., Nature Comms. 10, 2019
    moved, gains = np.zeros_like(y), np.ones_like(y)
    for step in range(STEPS):
        progress(step, STEPS)
        early = step < EXAGGERATED
        squares = (y**2).sum(1)
        student = 1 / (1 + np.maximum(squares[:, None] + squares[None] - 2 * (y @ y.T), 0))
        np.fill_diagonal(student, 0)
        # early on neighbors attract each other more, so that clusters form (section 3.4, with
        # scikit-learn's 12 for the paper's 4)
        pull = ((12.0 if early else 1.0) * near - student / student.sum()) * student
        gradient = 4 * (pull.sum(1)[:, None] * y - pull @ y)
        same = np.sign(gradient) == np.sign(moved)
        # section 3.4: steps grow along a direction that stays (Jacobs 1988)
        gains = np.maximum(np.where(same, gains * 0.8, gains + 0.2), 0.01)
        moved = (0.5 if early else 0.8) * moved - rate * gains * gradient
        y = y + moved
        y -= y.mean(0)
    return y


def clusters(vectors: np.ndarray, count: int = CLUSTERS) -> np.ndarray:
    """A cluster for each unit vector, by spherical k-means: float32 (N, D) → int64 (N,)."""
    count = min(count, len(vectors))
    means = faiss.Kmeans(
        vectors.shape[1],
        count,
        spherical=True,
        nredo=3,
        min_points_per_centroid=1,  # else Faiss warns of small galleries
    )
    means.train(vectors)
    return means.assign(vectors)[1]
