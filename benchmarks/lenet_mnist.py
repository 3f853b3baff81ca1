"""Train both forms of LeNet-5 on handwritten digits and print their accuracy on unseen ones.

    python benchmarks/lenet_mnist.py FOLDER

FOLDER holds t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz of MNIST. Of their 10,000
digits, 8,000 are for training and 2,000 for the test, divided by a fixed seed. The paper trains on
60,000 and reports 99.05%, and 99.2% with distorted digits (section III-B); as there, training
digits are distorted by small affine maps.
"""

import argparse
import gzip
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.command import existing, run
from kkcv import zoo
from kkcv.zoo.network import Network

SEED = 1998
EPOCHS = 25
BATCH = 32
LEARNING_RATE = {"lenet5_1998": 0.06, "lenet5_modern": 0.05}  # falls to 0 along a cosine
# Scores are divided by this before the softmax. Squared distances of 84 numbers differ by a hundred
# and more: undivided, the loss is content with a class as soon as it is a little nearer.
TEMPERATURE = {"lenet5_1998": 20.0, "lenet5_modern": 1.0}
BACKGROUND, INK = -0.1, 1.175  # section II-B


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=existing, help="where the two t10k-*.gz files are")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    args = parser.parse_args()

    torch.set_num_threads(1)  # the network is too small for more, and one is reproducible
    digits, labels = read_digits(args.folder)
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(SEED))
    train, test = order[:8000], order[8000:]
    print(
        f"{len(train):,} digits to train, {len(test):,} to test, {args.epochs} epochs, seed {SEED}"
    )
    for name in zoo.names("lenet5*"):
        started = time.perf_counter()
        network = fit(name, digits[train], labels[train], args.epochs)
        wrong = (predict(network, digits[test]) != labels[test]).sum().item()
        print(
            f"{name:14} {sum(p.numel() for p in network.parameters()):,} parameters: "
            f"{1 - wrong / len(test):.2%} right ({wrong} wrong) "
            f"after {time.perf_counter() - started:.0f} s",
            flush=True,
        )


def read_digits(folder: Path) -> tuple[Tensor, Tensor]:
    """Digits (N, 1, 32, 32) padded from 28x28, from background to ink, and labels (N,)."""
    pixels = read_idx(folder / "t10k-images-idx3-ubyte.gz")
    labels = read_idx(folder / "t10k-labels-idx1-ubyte.gz")
    ink = F.pad(torch.from_numpy(pixels).float()[:, None] / 255, (2, 2, 2, 2))
    return ink * (INK - BACKGROUND) + BACKGROUND, torch.from_numpy(labels).long()


def read_idx(path: Path) -> np.ndarray:
    """The array of an idx file: two zero bytes, type 8 (bytes), rank, then each side."""
    data = gzip.decompress(path.read_bytes())
    if data[:3] != b"\0\0\x08":
        raise SystemExit(f"{path} is no idx file of bytes")
    rank = data[3]
    shape = np.frombuffer(data, ">u4", rank, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape).copy()


def fit(name: str, digits: Tensor, labels: Tensor, epochs: int) -> Network:
    """Stochastic gradient descent with momentum on the cross-entropy of the scores."""
    torch.manual_seed(SEED)
    network = zoo.create(name).train()
    steps = epochs * math.ceil(len(digits) / BATCH)
    sgd = torch.optim.SGD(network.parameters(), LEARNING_RATE[name], 0.9, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, steps)
    for _ in range(epochs):
        for batch in torch.randperm(len(digits)).split(BATCH):
            scores = network(distort(digits[batch])) / TEMPERATURE[name]
            loss = F.cross_entropy(scores, labels[batch])
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            schedule.step()
    return network.eval()


def distort(digits: Tensor) -> Tensor:
    """Each digit moved (2 pixels), turned (10°), scaled (10%) and sheared (0.15), up to that."""
    n = len(digits)
    move, turn, scale, shear = (torch.rand(n, k) * 2 - 1 for k in (2, 1, 2, 1))
    angle = turn[:, 0] * math.radians(10)
    rotation = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(n, 2, 2)
    slant = torch.eye(2).repeat(n, 1, 1)
    slant[:, 0, 1] = shear[:, 0] * 0.15
    matrix = rotation @ slant @ torch.diag_embed(1 + scale * 0.1)
    grid = F.affine_grid(
        torch.cat([matrix, move[:, :, None] * (2 * 2 / 32)], 2), list(digits.shape), False
    )
    return F.grid_sample(digits - BACKGROUND, grid, align_corners=False) + BACKGROUND


@torch.inference_mode()
def predict(network: Network, digits: Tensor) -> Tensor:
    return network(digits).argmax(dim=1)


if __name__ == "__main__":
    run(main)
