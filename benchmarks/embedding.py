"""How fast and how true runtimes and precisions are.

python -m benchmarks.embedding rate [--network NAME] [--weights imagenet|none]
python -m benchmarks.embedding quality FOLDER... [--network NAME]

``rate``: crops in memory, the best of several passes that take turns, so that other work on the
machine disturbs all alike; each runtime in a process of its own. ``per CPU s`` is the rate by the
processor time that it used, which other work disturbs less.

``quality``: leave-one-out retrieval over folders whose subfolders are classes (or near-duplicate
groups), for float32 and each precision, and how far the answers differ from float32's.
"""

import argparse
import json
import pickle
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from kkcv.checkpoint import Checkpoint, resolve
from kkcv.embedding.choice import candidates, machine, versions
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.pipeline import ahead
from kkcv.errors import KkcvError
from kkcv.images.folder import labelled_pictures
from kkcv.search.metrics import leave_one_out

BATCH = 32
PASSES = 5
PASS_SECONDS = 1.0
TOP = 10


def serve_passes(runtime: str, precision: str) -> None:
    """A child: a pass for each line of standard input, and its figures as a line."""
    checkpoint = pickle.load(sys.stdin.buffer)
    try:
        embedder = Embedder(checkpoint, runtime=runtime, precision=precision)
    except KkcvError as error:
        print(json.dumps({"failure": str(error)}), flush=True)
        return
    spec = checkpoint.preprocess
    crops = list(
        np.random.default_rng(0).integers(0, 256, (BATCH, *spec.size, spec.channels), np.uint8)
    )
    embedder.embed_crops(crops)
    print(json.dumps({"failure": ""}), flush=True)
    for _ in sys.stdin:
        pictures, start, cpu = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - start < PASS_SECONDS:
            embedder.embed_crops(crops)
            pictures += BATCH
        wall, used = time.perf_counter() - start, time.process_time() - cpu
        print(json.dumps({"rate": pictures / wall, "per_cpu": pictures / used}), flush=True)


def rates(checkpoint: Checkpoint) -> list[dict[str, Any]]:
    every = {**candidates(), "onnxruntime": ("float32",)}
    rows: list[dict[str, Any]] = []
    children = []
    for runtime in ("openvino", "onnxruntime", "pytorch"):
        for precision in every.get(runtime, ()):
            command = [sys.executable, "-m", "benchmarks.embedding", "child", runtime, precision]
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert child.stdin
            assert child.stdout
            child.stdin.write(pickle.dumps(checkpoint))
            child.stdin.flush()
            said = json.loads(child.stdout.readline() or '{"failure": "it crashed"}')
            row = {"runtime": runtime, "precision": precision, "rate": 0.0, "per_cpu": 0.0, **said}
            rows.append(row)
            children.append(child)
    for _ in range(PASSES):
        for child, row in zip(children, rows, strict=True):
            if not row["failure"]:
                assert child.stdin
                assert child.stdout
                child.stdin.write(b"\n")
                child.stdin.flush()
                one = json.loads(child.stdout.readline())
                row.update({key: max(row[key], one[key]) for key in ("rate", "per_cpu")})
    for child in children:
        child.communicate()
    return rows


def embed_folder(embedder: Embedder, folder: Path) -> tuple[list[np.ndarray], list[str]]:
    """Crops and labels of the readable pictures."""
    crops, labels = [], []
    for (_, label), crop in ahead(lambda p: embedder.prepare(p[0]), labelled_pictures(folder)):
        if isinstance(crop, np.ndarray):
            crops.append(crop)
            labels.append(label)
    return crops, labels


def quality(checkpoint: Checkpoint, folders: list[Path], runtime: str) -> list[dict[str, Any]]:
    embedders = {
        precision: Embedder(checkpoint, runtime=runtime, precision=precision)
        for precision in ("float32", "bfloat16")
    }
    rows = []
    for folder in folders:
        crops, labels = embed_folder(embedders["float32"], folder)
        reference = embedders["float32"].embed_crops(crops)
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


def show(title: str, rows: list[dict[str, Any]], out: Path | None) -> None:
    """The table, the machine, and JSON where it is wanted."""
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(f"{v:.4f}" if isinstance(v, float) else str(v) for v in row.values()))
    console = Console(width=120)
    about = {"machine": machine(), "python": platform.python_version(), **versions()}
    console.print(f"{title}; {', '.join(f'{k} {v}' for k, v in about.items())}")
    console.print(table)
    if out:
        out.write_text(json.dumps({"title": title, **about, "rows": rows}, indent=1))


def main() -> None:
    if sys.argv[1:2] == ["child"]:
        serve_passes(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["rate", "quality"])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--network", default="efficientnet_lite0")
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--runtime", default="openvino", help="of quality")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    checkpoint = resolve(options.network, options.weights)
    if options.what == "rate":
        rows = rates(checkpoint)
    else:
        rows = quality(checkpoint, options.folders, options.runtime)
    show(f"{options.what} of {options.network}", rows, options.json)


if __name__ == "__main__":
    main()
