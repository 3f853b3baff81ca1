"""Cosine, inner product or Euclidean distance: which of them finds pictures of the same class?

python -m benchmarks.similarity FOLDER...

Subfolders are classes. Mean average precision, leave-one-out, of the same embeddings, with and
without their length; and how much the lengths differ.
"""

import argparse
from pathlib import Path

import numpy as np

from benchmarks.command import existing, run
from kkcv.embedding.embedder import Embedder
from kkcv.images.folder import labelled_pictures
from kkcv.search.quality.metrics import average_precision

BATCH = 32


def embeddings(embedder: Embedder, paths: list[Path]) -> np.ndarray:
    """With their lengths: float32 (N, D)."""
    parts = []
    for start in range(0, len(paths), BATCH):
        crops = np.stack([embedder.prepare(path) for path in paths[start : start + BATCH]])
        parts.append(embedder.runtime.run(crops))
    return np.concatenate(parts)


def mean_average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """Of a matrix of similarities, larger is nearer: (N, N)."""
    np.fill_diagonal(scores, -np.inf)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :-1]
    return float(average_precision(labels[order] == labels[:, None]).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=existing, nargs="+")
    embedder = Embedder.load(precision="float32")
    print("| pictures | cosine | inner product | Euclidean | length, middle 90% |")
    print("|---|---|---|---|---|")
    for folder in parser.parse_args().folders:
        pictures = labelled_pictures(folder)
        vectors = embeddings(embedder, [path for path, _ in pictures])
        labels = np.array([label for _, label in pictures])
        lengths = np.linalg.norm(vectors, axis=1)
        products = vectors @ vectors.T
        squares = lengths**2
        found = (
            products / np.outer(lengths, lengths),
            products,
            2 * products - squares[:, None] - squares,
        )
        figures = " | ".join(f"{mean_average_precision(each, labels):.3f}" for each in found)
        low, high = np.percentile(lengths, (5, 95))
        print(f"| {folder.name}, {len(labels)} | {figures} | {low:.1f} to {high:.1f} |")


if __name__ == "__main__":
    run(main)
