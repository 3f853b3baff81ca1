"""Another network for a gallery: new vectors beside the old ones, then swapped in one step.

Searches and additions go on meanwhile. The work can be stopped at any time and continues where it
was. The old vectors are kept for ``undo`` until the next change of network.
"""

from collections.abc import Iterator
from itertools import islice
from shlex import quote
from typing import Any, NamedTuple

import numpy as np

from kkcv.embedding.embedder import Embedder
from kkcv.embedding.pipeline import ahead, embed_stream
from kkcv.embedding.quantized import keep
from kkcv.errors import GalleryError, PictureError, RequestError
from kkcv.search.engine import Catalog, NextVectors, by_id
from kkcv.search.gallery import Gallery
from kkcv.search.importing import Reject
from kkcv.search.index.exact import inner_products
from kkcv.search.opened.generation import embedder_for, settings_for
from kkcv.search.picture import Picture, read_in_batch
from kkcv.search.quality.metrics import leave_one_out
from kkcv.timing import Progress, no_progress

COMMIT = 64  # pictures per transaction
SAMPLE = 2000  # pictures whose neighbors are compared


class Reindexed(NamedTuple):
    """The result of a change of network.

    ``left_out`` pictures could not be embedded: they stay in the catalog without a vector.
    ``overlap`` is the share of the ten nearest that stayed the same, over a sample. ``before`` and
    ``after`` are retrieval figures over the sample, if all of it has a ``label``.
    """

    pictures: int
    left_out: list[Reject]
    overlap: float
    before: dict[str, float] | None
    after: dict[str, float] | None


def reindex(
    gallery: Gallery,
    embedder: Embedder,
    *,
    leave_out: bool = False,
    progress: Progress = no_progress,
) -> Reindexed:
    """Embed all pictures with another network, then use those vectors.

    ``leave_out`` continues even if some files cannot be read. ``progress`` is called with the
    numbers of embedded pictures and of all.

    Raises RequestError if the gallery has this network already, GalleryError if files cannot be
    read, GalleryLocked.
    """
    if embedder.space == gallery.generation.stored_space:
        raise RequestError(f"{gallery.address} has the vectors of {embedder.space.network} already")
    settings = settings_for(embedder, gallery.catalog.settings["vectors"])
    if embedder.quantized is not None:
        keep(embedder.quantized, gallery.folder)
    gallery.generation.next_vectors.begin(settings)
    return finish(gallery, embedder, leave_out, progress)


def undo(
    gallery: Gallery, *, leave_out: bool = False, progress: Progress = no_progress
) -> Reindexed:
    """Go back to the previous network: only pictures added since then are embedded.

    Raises RequestError if there is nothing to undo, and as ``reindex`` does.
    """
    settings = gallery.generation.next_vectors.begin_undo()
    if settings is None:
        raise RequestError(f"{gallery.address} has no change of network to undo")
    embedder = embedder_for(settings, gallery.folder)
    return finish(gallery, embedder, leave_out, progress)


def finish(gallery: Gallery, embedder: Embedder, leave_out: bool, progress: Progress) -> Reindexed:
    """Embed until no picture lacks a vector, then swap."""
    new = gallery.generation.next_vectors
    rejected: dict[int, Reject] = {}
    pictures = None
    while pictures is None:  # others add pictures meanwhile
        missing = [id for id in new.todo() if id not in rejected]
        if missing:
            rejected |= embed_missing(gallery, embedder, missing, new, progress)
            if rejected and not leave_out:
                first = next(iter(rejected.values()))
                raise GalleryError(
                    f"{len(rejected)} pictures cannot be embedded again, such as {first.message}; "
                    f"mend them, remove them (kkcv remove {quote(gallery.address)} --missing), "
                    "or pass --leave-out"
                )
        compared = comparison(gallery.catalog, new, embedder.space.dim)
        pictures = new.swap(set(rejected))
    gallery.generation.index.renew()
    return Reindexed(pictures, list(rejected.values()), *compared)


def embed_missing(
    gallery: Gallery, embedder: Embedder, missing: list[int], new: NextVectors, progress: Progress
) -> dict[int, Reject]:
    """Embed pictures by id; those that failed, with the reason."""
    rejected: dict[int, Reject] = {}
    done, total = 0, len(missing)

    def pictures() -> Iterator[Picture]:
        for start in range(0, total, COMMIT):
            with gallery.catalog.reading() as rows:
                found = list(rows.pictures(missing[start : start + COMMIT]))
            yield from found

    def prepare(picture: Picture) -> np.ndarray:
        return embedder.prepare_row(read_in_batch(gallery, picture))

    stream = embed_stream(embedder, ahead(prepare, pictures()))
    while batch := list(islice(stream, COMMIT)):
        new.keep([(picture, v) for picture, v in batch if isinstance(v, np.ndarray)])
        for picture, error in batch:
            if isinstance(error, PictureError):
                path = str(gallery.path(picture))
                rejected[picture.id] = Reject(path, error.reason, f"{path}: {error}")
        done += len(batch)
        progress(done, total)
    return rejected


def comparison(
    catalog: Catalog, new: NextVectors, dim: int
) -> tuple[float, dict[str, float] | None, dict[str, float] | None]:
    """Overlap of the ten nearest, and retrieval figures before and after, over a sample.

    Of the new rows the first ``dim`` numbers are those of the whole picture.
    """
    with catalog.reading() as rows:
        sampled = np.sort(np.random.default_rng(0).permutation(rows.ids())[:SAMPLE])
        before, whole = by_id(rows.stored_vectors(ids=sampled)), rows.shape.whole
        after = by_id(new.vectors(sampled))
        pictures = [p for p in rows.pictures(sampled) if p.id in before and p.id in after]
    if len(pictures) < 2:
        return 1.0, None, None
    old = np.stack([before[p.id][:whole] for p in pictures])
    fresh = np.stack([after[p.id][:dim] for p in pictures])
    labels = [picture.metadata.get("label") for picture in pictures]
    if None in labels:
        return overlap(old, fresh), None, None
    texts = [str(label) for label in labels]
    return overlap(old, fresh), figures(old, texts), figures(fresh, texts)


def overlap(old: np.ndarray, new: np.ndarray, k: int = 10) -> float:
    """The share of each picture's k nearest others that are the same in both."""
    k = min(k, len(old) - 1)
    # one more than k: the first of each is the picture itself
    both = (inner_products(vectors, vectors, k + 1)[0].tolist() for vectors in (old, new))
    shares = [
        len(set(others(first, i, k)) & set(others(second, i, k))) / k
        for i, (first, second) in enumerate(zip(*both, strict=True))
    ]
    return float(np.mean(shares))


def others(rows: list[int], own: int, k: int) -> list[int]:
    return [row for row in rows if row != own][:k]


def figures(vectors: np.ndarray, labels: list[str]) -> dict[str, float] | None:
    try:
        found = leave_one_out(vectors, labels)
    except ValueError:
        return None
    return {"mAP": found.mean_average_precision, "precision@1": found.precision[1]}


def as_plain(report: Reindexed) -> dict[str, Any]:
    """For JSON."""
    return {**report._asdict(), "left_out": [reject._asdict() for reject in report.left_out]}
