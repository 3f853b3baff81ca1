"""The price of vectors of parts of pictures, and the orders of likeness that they give.

Commands of benchmarks.copies: ``price`` and ``likeness``.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from kkcv.checkpoint import DEFAULT_NETWORK
from kkcv.embedding import windows
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.space import unit
from kkcv.images.folder import labelled_pictures
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.options import SearchOptions
from kkcv.search.parts import WEIGHT
from kkcv.search.verification.making import make_missing

SETS = ("imagenette", "monkeys", "produce")
CATS = "cats_dogs/val"
PARTS = f"{DEFAULT_NETWORK}+parts"
PICTURES = 64  # that are embedded for the price
SEARCHES = {
    "plain": SearchOptions(),
    "verify": SearchOptions(verify=True),
    "copies": SearchOptions(copies=True),
}


def price(data: Path, sample: int) -> list[dict[str, Any]]:
    """Milliseconds of one core, and how many times the plain ones."""
    paths = [path for path, _ in labelled_pictures(data / "produce")][:PICTURES]
    plain, parts = Embedder.load(), Embedder.load(PARTS)
    rows = []
    least = 0.0
    for name, embedder in (("whole", plain), ("whole and parts", parts)):
        took = []
        for _ in range(3):
            began = time.process_time()
            embedder.embed_rows([embedder.prepare_row(path) for path in paths])
            took.append(1000 * (time.process_time() - began) / len(paths))
        least = least or min(took)
        size = 2 * embedder.space.row
        rows.append({"embedding": name, "ms": min(took), "times": min(took) / least, "bytes": size})
    with TemporaryDirectory() as folder, Gallery.create(f"{folder}/g", parts) as gallery:
        import_pictures(gallery, paths)
        began = time.process_time()
        made = make_missing(gallery)
        took_features = 1000 * (time.process_time() - began) / made
        files = list((gallery.folder / "local").rglob("*.points"))
        largest = max(file.stat().st_size for file in files)
        rows.append({"embedding": "local features", "ms": took_features, "bytes": largest})
        for name, options in SEARCHES.items():
            took = []
            for path in paths:
                began = time.perf_counter()
                gallery.search(path, 10, options)
                took.append(1000 * (time.perf_counter() - began))
            rows.append({"embedding": f"a search, {name}", "ms": float(np.median(took))})
    return [{"times": "", "bytes": "", **row} for row in rows]


def likeness(data: Path, sample: int) -> list[dict[str, Any]]:
    embedder = Embedder.load(PARTS)
    rows = []
    for name in (*SETS, CATS, "near_dup_caltech"):
        pictures = labelled_pictures(data / name)
        made = [embedder.embed_rows([embedder.prepare_row(path)])[0] for path, _ in pictures]
        stored, dim = np.stack(made), embedder.space.dim
        whole, parts = stored[:, :dim], windows.parts_of(stored, dim)
        labels = np.array([label for _, label in pictures])
        for order, values in orders(whole, parts).items():
            mean, first = quality(values, labels)
            rows.append({"set": name, "order": order, "mAP": mean, "P@1": first})
    return rows


def orders(whole: np.ndarray, parts: np.ndarray) -> dict[str, np.ndarray]:
    """Ways to compare pictures, by (N, D) and (N, P, 256): each float32 (N, N), a query a row."""
    short = windows.sketch(whole)
    alike = whole @ whole.T
    best = np.stack([(parts @ query).max(axis=1) for query in short])
    pair = np.stack([(parts @ query.T).max(axis=(1, 2)) for query in parts])
    mean = unit(parts.mean(axis=1))
    cross = short @ mean.T
    both = alike + 0.5 * (cross + cross.T) + 0.25 * mean @ mean.T
    length = np.sqrt(np.diagonal(both))
    return {
        "whole": alike,
        "whole and half the mean of the parts, as one vector": both / length / length[:, None],
        "the more alike of whole and best part": np.maximum(alike, best),
        f"whole + {WEIGHT:g} best part": alike + WEIGHT * best,
        "whole + best part": alike + best,
        f"whole + {WEIGHT:g} best pair of parts": alike + WEIGHT * pair,
        "whole + best pair of parts": alike + pair,
    }


def quality(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """mAP and P@1, each picture searched among all others."""
    means, firsts = [], []
    for query, row in enumerate(scores):
        others = np.argsort(-row, kind="stable")
        others = others[others != query]
        right = labels[others] == labels[query]
        ranks = np.flatnonzero(right) + 1
        if len(ranks):
            means.append(float((np.arange(1, len(ranks) + 1) / ranks).mean()))
            firsts.append(bool(right[0]))
    return float(np.mean(means)), float(np.mean(firsts))
