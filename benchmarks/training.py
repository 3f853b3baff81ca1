"""Time and accuracy of whole training commands, from the start of Python to the report.

    make bench-train
    python -m benchmarks.training cats_dogs monkeys --rows head,auto

Prints tables of docs/training.md, whose rows are commands that a user would type; what each setting
adds over several seeds is in benchmarks/fine_tuning.py. ``on val`` is the accuracy that chose the
epoch: that of ``--auto`` is never below the head's. DATA has ``cats_dogs/{train,val}/CLASS``,
measured on ``val``, and ``monkeys/CLASS`` and ``produce/CLASS``, measured on the part that each
seed splits off; it is ``../shared/data`` beside the checkout.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.command import existing, run, some_of

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
ROWS = {
    "head": ("the head alone", []),
    "all": ("--unfreeze all --epochs 2", ["--unfreeze", "all", "--epochs", "2"]),
    "auto": ("--auto --minutes 5", ["--auto", "--minutes", "5"]),
}


class Run(NamedTuple):
    """The figures to quote and those of val; seconds by the clock, and of processor time."""

    figures: dict[str, Any]
    val: dict[str, Any]
    seconds: float
    busy: float


def train(data: Path, out: Path, *options: str) -> Run:
    """Run ``kkcv train``."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "kkcv", "train", data, "--out", out, "--json", *options]
    answer = json.loads(subprocess.check_output([str(part) for part in command]))
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(answer["parts"][answer["part"]], answer["parts"]["val"], seconds, busy)


def row(name: str, runs: list[Run]) -> str:
    """Means over the runs; errors are of each."""
    figures = [run.figures for run in runs]
    errors = [round((1 - each["accuracy"]) * each["pictures"]) for each in figures]
    pictures = statistics.mean(each["pictures"] for each in figures)
    cells = [
        name,
        f"{statistics.mean(each['accuracy'] for each in figures):.4f}",
        f"{', '.join(map(str, errors))} of {pictures:.0f}",
        f"{statistics.mean(each['log_loss'] for each in figures):.4f}",
        f"{statistics.mean(run.val['accuracy'] for run in runs):.4f}",
        f"{statistics.mean(run.seconds for run in runs):.0f}",
        f"{statistics.mean(run.busy for run in runs):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def retrieval(model: str, folder: Path) -> float:
    """Leave-one-out mean average precision over a folder of class folders."""
    command = [sys.executable, "-m", "kkcv", "evaluate", "search", folder, "--model", model]
    answer: dict[str, float] = json.loads(
        subprocess.check_output([*(str(part) for part in command), "--json"])
    )
    return answer["mAP"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("sets", nargs="*", default=["cats_dogs"], metavar="SET")
    parser.add_argument("--data", type=existing, default=SHARED)
    parser.add_argument(
        "--rows", type=some_of(ROWS), default="head,all,auto", help=f"of {','.join(ROWS)}"
    )
    parser.add_argument("--seeds", type=int, default=1, help="how many, from 0 on")
    parser.add_argument("--keep", type=Path, help="folder for the runs; else they are removed")
    parser.add_argument("--retrieval", action="store_true", help="search with the tuned network")
    parser.add_argument("--most-seconds", type=float, help="fail when the head alone takes more")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f} before it began")
    slow = False
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        for name in options.sets:
            print(f"\n| {name} | accuracy | errors | log loss | on val | seconds | of processor |")
            print("|---|--:|---|--:|--:|--:|--:|")
            for key in options.rows:
                title, settings = ROWS[key]
                runs = [
                    train(
                        options.data / name,
                        folder / f"{name}-{key}-{seed}",
                        *settings,
                        "--seed",
                        str(seed),
                    )
                    for seed in range(options.seeds)
                ]
                print(row(title, runs), flush=True)
                most = options.most_seconds
                slow |= key == "head" and most is not None and runs[0].seconds > most
        if options.retrieval:
            print("\n| mAP of search | cats_dogs/val | imagenette |\n|---|--:|--:|")
            tuned = str(folder / "cats_dogs-all-0")
            for title, model in (("ImageNet", "efficientnet_lite0"), ("tuned", tuned)):
                found = [
                    retrieval(model, options.data / s) for s in ("cats_dogs/val", "imagenette")
                ]
                print(f"| {title} | {' | '.join(f'{value:.4f}' for value in found)} |", flush=True)
    if slow:
        sys.exit(f"the head alone took more than {options.most_seconds:.0f} s")


if __name__ == "__main__":
    run(main)
