"""The child process that learns projections: ``python -m kkcv.search.learning.child``.

From labelled unit vectors it learns a matrix that draws vectors of one class together and pushes
others away, with the multi-similarity loss (Wang et al., CVPR 2019, arXiv:1904.06627). The matrix
starts as the first principal axes, which nearly preserve all cosines. These axes also stay beside
the learned matrix with equal weight, because the learned part alone finds copies less often. It is
a process of its own because it needs torch.

Standard input is an npz of ``vectors`` float32 (N, D), ``classes`` int64 (N,) and ``chosen`` bool
(R, N); standard output is an npz of R matrices, each learned from one row's chosen vectors.
"""

import io
import sys

import numpy as np
import torch
from pytorch_metric_learning.losses import MultiSimilarityLoss
from pytorch_metric_learning.samplers import MPerClassSampler
from torch.nn.functional import normalize

DIM = 256  # of each half
EPOCHS = 10
STEPS = 60  # at least, if there are few pictures
BATCH = 256
OF_A_CLASS = 4  # pictures of each class in a batch, at least
RATE = 1e-3


def learned(vectors: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Principal axes and learned matrix, (D, 2d), from unit vectors (N, D) and N classes."""
    dim = min(DIM, *vectors.shape)
    axes = torch.linalg.svd(vectors, full_matrices=False)[2][:dim]
    matrix = axes.T.contiguous().requires_grad_()
    loss_of = MultiSimilarityLoss()
    optimizer = torch.optim.Adam([matrix], lr=RATE)
    batch = min(BATCH, len(vectors) // OF_A_CLASS * OF_A_CLASS)
    # the sampler needs full batches: with few classes they have more than four of each
    each = max(OF_A_CLASS, -(-batch // len(torch.unique(classes))))
    sampler = MPerClassSampler(classes.tolist(), each, length_before_new_iter=len(vectors))
    for _ in range(max(EPOCHS, STEPS * batch // len(vectors))):
        for rows in torch.tensor(list(sampler)).split(batch):
            loss = loss_of(normalize(vectors[rows] @ matrix), classes[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return torch.cat([weighed(vectors, axes.T), weighed(vectors, matrix.detach())], dim=1)


def weighed(vectors: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """The matrix divided by the mean length of its outputs: both halves then weigh the same."""
    return matrix / (vectors @ matrix).norm(dim=1).mean()


def main() -> None:
    torch.set_num_threads(1)  # there is too little to compute for several
    torch.manual_seed(0)
    np.random.seed(0)  # the sampler's
    question = np.load(io.BytesIO(sys.stdin.buffer.read()))
    vectors, classes = (torch.from_numpy(question[name]) for name in ("vectors", "classes"))
    matrices = [
        learned(vectors[rows], classes[rows]).numpy().astype(np.float16)
        for rows in torch.from_numpy(question["chosen"])
    ]
    answer = io.BytesIO()
    np.savez(answer, *matrices)
    sys.stdout.buffer.write(answer.getvalue())


if __name__ == "__main__":
    main()
