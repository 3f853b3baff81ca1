"""Similarities smoothed over neighborhoods: the neighbors on both sides count too.

Three known steps in this order:
- the mean, common to all candidates, is subtracted: Jégou and Chum: Negative Evidences and
  Co-occurrences in Image Retrieval: The Benefit of PCA and Whitening, ECCV 2012 (section 3);
- all vectors move towards their neighbors (augmentation.py), twice, so that neighbors of neighbors
  count, as in diffusion: Iscen et al.: Efficient Diffusion on Region Manifolds, CVPR 2017,
  arXiv:1611.05113. This is done on the similarities, which is equivalent and quicker;
- the original similarity is added, as in k-reciprocal re-ranking (reciprocal.py). It keeps the very
  first hit right when the neighbors are of another kind.
"""

import numpy as np

from .graph import centered, nearest

COMMON = 0.7  # of the mean is subtracted
NEIGHBORS = 5
PULL = 3.0  # weight of all neighbors together; the picture itself has 1
ROUNDS = 2


def smoothed(query: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Similarity before and after smoothing, added: (D,), (M, D) → (M,)."""
    together = centered(np.vstack([query[None], candidates]), COMMON)
    before = after = together @ together.T
    for _ in range(ROUNDS):
        after = smooth(after)
    return before[0, 1:] + after[0, 1:]


def smooth(gram: np.ndarray, neighbors: int = NEIGHBORS, pull: float = PULL) -> np.ndarray:
    """Similarities after each vector moved towards its nearest: (N, N) → (N, N).

    With v the vectors and W the weights: from v vᵀ to (W v) (W v)ᵀ = W (v vᵀ) Wᵀ, scaled to ones on
    the diagonal.
    """
    near = nearest(gram, neighbors)
    weights = np.maximum(np.take_along_axis(gram, near, 1), 0)
    weights *= pull / np.maximum(weights.sum(1, keepdims=True), np.finfo(np.float32).tiny)
    moved = gram
    for _ in range(2):  # the rows, then the columns
        moved = (moved + np.einsum("nk,nkm->nm", weights, moved[near])).T
    lengths = np.sqrt(np.maximum(np.diagonal(moved), np.finfo(np.float32).tiny))
    return moved / lengths / lengths[:, None]
