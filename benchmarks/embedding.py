"""How fast and how true runtimes and precisions are.

    python -m benchmarks.embedding rate PICTURES [--networks efficientnet_lite0,resnet50]
    python -m benchmarks.embedding quality FOLDER... [--network NAME]

``rate``: crops in memory, the best of several passes that take turns, so that other work on the
machine disturbs all alike; each runtime in a process of its own. ``by CPU`` is the rate that the
processor time used would give with all cores free, which other work disturbs less. The last columns
compare with eager PyTorch in float32, as torchvision's users run it. Presets (``--networks
dinov3-small,mobileclip2-s0``) have random weights, smaller batches, and the runtimes that do
without PyTorch; after their export, which is kept, a row takes seconds.

``quality``: leave-one-out retrieval over folders whose subfolders are classes (or near-duplicate
groups), for float32 and each precision, and how far the answers differ from float32's. int8 is
calibrated with PICTURES, or with the pictures of each folder.
"""

import argparse
import json
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kkcv.checkpoint import DEFAULT_NETWORK, Checkpoint, resolve
from kkcv.embedding.embedder import BACKEND, Embedder
from kkcv.embedding.measuring import PRECISIONS, candidates
from kkcv.embedding.pipeline import ahead
from kkcv.embedding.quantized import Quantized, calibrated
from kkcv.errors import KkcvError
from kkcv.images.folder import find_pictures, labelled_pictures
from kkcv.machine import cores
from kkcv.presets import preset as presets
from kkcv.search.quality.metrics import leave_one_out

from .command import existing, run
from .report import report

EAGER = "pytorch, eager"
BATCH = 32
BATCH_OF_PRESETS = 4  # those with attention take a second a picture and more
PASSES = 3
PASS_SECONDS = 1.0
TOP = 10


def serve_passes(runtime: str, precision: str) -> None:
    """A child: a pass for each line of standard input, and its figures as a line."""
    checkpoint, quantized = pickle.load(sys.stdin.buffer)
    if runtime == EAGER:
        plain_passes(checkpoint)
        return
    try:
        embedder = Embedder(checkpoint, runtime=runtime, precision=precision, quantized=quantized)
    except KkcvError as error:
        print(json.dumps({"failure": str(error)}), flush=True)
        return
    spec, batch = checkpoint.preprocess, batch_of(checkpoint)
    random = np.random.default_rng(0)
    crops = list(random.integers(0, 256, (batch, *spec.size, spec.channels), np.uint8))
    passes(lambda: embedder.embed_crops(crops), batch)


def plain_passes(checkpoint: Checkpoint) -> None:
    """The network as torchvision's users run it, in one thread or in all, whichever is faster.

    On a busy machine the threads of PyTorch wait for each other, and their waiting counts as work.
    """
    import torch

    network = checkpoint.build()
    batch = batch_of(checkpoint)
    images = torch.rand(batch, checkpoint.preprocess.channels, *checkpoint.preprocess.size)

    def run() -> None:
        with torch.no_grad():
            network.embedding(images)

    passes(run, batch, threads=[1, cores()])


def is_preset(checkpoint: Checkpoint) -> bool:
    return presets.find(checkpoint.name) is not None


def batch_of(checkpoint: Checkpoint) -> int:
    """How many pictures a run embeds."""
    return BATCH_OF_PRESETS if is_preset(checkpoint) else BATCH


def passes(run: Callable[[], Any], batch: int, threads: Sequence[int] = ()) -> None:
    """A line of figures for each line of standard input: the best of ``threads`` of PyTorch."""
    run()
    print(json.dumps({"failure": ""}), flush=True)
    for _ in sys.stdin:
        found = [timed(run, batch, count) for count in threads or [0]]
        best = {key: max(each[key] for each in found) for key in found[0]}
        print(json.dumps(best), flush=True)


def timed(run: Callable[[], Any], batch: int, threads: int) -> dict[str, float]:
    """One pass."""
    if threads:
        import torch

        torch.set_num_threads(threads)
    pictures, start, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < PASS_SECONDS:
        run()
        pictures += batch
    wall, used = time.perf_counter() - start, time.process_time() - cpu
    return {"rate": pictures / wall, "by_cpu": cores() * pictures / used}


def rates(checkpoint: Checkpoint, quantized: Quantized | None) -> list[dict[str, Any]]:
    every: dict[str, Sequence[str]] = {EAGER: ("float32",)}
    alone = is_preset(checkpoint)
    every |= {r: PRECISIONS[r] for r in candidates() if not (alone and r == "pytorch")}
    if quantized is not None:
        every["openvino"] = (*every["openvino"], "int8")
    rows: list[dict[str, Any]] = []
    children = []
    for runtime, precisions in every.items():
        for precision in precisions:
            command = [sys.executable, "-m", "benchmarks.embedding", "child", runtime, precision]
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert child.stdin
            assert child.stdout
            small = quantized if precision == "int8" else None
            child.stdin.write(pickle.dumps((checkpoint, small)))
            child.stdin.flush()
            said = json.loads(child.stdout.readline() or '{"failure": "it crashed"}')
            row = {"network": checkpoint.network, "runtime": runtime, "precision": precision}
            rows.append({**row, "rate": 0.0, "by_cpu": 0.0, **said})
            print(f"ready: {checkpoint.network}, {runtime}, {precision}", file=sys.stderr)
            children.append(child)
    for _ in range(PASSES):
        for child, row in zip(children, rows, strict=True):
            if not row["failure"]:
                assert child.stdin
                assert child.stdout
                child.stdin.write(b"\n")
                child.stdin.flush()
                one = json.loads(child.stdout.readline())
                row.update({key: max(row[key], one[key]) for key in ("rate", "by_cpu")})
    for child in children:
        child.communicate()
    plain = rows[0]
    return [
        {
            "network": row["network"],
            "runtime": row["runtime"],
            "precision": row["precision"],
            "pictures/s": row["rate"],
            "to eager PyTorch": row["rate"] / plain["rate"],
            "by CPU": row["by_cpu"],
            "by CPU, to eager PyTorch": row["by_cpu"] / plain["by_cpu"],
            "note": row["failure"],
        }
        for row in rows
    ]


def embed_folder(embedder: Embedder, folder: Path) -> tuple[list[np.ndarray], list[str]]:
    """Crops and labels of the readable pictures."""
    crops, labels = [], []
    for (_, label), crop in ahead(lambda p: embedder.prepare(p[0]), labelled_pictures(folder)):
        if isinstance(crop, np.ndarray):
            crops.append(crop)
            labels.append(label)
    return crops, labels


def quality(checkpoint: Checkpoint, folders: list[Path], runtime: str) -> list[dict[str, Any]]:
    floats = {
        precision: Embedder(checkpoint, runtime=runtime, precision=precision)
        for precision in ("float32", "bfloat16")
    }
    rows = []
    for folder in folders:
        crops, labels = embed_folder(floats["float32"], folder)
        reference = floats["float32"].embed_crops(crops)
        small = calibrated(checkpoint, find_pictures([folder]), BACKEND)
        int8 = Embedder(checkpoint, precision="int8", quantized=small)
        embedders = {**floats, "int8": int8}
        for precision, embedder in embedders.items():
            vectors = reference if precision == "float32" else embedder.embed_crops(crops)
            found = leave_one_out(vectors, labels)
            cosine = (vectors * reference).sum(1)
            rows.append(
                {
                    "folder": folder.name,
                    "pictures": len(crops),
                    "precision": precision,
                    "mAP": found.mean_average_precision,
                    "P@1": found.precision[1],
                    "overlap": overlap(vectors, vectors, reference),
                    "mixed": overlap(vectors, reference, reference),
                    "cosine": float(cosine.mean()),
                    "least": float(cosine.min()),
                }
            )
    return rows


def overlap(queries: np.ndarray, gallery: np.ndarray, reference: np.ndarray) -> float:
    """The share of float32's ten nearest that these queries find in this gallery."""
    found, truth = nearest(queries @ gallery.T), nearest(reference @ reference.T)
    return float(np.mean([len(set(a) & set(b)) / TOP for a, b in zip(found, truth, strict=True)]))


def nearest(scores: np.ndarray) -> np.ndarray:
    np.fill_diagonal(scores, -2)
    return np.argsort(-scores, axis=1)[:, :TOP]


def main() -> None:
    if sys.argv[1:2] == ["child"]:
        serve_passes(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["rate", "quality"])
    parser.add_argument("folders", nargs="+", type=existing)
    parser.add_argument("--networks", default="efficientnet_lite0")
    parser.add_argument("--runtime", default="openvino", help="of quality")
    options = parser.parse_args()
    rows = []
    for network in options.networks.split(","):
        checkpoint = resolve(network, "imagenet" if network == DEFAULT_NETWORK else "none")
        if options.what == "quality":
            rows += quality(checkpoint, options.folders, options.runtime)
            continue
        small = None
        try:
            if not is_preset(checkpoint):  # a quarter of an hour for one with attention
                small = calibrated(checkpoint, find_pictures(options.folders), BACKEND)
        except KkcvError as error:
            print(f"no int8 of {network}: {error}", file=sys.stderr)
        rows += rates(checkpoint, small)
    report(options.what, f"embedding: {options.what} of {options.networks}", rows, ("nncf",))


if __name__ == "__main__":
    run(main)
