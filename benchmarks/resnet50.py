"""ResNet50 from a local weights file at full size: what a run takes here, and on a GPU.

    make bench-train-resnet50
    python -m benchmarks.resnet50 --set monkeys

``kkcv train`` reads a file as torchvision publishes it. Its values are random, since nothing is
downloaded: the time is the same, and the accuracy means nothing. What a GPU takes is computed from
the operations of a step, until it is measured (``make gpu-check``).
"""

import argparse
import os
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
import torchvision
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.command import existing, run
from benchmarks.training import SHARED, train
from kkcv import zoo
from kkcv.training.fit.freezing import freeze, training_mode

STAGES = ("--unfreeze", "1", "--epochs", "1")
TERAFLOPS = 20  # of mixed precision that are reached: some 30% of what a T4 promises
KAGGLE = 25_000  # pictures of Dogs vs. Cats


def operations(depth: int) -> float:
    """Multiplications and additions of a training step, a picture, in billions."""
    network = zoo.create("resnet50", num_classes=2)
    freeze(network, depth)
    training_mode(network, freeze_norms=True)
    with FlopCounterMode(display=False) as counter:
        scores = network(torch.zeros(1, 3, 224, 224))
        F.cross_entropy(scores, torch.zeros(1, dtype=torch.int64)).backward()
    return counter.get_total_flops() / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--set", default="monkeys", help="a folder of DATA")
    parser.add_argument("--data", type=existing, default=SHARED)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        weights = Path(scratch) / "resnet50.pth"
        torch.manual_seed(0)
        torch.save(torchvision.models.resnet50().state_dict(), weights)
        run = train(
            options.data / options.set,
            Path(scratch) / "run",
            *("--model", "resnet50", "--weights", str(weights), *STAGES),
        )
        table = (Path(scratch) / "run" / "split.csv").read_text(encoding="utf-8")
    pictures = len(table.splitlines()) - 1
    print(f"{os.cpu_count()} cores; --model resnet50 --weights FILE {' '.join(STAGES)}, 224 pixels")
    print("\n| pictures | seconds | of processor | a picture |\n|--:|--:|--:|--:|")
    print(f"| {pictures} | {run.seconds:.0f} | {run.busy:.0f} | {run.busy / pictures:.2f} |")
    print(f"\nA GPU that reaches {TERAFLOPS} TFLOP/s, computed:")
    print("\n| trained | GFLOP a picture | pictures/s | an epoch of 25,000 |\n|---|--:|--:|--:|")
    for title, depth in (("the last stage", 1), ("the whole network", -1)):
        billions = operations(depth)
        rate = 1000 * TERAFLOPS / billions
        print(f"| {title} | {billions:.1f} | {rate:.0f} | {KAGGLE / rate:.0f} s |", flush=True)


if __name__ == "__main__":
    run(main)
