"""The gain of each step of training over several seeds: size, unfreezing, averaging, mirror images.

    make bench-train
    python -m benchmarks.fine_tuning cats_dogs monkeys produce --rows head,all --seeds 5

Prints the tables of docs/training.md. Each row is ``kkcv train`` with the options that it names,
and is measured twice: as the pictures are, and with mirror images (``--tta``). All rows and seeds
share one inspection of the data, and the answers of the backbone as it was. Seconds are processor
time of a run's training and measuring; a run of the head alone measures with its embeddings.

DATA has ``cats_dogs/{train,val}/CLASS``, measured on ``val``, and ``monkeys/CLASS`` and
``produce/CLASS``, measured on the test part of each seed; it is ``../shared/data`` beside the
checkout. With ``--folds`` the training part alone is used, for choosing settings: it is cut into
so many parts, and each is measured by a network that was trained on the others.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmarks.command import existing, run, some_of
from benchmarks.training import SHARED
from kkcv.images.preprocess import Preprocess
from kkcv.training.data.inspection import Inspection, inspect_pictures
from kkcv.training.data.source import Source
from kkcv.training.data.split import split
from kkcv.training.evaluation.metrics import measure
from kkcv.training.evaluation.scoring import fit_temperature, softmax
from kkcv.training.fit import datasets
from kkcv.training.fit.job import Files, Job, Labelled
from kkcv.training.fit.network import network_for
from kkcv.training.fit.processes import Processes
from kkcv.training.fit.stages import fit
from kkcv.training.inference import MoreCrops, outputs, placed
from kkcv.training.plan import stages
from kkcv.training.recipe import Recipe
from kkcv.training.start import starting_point
from kkcv.zoo.network import Network

CPU = torch.device("cpu")
TWO = {"epochs": 2}
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "head": ("the head alone", {}),
    "larger": ("--size 288", {"size": 288}),
    "larger320": ("--size 320", {"size": 320}),
    "whole": ("--whole", {"whole": True}),
    "wholelarger": ("--whole --size 288", {"whole": True, "size": 288}),
    "light": ("--augment light", {"augment": "light"}),
    "best": (
        "--whole --size 288 --augment light",
        {"whole": True, "size": 288, "augment": "light"},
    ),
    "longer": ("--head-epochs 60", {"head_epochs": 60}),
    "smoothed": ("--label-smoothing 0.1", {"label_smoothing": 0.1}),
    "averagedhead": ("--ema 0.99", {"ema": 0.99}),
    "last": ("--unfreeze 1 --epochs 2", {"unfreeze": "1", **TWO}),
    "last3": ("--unfreeze 3 --epochs 2", {"unfreeze": "3", **TWO}),
    "last3averaged": ("--unfreeze 3 --epochs 2 --ema 0.9", {"unfreeze": "3", "ema": 0.9, **TWO}),
    "all": ("--unfreeze all --epochs 2", {"unfreeze": "all", **TWO}),
    "norms": (
        "--unfreeze all --epochs 2 --batch-norm train",
        {"unfreeze": "all", "batch_norm": "train", **TWO},
    ),
    "averaged": ("--unfreeze all --epochs 2 --ema 0.9", {"unfreeze": "all", "ema": 0.9, **TWO}),
}


class Parts(NamedTuple):
    """``quoted`` is what figures are of; ``val`` chooses the epoch and the temperature."""

    train: Labelled
    val: Labelled
    quoted: Labelled


class Backbone:
    """Embeddings of the backbone as it was: each view of a picture goes through it once.

    It stands in for ``inference.outputs`` in the stages that train the head alone.
    """

    def __init__(self) -> None:
        # (2, D): and of the mirror image
        self.known: dict[Preprocess, dict[Path, Tensor]] = {}
        self.spent: dict[Preprocess, float] = {}  # seconds of processor time
        self.crops: dict[Preprocess, dict[Path, Tensor]] = {}  # (C, D), those of the first seed
        self.spent_on_crops = 0.0

    @property
    def seconds(self) -> float:
        return sum(self.spent.values()) + self.spent_on_crops

    def each(self, views: Sequence[Preprocess]) -> float:
        """Seconds a picture, without its mirror image."""
        return sum(self.spent[view] / len(self.known[view]) / 2 for view in views)

    def __call__(
        self,
        function: Callable[[Tensor], Tensor],
        paths: Sequence[Path],
        views: Sequence[Preprocess],
        more: MoreCrops | None = None,
        **_: Any,
    ) -> tuple[Tensor, list[None]]:
        for view in views:
            known = self.known.setdefault(view, {})
            if new := [path for path in paths if path not in known]:
                began = time.process_time()
                rows, errors = outputs(both_ways(function), new, [view], device=CPU)
                assert not any(errors)
                spent = time.process_time() - began
                self.spent[view] = self.spent.get(view, 0.0) + spent
                known |= dict(zip(new, rows[:, 0], strict=True))
        rows = self.both(paths, views)[:, :, 0]
        if more is None:
            return rows, []
        crops = self.crops.setdefault(views[0], {})
        if new := [path for path in paths if path not in crops]:
            began = time.process_time()
            found, errors = outputs(function, new, views[:1], device=CPU, more=more)
            assert not any(errors)
            self.spent_on_crops += time.process_time() - began
            crops |= dict(zip(new, found[:, 1:], strict=True))
        return torch.cat([rows, torch.stack([crops[path] for path in paths])], 1), []

    def both(self, paths: Sequence[Path], views: Sequence[Preprocess]) -> Tensor:
        """(N, V, 2, D)"""
        each = [[self.known[view][path] for view in views] for path in paths]
        return torch.stack([torch.stack(rows) for rows in each])

    def scores(self, network: Network, part: Labelled, views: Sequence[Preprocess]) -> Tensor:
        """(N, V, 2, K) of a head that was trained alone, from the embeddings."""
        self(network.embedding, part.paths, views)
        with torch.inference_mode():
            return network.head(self.both(part.paths, views).flatten(0, 2)).unflatten(
                0, (len(part.paths), len(views), 2)
            )


def both_ways(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """(N, C, H, W) → (N, 2, …): of the pictures, and of their mirror images."""
    return lambda images: torch.stack([function(images), function(images.flip(-1))], dim=1)


def parts_of(root: Path, inspection: Inspection, seed: int) -> Parts:
    """As ``kkcv train`` splits."""
    recipe, pictures = Recipe(seed=seed), inspection.pictures
    parts = split(inspection, val=recipe.val, test=recipe.test, seed=seed).parts
    classes = sorted({picture.label for picture in pictures})

    def labelled(wanted: str) -> Labelled:
        of = [p for p, part in zip(pictures, parts, strict=True) if part == wanted]
        return Labelled([root / p.path for p in of], [classes.index(p.label) for p in of])

    val = labelled("val")
    return Parts(labelled("train"), val, labelled("test") if "test" in parts else val)


def folds(whole: Labelled, count: int, seed: int) -> list[Parts]:
    """Each picture is in ``quoted`` once; of the others 15% are ``val``."""
    order = np.random.default_rng(seed).permutation(len(whole.paths)).tolist()

    def labelled(which: list[int]) -> Labelled:
        return Labelled([whole.paths[i] for i in which], [whole.labels[i] for i in which])

    found = []
    for fold in range(count):
        rest = [i for at, i in enumerate(order) if at % count != fold]
        cut = round(0.15 * len(rest))
        found.append(Parts(*map(labelled, (rest[cut:], rest[:cut], order[fold::count]))))
    return found


def trained(
    recipe: Recipe, classes: tuple[str, ...], parts: Parts, backbone: Backbone
) -> tuple[list[dict[str, Any]], float]:
    """The figures without and with mirror images, and the processor time."""
    began = time.process_time() - backbone.seconds
    datasets.outputs = backbone  # type: ignore[assignment]  # all seeds share its answers
    with tempfile.TemporaryDirectory() as scratch:
        files = Files(*(Path(scratch) / name for name in ("resume.ckpt", "metrics.csv", "logs")))
        base = starting_point(recipe)
        job = Job(base, recipe, classes, parts.train, parts.val, files, CPU, Processes())
        fitted = fit(job)
    network = network_for(fitted.best, classes, recipe.seed)
    network.load_state_dict(fitted.progress.best_state, strict=False)
    network, views = placed(network, CPU), fitted.best.views

    def scores(part: Labelled) -> Tensor:
        if fitted.embeddings is not None:
            return backbone.scores(network, part, views)
        return outputs(both_ways(network), part.paths, views, device=CPU)[0]

    val = scores(parts.val)
    quoted = val if parts.quoted is parts.val else scores(parts.quoted)
    found = figures(val, quoted, parts, classes)
    seconds = time.process_time() - backbone.seconds - began
    seen = len(parts.train.paths) + len(parts.val.paths)
    crops = sum(stage.crops for stage in stages(recipe)) * len(parts.train.paths)
    return found, seconds + backbone.each(views) * seen + backbone.each(views[:1]) * crops


def figures(
    val: Tensor, quoted: Tensor, parts: Parts, classes: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Of scores (N, V, 2, K): without and with mirror images, each with its temperature."""
    found = []
    for mirrors in (False, True):
        chooses, answers = (mean(scores, mirrors).numpy() for scores in (val, quoted))
        temperature = fit_temperature(chooses, np.array(parts.val.labels))
        labels = np.array(parts.quoted.labels)
        found.append(measure(softmax(answers / temperature), labels, classes))
    return found


def mean(scores: Tensor, mirrors: bool) -> Tensor:
    """Logarithms of the mean probability over views, and their mirror images: (N, K)."""
    logs = scores[:, :, : 1 + mirrors].flatten(1, 2).log_softmax(-1)
    return logs.logsumexp(1) - np.log(logs.shape[1])


def row(title: str, found: list[dict[str, Any]], seconds: list[float]) -> str:
    """Means over the runs; errors are of each."""
    wrong = [round((1 - each["accuracy"]) * each["pictures"]) for each in found]
    cells = [
        title,
        f"{statistics.mean(each['accuracy'] for each in found):.4f}",
        f"{', '.join(map(str, wrong))} of {found[0]['pictures']}",
        f"{statistics.mean(each['log_loss'] for each in found):.4f}",
        f"{statistics.mean(seconds):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("sets", nargs="*", default=["cats_dogs"], metavar="SET")
    parser.add_argument("--data", type=existing, default=SHARED)
    parser.add_argument(
        "--rows", type=some_of(ROWS), default="head,larger,last3,all", help=f"of {','.join(ROWS)}"
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 0 on")
    parser.add_argument("--folds", type=int, default=0, help="measure on parts of train instead")
    options = parser.parse_args()
    for name in options.sets:
        data = Source(options.data / name).read()
        inspection = inspect_pictures(data)
        backbone = Backbone()
        classes = tuple(sorted({picture.label for picture in inspection.pictures}))
        print(f"\n| {name} | accuracy | errors | log loss | seconds |\n|---|--:|---|--:|--:|")
        for title, settings in (ROWS[key] for key in options.rows):
            found, seconds = [], []
            for seed in range(options.seeds):
                parts = parts_of(data.root, inspection, seed)
                cut = folds(parts.train, options.folds, seed) if options.folds else [parts]
                for each in cut:
                    both, taken = trained(Recipe(seed=seed, **settings), classes, each, backbone)
                    found.append(both)
                    seconds.append(taken)
                    right = ", ".join(f"{of['accuracy']:.4f}" for of in both)
                    print(f"{name} {title}, seed {seed}: {right}, {taken:.0f} s", file=sys.stderr)
            for more, of in zip(("", ", --tta"), zip(*found, strict=True), strict=True):
                print(row(title + more, list(of), seconds), flush=True)


if __name__ == "__main__":
    run(main)
