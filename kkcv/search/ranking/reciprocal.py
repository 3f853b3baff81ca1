"""k-reciprocal re-ranking: pictures are similar if their neighborhoods are.

Zhong, Zheng, Cao, Li: Re-ranking Person Re-identification with k-reciprocal Encoding, CVPR 2017,
arXiv:1701.08398. Unlike in the paper, distances are not scaled by the largest one, because only
candidates are known here and not the whole gallery.
"""

import numpy as np

K1 = 20  # neighbors that may be reciprocal
K2 = 6  # neighbors over which encodings are averaged
LAMBDA = 0.3  # share of the distance that there was before
OVERLAP = 2 / 3  # of a neighbor's own neighborhood, to be taken in (equation 4)


def reciprocal(
    query: np.ndarray, candidates: np.ndarray, k1: int = K1, k2: int = K2, share: float = LAMBDA
) -> np.ndarray:
    """One minus the distance of equation 12: (D,), (M, D) → (M,)."""
    together = np.vstack([query[None], candidates])
    gram = together @ together.T
    distance = np.maximum(2 - 2 * gram, 0)
    np.fill_diagonal(gram, np.inf)  # each is its own first neighbor
    order = np.argsort(-gram, axis=1, kind="stable")
    codes = np.where(neighborhoods(order, k1), np.exp(-distance), 0)  # equation 7
    codes /= codes.sum(1, keepdims=True)
    codes = codes[order[:, :k2]].mean(1)  # equation 11
    shared = np.minimum(codes[0], codes[1:]).sum(1)
    jaccard = 1 - shared / (2 - shared)  # equation 10, for rows that sum to one
    return 1 - (1 - share) * jaccard - share * distance[0, 1:]


def neighborhoods(order: np.ndarray, k1: int) -> np.ndarray:
    """The expanded neighborhood of each: ranks (N, N) → bool (N, N), equations 3 and 4."""
    inner, outer = mutual(order, k1 // 2), mutual(order, k1)
    in_common = inner.astype(np.float32) @ outer.T.astype(np.float32)
    taken = outer & (in_common >= OVERLAP * inner.sum(1)[:, None]).T  # of row n: neighbor's column
    return outer | (taken.astype(np.float32) @ inner.astype(np.float32) > 0)


def mutual(order: np.ndarray, k: int) -> np.ndarray:
    """Pairs that are among each other's k nearest, themselves too: (N, N) → bool (N, N)."""
    near = np.zeros(order.shape, bool)
    np.put_along_axis(near, order[:, : k + 1], True, axis=1)
    return near & near.T
