"""Retrieval over a labelled folder, with any network."""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from kkcv.embedding.embedder import Embedder
from kkcv.embedding.pipeline import ahead, embed_stream
from kkcv.errors import DataError, PictureError
from kkcv.images.folder import labelled_pictures
from kkcv.images.limits import DEFAULT_LIMITS, Limits

from .metrics import leave_one_out


def evaluate_search(
    folder: str | PathLike[str],
    embedder: Embedder,
    *,
    limits: Limits = DEFAULT_LIMITS,
    threads: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Leave-one-out retrieval over a folder whose subfolders are classes, as plain values.

    ``progress`` is told the pictures done and in all. ``rejected`` lists the unreadable ones.

    Raises DataError when there are no classes with two pictures.
    """
    pictures = labelled_pictures(folder)
    labels: list[str] = []
    vectors: list[np.ndarray] = []
    rejected: list[dict[str, str]] = []

    def prepare(item: tuple[Path, str]) -> np.ndarray:
        return embedder.prepare(item[0], limits)

    stream = embed_stream(embedder, ahead(prepare, pictures, threads=threads))
    for done, ((path, label), vector) in enumerate(stream, 1):
        if isinstance(vector, np.ndarray):
            vectors.append(vector)
            labels.append(label)
        elif isinstance(vector, PictureError):
            rejected.append({"path": str(path), "reason": vector.reason, "message": str(vector)})
        progress(done, len(pictures))
    try:
        found = leave_one_out(np.array(vectors), labels)
    except ValueError as error:
        raise DataError(f"{folder}: {error}; put two or more pictures into a subfolder") from None
    return {
        "mAP": found.mean_average_precision,
        **{f"precision@{k}": value for k, value in found.precision.items()},
        **{f"recall@{k}": value for k, value in found.recall.items()},
        "pictures": len(labels),
        "classes": len(set(labels)),
        "queries": found.queries,
        "network": embedder.space.network,
        "fingerprint": embedder.space.fingerprint,
        "rejected": rejected,
    }
