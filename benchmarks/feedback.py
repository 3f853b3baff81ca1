"""The gain of relevance feedback, by simulation.

python -m benchmarks.feedback FOLDER... [--model NAME] [--weights-too]

Each picture of a labelled folder is a query. A simulated user looks at ten hits a round and marks
each as liked when it is of the query's class, else as unliked. Hits that were seen are not shown
again. The table has the share of each ten new hits that are of the class: with feedback, and when
one simply looks at the next ten of the plain answer. ``--weights-too`` tries other weights.
"""

import argparse
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import cast

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.command import existing, run
from kkcv.checkpoint import DEFAULT_NETWORK
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.pipeline import ahead, embed_stream
from kkcv.images.folder import labelled_pictures
from kkcv.query import Like
from kkcv.search.learning import feedback
from kkcv.search.learning.feedback import Weights
from kkcv.search.query import combined

ROUNDS = 4
SHOWN = 10
TRIED = list(product((0.5, 1.0, 2.0, 4.0), (0.0, 0.25, 0.5, 1.0)))


def rounds(
    vectors: np.ndarray, classes: np.ndarray, query: int, weights: Weights | None
) -> list[float]:
    """The precision of each round's ten new hits; without weights nothing is learned."""
    unseen = np.ones(len(vectors), bool)
    unseen[query] = False
    marks: dict[int, bool] = {}
    found = []
    for _ in range(ROUNDS):
        scores = vectors @ asked(vectors, query, marks, weights)
        hits = np.argsort(np.where(unseen, -scores, np.inf), kind="stable")[:SHOWN]
        good = classes[hits] == classes[query]
        found.append(float(good.mean()))
        marks |= dict(zip(hits.tolist(), good.tolist(), strict=True))
        unseen[hits] = False
    return found


def asked(
    vectors: np.ndarray, query: int, marks: dict[int, bool], weights: Weights | None
) -> np.ndarray:
    """The query that the next round asks with; without weights the same as ever."""
    if weights is None:
        return vectors[query]
    liked = [row for row, good in marks.items() if good]
    unliked = [row for row, good in marks.items() if not good]
    likes = feedback.rocchio(Like(query), liked, unliked, weights)
    return combined(
        vectors[[cast(int, like.picture) for like in likes]], [like.weight for like in likes]
    )


def simulated(vectors: np.ndarray, labels: Sequence[str], weights: Weights | None) -> np.ndarray:
    """The mean precision of each round, over the queries whose class lasts for all rounds."""
    _, classes = np.unique(labels, return_inverse=True)
    queries = np.flatnonzero(np.bincount(classes)[classes] > ROUNDS * SHOWN)
    return np.mean([rounds(vectors, classes, int(query), weights) for query in queries], axis=0)


def embedded(folder: Path, embedder: Embedder) -> tuple[np.ndarray, list[str]]:
    pictures = labelled_pictures(folder)
    stream = embed_stream(embedder, ahead(lambda item: embedder.prepare(item[0]), pictures))
    found = [(v, label) for (_, label), v in stream if isinstance(v, np.ndarray)]
    return np.stack([v for v, _ in found]), [label for _, label in found]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+", type=existing)
    parser.add_argument("--model", default=DEFAULT_NETWORK)
    parser.add_argument("--weights-too", action="store_true")
    arguments = parser.parse_args()
    embedder = Embedder.load(arguments.model)
    table = Table("set", "liked, unliked", *(f"round {n}" for n in range(1, ROUNDS + 1)))
    for folder in arguments.folders:
        vectors, labels = embedded(folder, embedder)
        learning = TRIED if arguments.weights_too else [feedback.WEIGHTS]
        for weights in (None, *learning):
            figures = simulated(vectors, labels, weights)
            what = f"{weights[0]:g}, {weights[1]:g}" if weights else "no feedback"
            table.add_row(folder.name, what, *(f"{figure:.3f}" for figure in figures))
    Console(width=100).print(table)


if __name__ == "__main__":
    run(main)
