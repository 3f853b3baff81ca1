"""The head alone over several seeds: input sizes, and mirror images at test time.

    make bench-train-heads
    python -m benchmarks.heads cats_dogs monkeys produce --seeds 5 --keep FOLDER

Each picture goes through the backbone once for each size, and once more as its mirror image; then
the head is trained as ``kkcv train`` trains it, for each seed. DATA is as for
benchmarks/training.py. Figures are of ``val`` where the data have one, else of the test part of
each seed.
"""

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmarks.training import SHARED
from kkcv.training.data.inspection import Inspection, inspect_pictures
from kkcv.training.data.source import Source
from kkcv.training.data.split import split
from kkcv.training.evaluation.metrics import measure
from kkcv.training.evaluation.scoring import fit_temperature, softmax
from kkcv.training.fit import datasets
from kkcv.training.fit.job import Files, Job, Labelled
from kkcv.training.fit.network import network_for, starting_point
from kkcv.training.fit.processes import Processes
from kkcv.training.fit.stages import fit
from kkcv.training.inference import outputs, placed
from kkcv.training.recipe import Recipe

CPU = torch.device("cpu")


class Embedded(NamedTuple):
    """Embeddings by path, float32 (D,): of the picture, and of its mirror image."""

    plain: dict[str, Tensor]
    mirrored: dict[str, Tensor]


def embed(paths: list[Path], size: int, file: Path) -> Embedded:
    """Both embeddings of every picture, from ``file`` if it has them."""
    if not file.is_file():
        base = starting_point(Recipe(size=size))
        network = placed(base.build(), CPU)

        def both(images: Tensor) -> Tensor:
            return torch.cat([network.embedding(images), network.embedding(images.flip(-1))], 1)

        rows, _ = outputs(both, paths, base.preprocess, device=CPU)
        np.savez(file, x=rows.numpy(), paths=[str(path) for path in paths])
    with np.load(file) as saved:
        plain, turned = torch.from_numpy(saved["x"]).chunk(2, dim=1)
        names = saved["paths"].tolist()
    return Embedded(dict(zip(names, plain, strict=True)), dict(zip(names, turned, strict=True)))


def figures(
    root: Path, inspection: Inspection, embedded: Embedded, size: int, seed: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The figures of a head, without and with mirror images."""
    recipe, pictures = Recipe(size=size, seed=seed), inspection.pictures
    parts = split(inspection, val=recipe.val, test=recipe.test, seed=seed).parts
    classes = tuple(sorted({picture.label for picture in pictures}))

    def labelled(wanted: str) -> Labelled:
        of = [p for p, part in zip(pictures, parts, strict=True) if part == wanted]
        return Labelled([root / p.path for p in of], [classes.index(p.label) for p in of])

    def known(_: object, paths: list[Path], *__: object, **___: object) -> Any:
        return torch.stack([embedded.plain[str(path)] for path in paths]), []

    datasets.outputs = known  # type: ignore[assignment]  # all seeds share the backbone's outputs
    with tempfile.TemporaryDirectory() as scratch:
        files = Files(*(Path(scratch) / name for name in ("resume.ckpt", "metrics.csv", "logs")))
        base = starting_point(recipe)
        job = Job(
            base, recipe, classes, labelled("train"), labelled("val"), files, CPU, Processes()
        )
        progress = fit(job).progress
    network = network_for(base, classes, seed).eval()
    network.load_state_dict(progress.best_state, strict=False)

    def scores(part: Labelled, mirror: bool) -> np.ndarray:
        rows = [
            torch.stack([of[str(path)] for path in part.paths])
            for of in (embedded.plain, embedded.mirrored)[: 1 + mirror]
        ]
        with torch.inference_mode():
            found = [network.head(each).log_softmax(1) for each in rows]
            return (torch.stack(found).logsumexp(0) - np.log(len(found))).numpy()

    quoted = labelled("test") if "test" in parts else labelled("val")
    answers = []
    for mirror in (False, True):
        val = labelled("val")
        temperature = fit_temperature(scores(val, mirror), np.array(val.labels))
        probabilities = softmax(scores(quoted, mirror) / temperature)
        answers.append(measure(probabilities, np.array(quoted.labels), classes))
    return answers[0], answers[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("sets", nargs="*", default=["cats_dogs"], metavar="SET")
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--sizes", default="224,288", help="sides of the input in pixels")
    parser.add_argument("--seeds", type=int, default=5, help="how many, from 0 on")
    parser.add_argument("--keep", type=Path, help="folder for embeddings; else they are removed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.sets:
            data = Source(options.data / name).read()
            inspection = inspect_pictures(data)
            paths = [data.root / picture.path for picture in inspection.pictures]
            print(f"\n| {name} | accuracy | errors | log loss |\n|---|--:|---|--:|")
            for size in map(int, options.sizes.split(",")):
                file = (options.keep or Path(scratch)) / f"{name}-{size}.npz"
                embedded = embed(paths, size, file)
                both = [
                    figures(data.root, inspection, embedded, size, seed)
                    for seed in range(options.seeds)
                ]
                for title, found in zip(
                    ("", ", mirror images"), zip(*both, strict=True), strict=True
                ):
                    wrong = [round((1 - f["accuracy"]) * f["pictures"]) for f in found]
                    cells = [
                        f"the head, {size} pixels{title}",
                        f"{statistics.mean(f['accuracy'] for f in found):.4f}",
                        f"{', '.join(map(str, wrong))} of {found[0]['pictures']}",
                        f"{statistics.mean(f['log_loss'] for f in found):.4f}",
                    ]
                    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
