"""Train on cats and dogs: the head alone, then everything; what it costs and what it brings.

    make bench-train
    python benchmarks/cats_dogs.py --data PICTURES --epochs 2

Prints the tables of docs/training.md. PICTURES holds ``cats_dogs/{train,val}/{cats,dogs}`` and, for
the retrieval of other things, ``imagenette/CLASS``; it is ``../shared/data`` beside the checkout.
Seconds are of whole commands, from the start of Python to the report.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
FIGURES = ("accuracy", "f1", "auc", "log_loss", "ece")
ENOUGH, MOST_SECONDS = 0.975, 120  # of the head alone


def train(data: Path, out: Path, *options: str) -> tuple[dict[str, Any], float, float]:
    """The figures of a run on its validation part, seconds by the clock, seconds of processor."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "kkcv", "train", data, "--out", out, "--json", *options]
    answer = subprocess.check_output([str(part) for part in command])
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(answer)["parts"]["val"], seconds, busy


def row(name: str, figures: dict[str, Any], seconds: float, busy: float) -> str:
    cells = []
    for figure in FIGURES:
        low, high = figures["intervals"][figure]
        cells.append(f"{figures[figure]:.4f} ({low:.4f} to {high:.4f})")
    return f"| {name} | {' | '.join(cells)} | {seconds:.0f} | {busy:.0f} |"


def retrieval(model: str, folder: Path) -> float:
    """Leave-one-out mean average precision over a folder of class folders."""
    command = [
        sys.executable,
        "-m",
        "kkcv",
        "evaluate",
        "search",
        folder,
        "--model",
        model,
        "--json",
    ]
    answer: dict[str, float] = json.loads(subprocess.check_output([str(part) for part in command]))
    return answer["mAP"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--epochs", type=int, default=2, help="of the fine-tuning")
    parser.add_argument("--keep", type=Path, help="folder for the runs; else they are removed")
    parser.add_argument("--no-retrieval", dest="retrieval", action="store_false")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f} before it began\n")
    with tempfile.TemporaryDirectory() as scratch:
        runs = options.keep or Path(scratch)
        pictures = options.data / "cats_dogs"
        print(f"| | {' | '.join(FIGURES)} | seconds | of processor |")
        print("|---|" + "---|" * (len(FIGURES) + 2))
        head = train(pictures, runs / "head")
        print(row("head alone", *head), flush=True)
        tuned = train(
            pictures, runs / "tuned", "--unfreeze", "all", "--epochs", str(options.epochs)
        )
        print(row(f"then all, {options.epochs} epochs", *tuned), flush=True)
        if options.retrieval:
            print("\n| mAP of search | cats_dogs/val | imagenette |\n|---|---|---|")
            for name, model in (("ImageNet", "efficientnet_lite0"), ("tuned", str(runs / "tuned"))):
                found = [
                    retrieval(model, options.data / s) for s in ("cats_dogs/val", "imagenette")
                ]
                print(f"| {name} | {' | '.join(f'{value:.4f}' for value in found)} |", flush=True)
    accuracy, seconds = head[0]["accuracy"], head[1]
    if accuracy < ENOUGH or tuned[0]["accuracy"] < accuracy:
        sys.exit(f"accuracy {accuracy:.4f} of the head, {tuned[0]['accuracy']:.4f} tuned: too low")
    if seconds > MOST_SECONDS:
        sys.exit(
            f"{seconds:.0f} s for the head alone; {MOST_SECONDS} s are promised on 2 idle cores"
        )


if __name__ == "__main__":
    main()
