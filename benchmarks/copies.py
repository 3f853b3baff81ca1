"""The findings and the cost of parts of pictures and of a search for copies: docs/quality.md.

python -m benchmarks.copies price DATA
python -m benchmarks.copies likeness DATA
python -m benchmarks.copies found DATA [--sample N]
python -m benchmarks.copies strangers DATA [--sample N]

DATA is the folder with imagenette, monkeys, produce and cats_dogs. ``price``: embedding with parts
beside without, and what a search takes with its parts of it. ``likeness``: the whole picture, its
best part, and both, as scores of labelled pictures. ``found``: kkcv selfcheck, plain and with parts
and --copies. ``strangers``: how often a picture that is not in the gallery is confirmed as a copy.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from kkcv.checkpoint import DEFAULT_NETWORK
from kkcv.embedding import windows
from kkcv.embedding.embedder import Embedder
from kkcv.images.folder import labelled_pictures
from kkcv.search.gallery import Gallery
from kkcv.search.importing import import_pictures
from kkcv.search.parts import WEIGHT
from kkcv.search.quality.selfcheck import selfcheck
from kkcv.search.verification.making import make_missing

from .quality import show

SETS = ("imagenette", "monkeys", "produce")
PARTS = f"{DEFAULT_NETWORK}+parts"
PICTURES = 64  # that are embedded for the price


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
        for name, words in (("plain", {}), ("verify", {"verify": True}), ("copies", {"copies": 1})):
            took = []
            for path in paths:
                began = time.perf_counter()
                gallery.search(path, 10, **{key: bool(value) for key, value in words.items()})
                took.append(1000 * (time.perf_counter() - began))
            rows.append({"embedding": f"a search, {name}", "ms": float(np.median(took))})
    return [{"times": "", "bytes": "", **row} for row in rows]


def likeness(data: Path, sample: int) -> list[dict[str, Any]]:
    embedder = Embedder.load(PARTS)
    rows = []
    for name in SETS:
        pictures = labelled_pictures(data / name)
        made = [embedder.embed_rows([embedder.prepare_row(path)])[0] for path, _ in pictures]
        whole, parts = windows.split(np.stack(made), embedder.space.dim)
        best = np.einsum("qd,npd->qnp", windows.sketch(whole), parts, optimize=True).max(axis=2)
        alike = whole @ whole.T
        labels = np.array([label for _, label in pictures])
        for score, values in {
            "whole": alike,
            "the more alike of whole and best part": np.maximum(alike, best),
            f"whole + {WEIGHT:g} best part": alike + WEIGHT * best,
        }.items():
            mean, first = quality(values, labels)
            rows.append({"set": name, "score": score, "mAP": mean, "P@1": first})
    return rows


def quality(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """mAP and P@1, each picture searched among all others."""
    means, firsts = [], []
    for query, row in enumerate(scores):
        others = np.delete(np.argsort(-row, kind="stable"), np.argsort(-row).tolist().index(query))
        right = labels[others] == labels[query]
        ranks = np.flatnonzero(right) + 1
        if len(ranks):
            means.append(float((np.arange(1, len(ranks) + 1) / ranks).mean()))
            firsts.append(bool(right[0]))
    return float(np.mean(means)), float(np.mean(firsts))


def found(data: Path, sample: int) -> list[dict[str, Any]]:
    rows = []
    for name in SETS:
        columns = {}
        for title, model, copies in (
            ("whole", DEFAULT_NETWORK, False),
            ("parts, copies", PARTS, True),
        ):
            embedder = Embedder.load(model)
            with (
                TemporaryDirectory() as folder,
                Gallery.create(f"{folder}/g", embedder) as gallery,
            ):
                import_pictures(gallery, [data / name])
                columns[title] = selfcheck(gallery, sample, copies=copies).rows
        for plain, better in zip(*columns.values(), strict=True):
            firsts = {"whole": plain.first, "parts, copies": better.first}
            rows.append({"set": name, "copy": f"{plain.disturbance} {plain.strength}", **firsts})
    return rows


def strangers(data: Path, sample: int) -> list[dict[str, Any]]:
    rows = []
    others = [path for path, _ in labelled_pictures(data / "cats_dogs" / "val")][:sample]
    for name in SETS:
        embedder = Embedder.load(PARTS)
        with TemporaryDirectory() as folder, Gallery.create(f"{folder}/g", embedder) as gallery:
            import_pictures(gallery, [data / name])
            make_missing(gallery)
            answers = [gallery.search(path, 1, copies=True) for path in others]
        confirmed = float(np.mean([bool(hits and hits[0].points) for hits in answers]))
        rows.append({"set": name, "strangers": len(others), "confirmed": confirmed})
    return rows


WORK: dict[str, Callable[[Path, int], list[dict[str, Any]]]] = {
    "price": price,
    "likeness": likeness,
    "found": found,
    "strangers": strangers,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=WORK)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sample", type=int, default=100)
    asked = parser.parse_args()
    show(WORK[asked.what](asked.data, asked.sample))


if __name__ == "__main__":
    main()
