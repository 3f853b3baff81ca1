"""The gain of ``kkcv adapt`` with the embedded network: cross-validation in five folds.

    python -m benchmarks.adapter FOLDER...

The subfolders of a folder are its labels. Each picture is a query for the others of its fold, which
the projection has not seen, with the network's own vectors and with the projected ones. ``sure`` is
the gain in mAP in standard errors over the queries.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from kkcv.embedding.embedder import Embedder
from kkcv.search.learning.adapt import is_better, quality, validated
from kkcv.search.quality.evaluate import embed_folder

from .command import existing, run
from .report import report

FOLDS = 5


def gain(embedder: Embedder, model: str, folder: Path) -> dict[str, Any]:
    """A row: one network on one folder."""
    embedded = embed_folder(folder, embedder)
    classes = np.unique(embedded.labels, return_inverse=True)[1].astype(np.int64)
    was, now, _ = validated(embedded.vectors, classes, FOLDS)
    before, after = quality(was), quality(now)
    rise = now[0] - was[0]
    return {
        "network": model,
        "folder": folder.name,
        "pictures": len(classes),
        "labels": int(classes.max()) + 1,
        "mAP before": before.mean_average_precision,
        "mAP after": after.mean_average_precision,
        "P@1 before": before.first,
        "P@1 after": after.first,
        "sure": round(float(rise.mean() / (rise.std() / len(rise) ** 0.5)), 1),
        "used": "yes" if is_better(was, now) else "no",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=existing)
    parser.add_argument("--networks", default="efficientnet_lite0")
    parser.add_argument("--weights", default="imagenet")
    options = parser.parse_args()
    rows = []
    for model in options.networks.split(","):
        embedder = Embedder.load(model, options.weights)
        rows += [gain(embedder, model, folder) for folder in options.folders]
    report("adapter", f"adapter: {options.networks}", rows, ("torch", "pytorch-metric-learning"))


if __name__ == "__main__":
    run(main)
