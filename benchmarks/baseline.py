"""A folder of pictures to a gallery: kkcv against what people write today, and against the floor.

python -m benchmarks.baseline FOLDER... [--network NAME] [--weights imagenet|none] [--passes 2]
python -m benchmarks.baseline FOLDER... --memory

The baseline is the usual script: a torchvision Dataset, Pillow, Resize and CenterCrop, a DataLoader
(0 workers, and one a core), and the eager network in float32; it keeps its vectors in memory. kkcv
makes a gallery on the disk. The floor is the processor time that decoding and inference take alone,
divided by the cores. All are processes of their own that take turns; the best pass of each counts,
and starting up does not. ``by CPU`` is the rate that the processor time used would give with all
cores free, which other work on the machine disturbs less than the wall clock.

``--memory``: the peak of an import of 1,000 pictures less that of one with 100.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.command import existing, pictures_in, run
from kkcv.checkpoint import resolve
from kkcv.machine import cores

BATCH = 32


def cpu_seconds() -> float:
    """Of this process and of the children that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def torch_script(paths: list[str], network: str, weights: str, workers: int) -> Callable[[], Any]:
    import torch
    from PIL import Image
    from torchvision import transforms

    checkpoint = resolve(network, weights)
    spec, model = checkpoint.preprocess, checkpoint.build()
    transform = transforms.Compose(
        [
            transforms.Resize(spec.resize, transforms.InterpolationMode(spec.interpolation)),
            transforms.CenterCrop(spec.size),
            transforms.ToTensor(),
            transforms.Normalize(spec.mean, spec.std),
        ]
    )

    class Folder(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(paths)

        def __getitem__(self, index: int) -> torch.Tensor:
            return transform(Image.open(paths[index]).convert("RGB"))

    loader = torch.utils.data.DataLoader(Folder(), batch_size=BATCH, num_workers=workers)

    def run() -> None:
        with torch.no_grad():
            vectors = torch.cat([model.embedding(batch) for batch in loader])
            torch.nn.functional.normalize(vectors).numpy()

    return run


def kkcv_import(paths: list[str], network: str, weights: str) -> Callable[[], Any]:
    from kkcv.embedding.embedder import Embedder
    from kkcv.search.gallery import Gallery
    from kkcv.search.importing import import_pictures

    embedder = Embedder.load(network, weights)

    def run() -> None:
        with (
            tempfile.TemporaryDirectory() as folder,
            Gallery.create(Path(folder) / "g", embedder) as gallery,
        ):
            assert import_pictures(gallery, paths).added

    return run


def floor(paths: list[str], network: str, weights: str) -> Callable[[], Any]:
    """Decoding alone, then inference alone; its processor time is what counts."""
    from kkcv.embedding.embedder import Embedder

    embedder = Embedder.load(network, weights)

    def run() -> None:
        for start in range(0, len(paths), BATCH):
            embedder.embed_crops([embedder.prepare(path) for path in paths[start : start + BATCH]])

    return run


WAYS: dict[str, Callable[..., Callable[[], Any]]] = {
    "baseline, 0 workers": partial(torch_script, workers=0),
    "baseline, a worker a core": partial(torch_script, workers=cores()),
    "kkcv": kkcv_import,
    "floor": floor,
}


def child(way: str, network: str, weights: str) -> None:
    """Paths as JSON from standard input; the figures as JSON to standard output."""
    paths = json.load(sys.stdin)
    run = WAYS[way](paths, network, weights)
    wall, cpu = time.perf_counter(), cpu_seconds()
    run()
    wall, cpu = time.perf_counter() - wall, cpu_seconds() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KB
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak}))


def measure(way: str, paths: list[str], network: str, weights: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.baseline", "child", way, network, weights]
    said = subprocess.check_output(command, input=json.dumps(paths), text=True)
    return json.loads(said.splitlines()[-1])


def compare(paths: list[str], network: str, weights: str, passes: int) -> list[dict[str, Any]]:
    best: dict[str, dict[str, float]] = {}
    for _ in range(passes):
        for way in WAYS:
            figures = measure(way, paths, network, weights)
            old = best.get(way, figures)
            best[way] = {key: min(old[key], value) for key, value in figures.items()}
    rows = []
    quickest = max(len(paths) / best[way]["wall"] for way in WAYS if way.startswith("base"))
    by_cpu = {way: cores() * len(paths) / figures["cpu"] for way, figures in best.items()}
    for way, figures in best.items():
        rate = by_cpu[way] if way == "floor" else len(paths) / figures["wall"]
        rows.append(
            {
                "": way,
                "pictures/s": rate,
                "by CPU": by_cpu[way],
                "to baseline": rate / quickest,
                "by CPU, to baseline": by_cpu[way]
                / max(v for k, v in by_cpu.items() if "base" in k),
                "by CPU, to floor": by_cpu[way] / by_cpu["floor"],
                "peak MB": figures["peak"],
            }
        )
    return rows


def main() -> None:
    if sys.argv[1:2] == ["child"]:
        child(*sys.argv[2:])
        return
    from .report import report

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=existing)
    parser.add_argument("--network", default="efficientnet_lite0")
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--pictures", type=int, default=1000, help="at most so many of the folder")
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    found = [str(path.resolve()) for path in pictures_in(options.folders)]
    paths = found[:: max(1, len(found) // options.pictures)][: options.pictures]
    about = (options.network, options.weights)
    if options.memory:
        peaks = {n: measure("kkcv", paths[:n], *about)["peak"] for n in (100, 1000)}
        rows: list[dict[str, Any]] = [{"pictures": n, "peak MB": mb} for n, mb in peaks.items()]
        rows.append({"pictures": "difference", "peak MB": peaks[1000] - peaks[100]})
    else:
        rows = compare(paths, *about, options.passes)
    name = "memory" if options.memory else f"import-{options.network}"
    folders = " and ".join(folder.name for folder in options.folders)
    report(name, f"{len(paths)} pictures of {folders}, {options.network}", rows, ("torchvision",))


if __name__ == "__main__":
    run(main)
