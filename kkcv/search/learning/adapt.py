"""A gallery that learns from its own labels: a projection of its vectors, if that helps.

Whether it helps is measured by cross-validation: each picture that a projection has not seen is a
query for the others that it has not seen. Pictures that it has seen must not be among the hits: it
may have learned them by heart, and then even random labels seem to help. The catalog keeps the
network's vectors, so ``undo`` and learning again are one step.
"""

import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kkcv.embedding.child import run_child
from kkcv.errors import DataError, RequestError
from kkcv.extras import need
from kkcv.search.engine.projection import Projection
from kkcv.search.gallery import Gallery
from kkcv.search.picture import Picture
from kkcv.search.quality.metrics import BLOCK, average_precision, ranked
from kkcv.timing import Progress, no_progress

FOLDER = "folder"  # the label is the name of a picture's folder
FOLDS = 4
MOST = 20_000  # labelled pictures to learn from
FEWEST = 40
SURE = 3.0  # standard errors by which the mean average precision must rise


class Quality(NamedTuple):
    """How well pictures find others of their label: means over queries, from 0 to 1."""

    mean_average_precision: float
    first: float  # the share of queries whose first hit has their label


class Adapted(NamedTuple):
    """The result of learning from ``pictures`` with ``labels`` different labels.

    ``before`` and ``after`` are measured on pictures that the projection had not seen.
    """

    pictures: int
    labels: int
    before: Quality
    after: Quality
    adopted: bool


def adapt(gallery: Gallery, labels: str = FOLDER, progress: Progress = no_progress) -> Adapted:
    """Learn a projection from labels, and use it from now on if it helps.

    It helps if the mean average precision rises by more than chance explains and the first hit is
    right no less often. If not, the gallery keeps what it has.

    Args:
        labels: a key of the metadata, or ``folder``: the name of a picture's folder.
        progress: called with the numbers of rows that were written and of all, on Milvus.

    Raises:
        DataError: there is too little to learn from.
        RequestError: the gallery's engine keeps no projection.
        MissingExtra, GalleryLocked.
    """
    need("pytorch_metric_learning")
    vectors, names = labelled(gallery, labels)
    classes = np.unique(names, return_inverse=True)[1].astype(np.int64)
    was, now, whole = validated(vectors, classes)
    helps = is_better(was, now)
    if helps:
        adopt(gallery, whole, progress)
    return Adapted(len(vectors), len(set(names)), quality(was), quality(now), helps)


def validated(
    vectors: np.ndarray, classes: np.ndarray, count: int = FOLDS
) -> tuple[np.ndarray, np.ndarray, Projection]:
    """Cross-validation in ``count`` folds, and the projection learned from all.

    ``vectors`` are unit vectors float32 (N, D), ``classes`` int64 (N,). The first two results are
    ``found`` without and with a projection that has not seen the pictures: (2, Q).
    """
    folds = folds_of(classes, count)
    chosen = np.stack([*(folds != fold for fold in range(count)), np.ones(len(vectors), bool)])
    *trials, whole = learned(vectors, classes, chosen)
    before, after = [], []
    for fold, trial in enumerate(trials):
        unseen = folds == fold
        before.append(found(vectors[unseen], classes[unseen]))
        after.append(found(trial(vectors[unseen]), classes[unseen]))
    return np.concatenate(before, axis=1), np.concatenate(after, axis=1), whole


def adopt(gallery: Gallery, projection: Projection, progress: Progress = no_progress) -> None:
    """Compare vectors through this projection from now on (RequestError, GalleryLocked)."""
    project(gallery, projection.to_text(), progress)


def undo(gallery: Gallery, progress: Progress = no_progress) -> None:
    """Go back to the network's own vectors (RequestError without a projection)."""
    if gallery.generation.projection is None:
        raise RequestError(f"{gallery.address} has no projection to undo")
    project(gallery, "", progress)


def project(gallery: Gallery, text: str, progress: Progress) -> None:
    gallery.generation.next_vectors.project(text, progress)
    gallery.generation.index.renew()  # another generation by now, in the new space


def labelled(gallery: Gallery, labels: str) -> tuple[np.ndarray, list[str]]:
    """The network's vectors and the labels of pictures that share their label with another.

    At most ``MOST``, chosen at random. Raises DataError if there are too few.
    """
    with gallery.catalog.reading(frozen=True) as rows:
        names = {p.id: name for p in rows.pictures() if (name := label_of(gallery, p, labels))}
    values, counts = np.unique(list(names.values()), return_counts=True)
    shared = set(values[counts > 1].tolist())
    ids = np.array([id for id, name in names.items() if name in shared], np.int64)
    ids = np.sort(np.random.default_rng(0).permutation(ids)[:MOST])
    if len(ids) < FEWEST or len(shared) < 2:
        raise DataError(
            f"{gallery.address} has {len(ids)} pictures that share their label with another, of "
            f"{len(shared)} labels; {FEWEST} of 2 are needed (label: "
            f"{'folder name' if labels == FOLDER else f'metadata key {labels!r}'})"
        )
    with gallery.catalog.reading() as rows:
        intact, vectors = zip(*rows.stored_vectors(ids=ids), strict=True)
    whole = np.concatenate(vectors)[:, : rows.shape.whole]
    return whole, [names[id] for id in np.concatenate(intact).tolist()]


def label_of(gallery: Gallery, picture: Picture, labels: str) -> str:
    """The label of a picture; empty if it has none."""
    if labels != FOLDER:
        return str(picture.metadata.get(labels) or "")
    return "" if picture.file.stored else Path(picture.file.path).parent.name


def learned(vectors: np.ndarray, classes: np.ndarray, chosen: np.ndarray) -> list[Projection]:
    """A projection for each row of ``chosen``, bool (R, N), by a child process (child.py)."""
    question = io.BytesIO()
    np.savez(question, vectors=vectors, classes=classes, chosen=chosen)
    answer = np.load(io.BytesIO(run_child("kkcv.search.learning.child", stdin=question.getvalue())))
    return [Projection(answer[name]) for name in answer.files]


def folds_of(classes: np.ndarray, count: int = FOLDS) -> np.ndarray:
    """A random fold of ``count`` for each picture, at least two of a class together: int64 (N,)."""
    random = np.random.default_rng(0)
    folds = np.empty(len(classes), np.int64)
    for members in (np.flatnonzero(classes == c) for c in range(classes.max() + 1)):
        size = max(2, -(-len(members) // count))
        # from a random fold on: the first would get a group of every class, the last of few
        groups = np.arange(len(members)) // size + random.integers(count)
        folds[random.permutation(members)] = groups % count
    return folds


def found(vectors: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """For each picture as a query: average precision; whether the first hit is right: (2, Q)."""
    queries = np.flatnonzero(np.bincount(classes)[classes] > 1)
    scores = [
        np.stack([average_precision(hits), hits[:, 0]])
        for start in range(0, len(queries), BLOCK)
        for hits in [ranked(vectors, classes, queries[start : start + BLOCK])]
    ]
    return np.concatenate(scores, axis=1) if scores else np.empty((2, 0))


def is_better(was: np.ndarray, now: np.ndarray) -> bool:
    """Whether the mean average precision rose significantly and first hits got no worse."""
    gain = now[0] - was[0]
    error = gain.std() / len(gain) ** 0.5
    return bool(gain.mean() > SURE * error and gain.mean() > 0 and now[1].mean() >= was[1].mean())


def quality(queries: np.ndarray) -> Quality:
    return Quality(*queries.mean(axis=1).tolist())


def as_plain(adapted: Adapted) -> dict[str, Any]:
    """For JSON."""
    return {
        **adapted._asdict(),
        "before": adapted.before._asdict(),
        "after": adapted.after._asdict(),
    }
