"""Gain and cost of rankings, richer embeddings and verification.

python -m benchmarks.quality rankings DATA [--json FILE] [--plot FILE]
python -m benchmarks.quality prices DATA
python -m benchmarks.quality embeddings DATA
python -m benchmarks.quality whitening DATA
python -m benchmarks.quality objects DATA
python -m benchmarks.quality chance DATA

DATA is the folder with imagenette, produce, monkeys, cats_dogs, near_dup_caltech and digits.
``rankings``: each order over the same vectors, for each set and for parts of it with few pictures a
class. ``prices``: what a search takes with each. ``embeddings``: each richer embedding, plain and
re-ranked. ``whitening``: learned on cats_dogs/train. ``objects``: pictures that hang somewhere in
other pictures (scenes.py), with and without verification. ``chance``: a cut-off by chance against
what it lets through, by labels that it does not know.

Times are those of a processor, which other work on the machine disturbs less.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from kkcv.checkpoint import DEFAULT_NETWORK
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.space import unit
from kkcv.images.folder import labelled_pictures
from kkcv.search.chance.model import calibrated
from kkcv.search.gallery import Gallery
from kkcv.search.picture import PictureFile
from kkcv.search.quality.evaluate import Embedded, Ordered, embed_folder, ordered_by
from kkcv.search.quality.metrics import leave_one_out
from kkcv.search.quality.reordering import Timed, by_ranking, by_verification
from kkcv.search.ranking.names import BEST, PLAIN, RANKINGS
from kkcv.search.verification.features import features

from .command import existing, run
from .scenes import backgrounds, originals, scene

SETS = (
    "imagenette",
    "produce",
    "monkeys",
    "cats_dogs/val",
    "near_dup_caltech",
    "digits/mnist_png",
)
PARTS = {
    "imagenette": (5, 10, 20, 50),
    "produce": (5,),
    "monkeys": (8,),
    "cats_dogs/val": (20,),
    "digits/mnist_png": (10,),
}
OBJECTS, PHOTOS = 24, 4
RICHER = ("", "+mirrored", "+gem", "+stages", "+scales", "+mirrored+scales")
EACH = 10  # pictures a class: a mirrored view at three scales takes seven times as long
NAMES = [*(name for name in RANKINGS if name != BEST), BEST]


def part_of(embedded: Embedded, each: int, seed: int = 0) -> Embedded:
    """So many pictures of each class, at random."""
    labels = np.array(embedded.labels)
    random = np.random.default_rng(seed)
    rows = [random.permutation(np.flatnonzero(labels == c))[:each] for c in np.unique(labels)]
    chosen = np.concatenate(rows)
    return Embedded(
        embedded.vectors[chosen],
        labels[chosen].tolist(),
        [embedded.paths[row] for row in chosen],
        [],
    )


def sets_of(data: Path, embedder: Embedder, parts: bool = True) -> dict[str, Embedded]:
    """Every set, and its parts with few pictures a class, embedded."""
    found: dict[str, Embedded] = {}
    for name in SETS:
        whole = embed_folder(data / name, embedder)
        for each in PARTS.get(name, ()) if parts else ():
            found[f"{name}, {each} a class"] = part_of(whole, each)
        found[name] = whole
    return found


def rankings(data: Path) -> list[dict[str, Any]]:
    rows = []
    for name, embedded in sets_of(data, Embedder.load()).items():
        for ranking, order in zip(NAMES, ordered_by(name, embedded, NAMES, False), strict=True):
            rows.append({"set": name, "ranking": ranking, **told(order)})
    return rows


def told(order: Ordered) -> dict[str, float]:
    return {
        "mAP": order.found.mean_average_precision,
        "P@1": order.found.precision[1],
        "P@10": order.found.precision[10],
        "ms": order.milliseconds,
    }


def prices(data: Path) -> list[dict[str, Any]]:
    """The time of a whole search in a gallery of imagenette: milliseconds of one core."""
    embedder = Embedder.load()
    embedded = embed_folder(data / "imagenette", embedder)
    rows = []
    with TemporaryDirectory() as folder, Gallery.create(f"{folder}/gallery", embedder) as gallery:
        with gallery.catalog.writing() as writer:
            for path, vector in zip(embedded.paths, embedded.vectors, strict=True):
                name = hashlib.sha256(str(path).encode()).digest()
                writer.add(PictureFile(str(path), False, name, 1, 1), vector, {})
        for ranking in NAMES:
            took = []
            for query in embedded.vectors[:30]:
                began = time.thread_time()
                gallery.search_vector(query, 10, ranking=ranking)
                took.append(1000 * (time.thread_time() - began))
            rows.append({"ranking": ranking, "ms a search": float(np.median(took))})
    return rows


def objects(data: Path) -> list[dict[str, Any]]:
    """Leave-one-out over photographs in which one of some pictures hangs."""
    random = np.random.default_rng(0)
    shown = originals(data, OBJECTS)
    walls = iter(backgrounds(data, OBJECTS * PHOTOS))
    photos = [scene(each, next(walls), random)[0] for each in shown for _ in range(PHOTOS)]
    labels = [str(n // PHOTOS) for n in range(len(photos))]
    vectors = Embedder.load().embed(photos)
    began = time.process_time()
    local = [features(photo) for photo in photos]
    making = (time.process_time() - began) / len(photos) * 1000
    plain = by_ranking(PLAIN, vectors)
    orders = {
        PLAIN: plain,
        BEST: by_ranking(BEST, vectors),
        "plain, verified": by_verification(local, plain),
    }
    rows = []
    for name, order in orders.items():
        timed = Timed(order)
        found = leave_one_out(vectors, labels, timed)
        rows.append(
            {
                "order": name,
                "mAP": found.mean_average_precision,
                "P@1": found.precision[1],
                "ms a query": 1000 * timed.seconds / len(photos),
                "features, ms a picture": making if "verified" in name else 0.0,
            }
        )
    return rows


def embeddings(data: Path) -> list[dict[str, Any]]:
    rows = []
    for richer in RICHER:
        embedder = Embedder.load(f"{DEFAULT_NETWORK}{richer}")
        for name in ("imagenette", "produce", "monkeys", "cats_dogs/val", "digits/mnist_png"):
            pictures = labelled_pictures(data / name)
            random, by_label = np.random.default_rng(0), {label for _, label in pictures}
            chosen: list[tuple[Path, str]] = []
            for each in sorted(by_label):
                of_it = [picture for picture in pictures if picture[1] == each]
                chosen += [of_it[n] for n in random.permutation(len(of_it))[:EACH]]
            crops = [embedder.prepare(path) for path, _ in chosen]
            began = time.process_time()
            vectors = embedder.embed_crops(crops)
            took = (time.process_time() - began) / len(crops) * 1000
            labels = [label for _, label in chosen]
            plain = leave_one_out(vectors, labels)
            best = leave_one_out(vectors, labels, by_ranking(BEST, vectors))
            rows.append(
                {
                    "embedding": richer or "plain",
                    "set": name,
                    "mAP": plain.mean_average_precision,
                    "P@1": plain.precision[1],
                    "mAP, best": best.mean_average_precision,
                    "P@1, best": best.precision[1],
                    "ms a picture": took,
                    "bytes a picture": 2 * embedder.space.dim,
                }
            )
    return rows


def whitening(data: Path) -> list[dict[str, Any]]:
    """Learned on pictures of one set, used on the others: Jégou and Chum, ECCV 2012."""
    found = sets_of(data, Embedder.load(), parts=False)
    learned = embed_folder(data / "cats_dogs" / "train", Embedder.load()).vectors
    mean = learned.mean(0)
    _, spread, axes = np.linalg.svd(learned - mean, full_matrices=False)
    rows = []
    for name, embedded in found.items():
        for kept in (0, 128, 256, 512):
            vectors = embedded.vectors
            if kept:
                vectors = unit((vectors - mean) @ axes[:kept].T / spread[:kept])
            result = leave_one_out(vectors, embedded.labels)
            rows.append(
                {
                    "set": name,
                    "whitened to": kept or "not",
                    "mAP": result.mean_average_precision,
                    "P@1": result.precision[1],
                }
            )
    return rows


def chance(data: Path) -> list[dict[str, Any]]:
    rows = []
    for name, embedded in sets_of(data, Embedder.load(), parts=False).items():
        calibration = calibrated("", len(embedded.labels), embedded.vectors)
        known = calibrated("", len(embedded.labels), embedded.vectors, embedded.labels)
        assert calibration is not None
        assert known is not None
        gram = embedded.vectors @ embedded.vectors.T
        _, classes = np.unique(embedded.labels, return_inverse=True)
        other = gram[classes[:, None] != classes]
        same = gram[(classes[:, None] == classes) & ~np.eye(len(classes), dtype=bool)]
        for rate in (1e-2, 1e-3, 1e-4):
            if rate < calibration.least:
                continue
            least = calibration.cut(rate)
            rows.append(
                {
                    "set": name,
                    "asked": rate,
                    "score": least,
                    "told the labels": known.cut(rate),
                    "of all pairs": replace(calibration, bulk=None).cut(rate),
                    "let through": float((other >= least).mean()),
                    "matches kept": float((same >= least).mean()),
                }
            )
    return rows


def show(rows: Sequence[dict[str, Any]]) -> None:
    table = Table(box=None)
    for name in rows[0]:
        table.add_column(name)
    for row in rows:
        table.add_row(*(f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()))
    Console(width=160).print(table)


def plot(rows: Sequence[dict[str, Any]], file: Path) -> None:
    """Gain in mAP and in P@1 over the plain order, a bar a set and ranking."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = list(dict.fromkeys(row["set"] for row in rows))
    by_key = {(row["set"], row["ranking"]): row for row in rows}
    figure, both = pyplot.subplots(1, 2, figsize=(11, 5), sharey=True, layout="constrained")
    for axes, key in zip(both, ("mAP", "P@1"), strict=True):
        for n, ranking in enumerate(NAMES[1:]):
            gains = [by_key[name, ranking][key] - by_key[name, PLAIN][key] for name in names]
            axes.barh(np.arange(len(names)) + 0.2 * n, gains, 0.18, label=ranking)
        axes.set_yticks(np.arange(len(names)) + 0.3, names)
        axes.set_xlabel(f"{key} gained over the plain order")
        axes.axvline(0, color="black", linewidth=0.8)
    both[0].legend(frameon=False)
    figure.savefig(file, metadata={"Software": None} if file.suffix == ".png" else None)


WORK = {
    "rankings": rankings,
    "prices": prices,
    "embeddings": embeddings,
    "whitening": whitening,
    "objects": objects,
    "chance": chance,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=WORK)
    parser.add_argument("data", type=existing)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args()
    rows = WORK[asked.what](asked.data)
    show(rows)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    if asked.plot:
        plot(rows, asked.plot)


if __name__ == "__main__":
    run(main)
