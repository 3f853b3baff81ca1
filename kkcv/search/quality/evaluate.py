"""Retrieval over a labelled folder, with any network and any order of the answers."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kkcv.embedding.embedder import Embedder
from kkcv.embedding.pipeline import ahead, embed_stream
from kkcv.errors import DataError, PictureError, RequestError
from kkcv.images.folder import labelled_pictures
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.images.source import label_of
from kkcv.search.chance.model import FEWEST, calibrated
from kkcv.search.options import OPTIONS
from kkcv.search.ranking.names import PLAIN
from kkcv.search.verification.features import Features, features_of
from kkcv.timing import Progress, no_progress

from .metrics import Retrieval, leave_one_out
from .reordering import Timed, by_ranking, by_verification


class Embedded(NamedTuple):
    """The pictures of a labelled folder: unit ``vectors`` float32 (N, D), N labels and paths."""

    vectors: np.ndarray
    labels: list[str]
    paths: list[Path]
    rejected: list[dict[str, str]]


class Ordered(NamedTuple):
    """How good an order is, and its cost besides the search: milliseconds of a core per query."""

    found: Retrieval
    milliseconds: float


def evaluate_search(
    folder: str | PathLike[str],
    embedder: Embedder,
    *,
    ranking: str = PLAIN,
    verify: bool = False,
    max_chance: float | None = None,
    limits: Limits = DEFAULT_LIMITS,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """Leave-one-out retrieval over a folder whose subfolders are classes, as plain values.

    Args:
        folder: its subfolders are classes.
        embedder: the network.
        ranking: the order of the hits.
        verify: whether hits are verified.
        max_chance: adds what a cut-off at this rate keeps.
        limits: on bytes and pixels of a picture.
        threads: that decode; None is one a core.
        progress: is called with the numbers of pictures done and of all.

    Returns: retrieval figures, and the unreadable pictures under ``rejected``.

    Raises DataError if no class has two pictures, RequestError.
    """
    found = compare_rankings(
        folder,
        embedder,
        [ranking],
        verify=verify,
        max_chance=max_chance,
        limits=limits,
        threads=threads,
        progress=progress,
    )
    (row,) = found.pop("rankings")
    del row["ranking"], row["milliseconds"]
    return {**row, **found}


def compare_rankings(
    folder: str | PathLike[str],
    embedder: Embedder,
    rankings: Sequence[str],
    *,
    verify: bool = False,
    max_chance: float | None = None,
    limits: Limits = DEFAULT_LIMITS,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """As ``evaluate_search``, with a row for each of several rankings."""
    for ranking in rankings:
        OPTIONS["ranking"].check(ranking)
    embedded = embed_folder(folder, embedder, limits, threads, progress)
    orders = ordered_by(folder, embedded, rankings, verify)
    rows = [
        {"ranking": name, **figures(order.found), "milliseconds": order.milliseconds}
        for name, order in zip(rankings, orders, strict=True)
    ]
    return {
        "rankings": rows,
        **(cut_off(embedded, max_chance) if max_chance is not None else {}),
        **facts(embedder, embedded, orders[0].found),
    }


def embed_folder(
    folder: str | PathLike[str],
    embedder: Embedder,
    limits: Limits = DEFAULT_LIMITS,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> Embedded:
    """Embed a folder whose subfolders are classes.

    Unreadable pictures are listed, and subfolders without pictures.
    """
    without: list[Path] = []
    pictures = labelled_pictures(folder, without)
    embedded = Embedded(np.empty((0, embedder.space.dim), np.float32), [], [], [])
    for each in without:
        message = f"{label_of(each)}there are no pictures of this class"
        embedded.rejected.append({"path": str(each), "reason": "empty", "message": message})
    vectors: list[np.ndarray] = []

    def prepare(item: tuple[Path, str]) -> np.ndarray:
        return embedder.prepare(item[0], limits)

    stream = embed_stream(embedder, ahead(prepare, pictures, threads=threads))
    for done, ((path, label), vector) in enumerate(stream, 1):
        if isinstance(vector, np.ndarray):
            vectors.append(vector)
            embedded.labels.append(label)
            embedded.paths.append(path)
        elif isinstance(vector, PictureError):
            reject = {"path": str(path), "reason": vector.reason, "message": str(vector)}
            embedded.rejected.append(reject)
        progress(done, len(pictures))
    return embedded._replace(vectors=np.array(vectors)) if vectors else embedded


def ordered_by(
    folder: str | PathLike[str], embedded: Embedded, rankings: Sequence[str], verify: bool
) -> list[Ordered]:
    """Each ranking over the same vectors (DataError)."""
    features = local_features(embedded.paths) if verify else []
    found = []
    for name in rankings:
        reorder = by_ranking(name, embedded.vectors)
        timed = Timed(by_verification(features, reorder) if verify else reorder)
        plain = name == PLAIN and not verify
        try:
            retrieval = leave_one_out(embedded.vectors, embedded.labels, None if plain else timed)
        except ValueError as error:
            raise DataError(
                f"{folder}: {error}; put two or more pictures into a subfolder"
            ) from None
        found.append(Ordered(retrieval, 1000 * timed.seconds / retrieval.queries))
    return found


def local_features(paths: Sequence[Path]) -> list[Features]:
    """Features of pictures that were readable a moment ago (DataError)."""
    found = []
    for path, features in ahead(features_of, paths):
        if isinstance(features, PictureError):
            raise DataError(f"{path} cannot be read any more: {features}")
        found.append(features)
    return found


def cut_off(embedded: Embedded, max_chance: float) -> dict[str, Any]:
    """The effect of a cut-off by chance, measured with the labels, which it does not know.

    ``false_match_rate`` is the share of pairs of two classes above the cut-off, ``matches_kept``
    that of pairs of one class, and ``answered`` that of queries that still have a hit.
    """
    calibration = calibrated("", len(embedded.labels), embedded.vectors)
    if calibration is None:
        raise RequestError(f"a cut-off by chance needs {FEWEST} pictures")
    if max_chance < calibration.least:
        raise RequestError(
            f"these pictures tell chances down to {calibration.least_said()}, not {max_chance:g}"
        )
    least = calibration.cut(max_chance)
    gram = embedded.vectors @ embedded.vectors.T
    np.fill_diagonal(gram, -1)  # no picture is a match of itself
    _, classes = np.unique(embedded.labels, return_inverse=True)
    same = classes == classes[:, None]
    np.fill_diagonal(same, False)  # pairs are of two pictures
    other = classes != classes[:, None]
    return {
        "cut_off": least,
        "false_match_rate": float((gram[other] >= least).mean()) if other.any() else None,
        "matches_kept": float((gram[same] >= least).mean()),
        "answered": float((gram.max(1) >= least).mean()),
    }


def figures(found: Retrieval) -> dict[str, float]:
    return {
        "mAP": found.mean_average_precision,
        **{f"precision@{k}": value for k, value in found.precision.items()},
        **{f"recall@{k}": value for k, value in found.recall.items()},
    }


def facts(embedder: Embedder, embedded: Embedded, found: Retrieval) -> dict[str, Any]:
    return {
        "pictures": len(embedded.labels),
        "classes": len(set(embedded.labels)),
        "queries": found.queries,
        "network": embedder.space.network,
        "fingerprint": embedder.space.fingerprint,
        "rejected": embedded.rejected,
    }
