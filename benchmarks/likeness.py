"""Where likeness ends.

python -m benchmarks.likeness DATA

DATA is the folder with imagenette, produce, monkeys, cats_dogs, near_dup_caltech and digits.
Each picture of a set asks the others for 10 hits. ``first right``: of those whose first hit is
right, how many have a hit above the divider, the others are told that nothing is like it;
``first wrong``: likewise; ``precision``: of the hits above it, how many are right; ``kept``: of the
right hits, how many are above it; ``strangers``: of pictures of the other sets, how many find
something; ``absent kind``: the same of pictures whose kind was taken out of the gallery. Beside it
a flat cut-off, the gallery's own score at a chance of 1 in its size.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kkcv.embedding.embedder import Embedder
from kkcv.hit import NO_LIKENESS
from kkcv.search.answer.answer import ROUNDING
from kkcv.search.chance.likeness import Chances, words
from kkcv.search.chance.model import FEWEST, calibrated
from kkcv.search.chance.store import FEW, SAMPLE
from kkcv.search.quality.evaluate import embed_folder

from .command import existing, run
from .quality import SETS, show

K = 10
STRANGERS = 100  # of each other set
RELATED = {"imagenette": {"cats_dogs/val"}, "cats_dogs/val": {"imagenette"}}  # both have dogs
KINDS = 25  # that are taken out, at most, with 20 pictures each

# Queries (Q, D), the scores and rows of their nearest, (Q, K) each → ranks (Q,).
Dividers = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def per_query(vectors: np.ndarray) -> Dividers:
    """The divider as a search tells it, in a gallery of these vectors."""
    random = np.random.default_rng(0)
    calibration = calibrated("", len(vectors), vectors[random.permutation(len(vectors))[:SAMPLE]])
    assert calibration is not None
    few = vectors[random.permutation(len(vectors))[:FEW]].T
    closest = vectors @ vectors.T
    np.fill_diagonal(closest, -2)
    nearest_other = closest.max(axis=1)

    def dividers(queries: np.ndarray, scores: np.ndarray, rows: np.ndarray) -> np.ndarray:
        def mutual(some: np.ndarray, best: np.ndarray) -> np.ndarray:
            return scores[some, best] >= nearest_other[rows[some, best]] - ROUNDING

        rates = Chances.of(calibration, queries @ few).rates(scores)
        alike = words(rates, len(vectors), mutual) != NO_LIKENESS
        return np.where(alike, np.arange(1, K + 1), 0).max(axis=1)

    return dividers


def flat(vectors: np.ndarray) -> Dividers:
    """One score for all queries, which chance makes once in a search of the gallery."""
    calibration = calibrated("", len(vectors), vectors[:SAMPLE])
    assert calibration is not None
    cut = calibration.cut(max(1 / len(vectors), calibration.least))
    return lambda queries, scores, rows: (scores >= cut).sum(1)


def nearest(
    queries: np.ndarray, vectors: np.ndarray, alone: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Scores and rows of the nearest, (Q, K) each; ``alone``: without the query itself."""
    scores = queries @ vectors.T
    if alone:
        np.fill_diagonal(scores, -2)
    rows = np.argsort(-scores, 1, kind="stable")[:, :K]
    return np.take_along_axis(scores, rows, 1), rows


def divider(data: Path) -> list[dict[str, Any]]:
    embedder = Embedder.load()
    sets = {name: embed_folder(data / name, embedder) for name in SETS}
    return [
        {"set": name, "cut-off": way, **told(name, sets, make)}
        for name in SETS
        for way, make in (("divider", per_query), ("flat", flat))
    ]


def told(name: str, sets: dict[str, Any], make: Callable[[np.ndarray], Dividers]) -> dict[str, Any]:
    vectors, labels = sets[name].vectors, np.array(sets[name].labels)
    scores, rows = nearest(vectors, vectors, alone=True)
    ends = make(vectors)(vectors, scores, rows)
    right = labels[rows] == labels[:, None]
    above = np.arange(K) < ends[:, None]
    strangers = np.concatenate(list(others(name, sets)))
    absent = [
        make(left)(asked, *nearest(asked, left)) > 0 for asked, left in without(vectors, labels)
    ]
    first = right[:, 0]
    return {
        "first right": float((ends[first] > 0).mean()),
        "first wrong": float((ends[~first] > 0).mean()) if not first.all() else "",
        "precision": float((right & above).sum() / max(above.sum(), 1)),
        "kept": float((right & above).sum() / right.sum()),
        "strangers": float((make(vectors)(strangers, *nearest(strangers, vectors)) > 0).mean()),
        "absent kind": float(np.concatenate(absent).mean()),
    }


def others(name: str, sets: dict[str, Any]) -> Iterator[np.ndarray]:
    for other, embedded in sets.items():
        if other != name and other not in RELATED.get(name, ()):
            chosen = np.random.default_rng(0).permutation(len(embedded.vectors))[:STRANGERS]
            yield embedded.vectors[chosen]


def without(vectors: np.ndarray, labels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures of a kind, and the gallery without that kind."""
    for kind in np.unique(labels)[:KINDS]:
        left = vectors[labels != kind]
        if len(left) >= FEWEST:
            yield vectors[labels == kind][:20], left


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=existing)
    asked = parser.parse_args()
    show(divider(asked.data))


if __name__ == "__main__":
    run(main)
