"""The smallest network of each family, trained from scratch on the same digits for the same time.

    python -m benchmarks.trained_here              # all: a quarter of an hour on one core
    python -m benchmarks.trained_here resnet vgg   # these alone; the others keep their results

The digits are the 1,797 of scikit-learn, 8x8 pixels, which every reader has; they are enlarged to
64x64, or to the least size of the network. 1,437 train, 360 test. Each network gets ``SECONDS`` of
processor time for its steps (AdamW with a rate of 0.001, batches of 32, no augmentation, one
thread); tests are not counted. Results go into ``docs/zoo_pages/trained.json``.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor

from kkcv import zoo
from kkcv.disk import write_file
from kkcv.zoo.network import Network
from kkcv.zoo.recorded import Recorded, families, recorded

FILE = Path(__file__).parents[1] / "docs" / "zoo_pages" / "trained.json"
SECONDS = 24.0
SIDE = 64
BATCH = 32
RATE = 1e-3
TESTS = 8  # points of a curve


def smallest(family: str) -> Recorded:
    """The network of a family with the fewest multiply-adds."""
    return min(map(recorded, families()[family].networks), key=lambda known: known.macs)


def digits(channels: int, side: int) -> tuple[Tensor, Tensor]:
    """Pictures from -1 to 1 (N, channels, side, side), mixed, and their classes."""
    found = load_digits()
    mixed = torch.randperm(len(found.target), generator=torch.Generator().manual_seed(0))
    small = torch.tensor(found.images, dtype=torch.float32)[:, None] / 8 - 1
    large = F.interpolate(small, size=(side, side), mode="bilinear", align_corners=False)
    return large[mixed].expand(-1, channels, -1, -1), torch.tensor(found.target)[mixed]


def train(known: Recorded) -> dict[str, Any]:
    """Seconds, steps and accuracy on the test part, at points of the curve."""
    torch.manual_seed(0)
    fixed = known.input_size[1] == known.min_size
    side = known.min_size if fixed else max(SIDE, known.min_size)
    network = zoo.create(known.name, num_classes=10)
    pictures, classes = digits(known.input_size[0], side)
    test = len(pictures) // 5
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE)
    spent, steps = 0.0, 0
    curve: list[list[float]] = []
    generator = torch.Generator().manual_seed(0)
    order = torch.empty(0, dtype=torch.long)
    while spent < SECONDS:
        begun = time.process_time()
        if len(order) < BATCH:
            order = test + torch.randperm(len(pictures) - test, generator=generator)
        chosen, order = order[:BATCH], order[BATCH:]
        network.train()
        loss = F.cross_entropy(network(pictures[chosen]), classes[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        spent += time.process_time() - begun
        steps += 1
        if spent >= SECONDS * (len(curve) + 1) / TESTS:
            right = accuracy(network, pictures[:test], classes[:test])
            curve.append([round(spent, 1), steps, round(right, 4)])
    return {
        "network": known.name,
        "side": side,
        "parameters": sum(p.numel() for p in network.parameters()),
        "curve": curve,
    }


def accuracy(network: Network, pictures: Tensor, classes: Tensor) -> float:
    network.eval()
    with torch.inference_mode():
        answers = torch.cat([network(part).argmax(dim=1) for part in pictures.split(60)])
    return (answers == classes).float().mean().item()


def main(chosen: list[str]) -> None:
    torch.set_num_threads(1)
    done = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
    for name in chosen or list(families()):
        done[name] = train(smallest(name))
        print(name, done[name], flush=True)
        ordered = {name: done[name] for name in families() if name in done}
        rows = ",\n".join(f"{json.dumps(n)}: {json.dumps(row)}" for n, row in ordered.items())
        write_file(FILE, f"{{\n{rows}\n}}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
