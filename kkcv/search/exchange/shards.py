"""The shards of a plan embedded by any number of workers, and loaded into a gallery.

A worker turns a shard into two files, each written completely or not at all:

out/
├── 000000.parquet   the vectors, in the format of an export (parquet.py)
└── 000000.json      its sha256, its network and its rejected pictures (manifest.py)

A shard is finished when both files exist and agree with the plan and with each other. Workers may
die at any instant and be restarted on any machine. The plan alone decides the batches, because the
last bits of a vector depend on the size of its batch: every worker gets the same bits.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from os import PathLike
from pathlib import Path

import numpy as np

from kkcv.checkpoint import resolve
from kkcv.disk import absolute, atomic_write, make_folder, sha256_of, writing
from kkcv.embedding.choice import Choice
from kkcv.embedding.embedder import BATCH, Embedder
from kkcv.embedding.pipeline import ahead, embed_stream
from kkcv.embedding.space import EmbeddingSpace
from kkcv.errors import DataError, EmbedderMismatch, PictureError, RequestError
from kkcv.images.exif import exif_of
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.images.source import label_of, read_bytes
from kkcv.metadata import with_exif
from kkcv.search.importing import Reject
from kkcv.search.importing.looking import Found, modified, prepared
from kkcv.search.picture import PictureFile

from .manifest import Manifest, finished, made_by, write_manifest
from .parquet import ROWS, described_schema, parquet_writer, table
from .plan import Plan, Planned, Shard


@dataclass(frozen=True)
class WorkReport:
    """The result of a worker. ``skipped`` shards were finished before; pictures count in all."""

    shards: int = 0
    skipped: int = 0
    embedded: int = 0
    rejected: int = 0

    @property
    def pictures(self) -> int:
        return self.embedded + self.rejected


def embed_shards(
    plan: Plan,
    out: str | PathLike[str],
    embedder: Embedder,
    worker: int = 0,
    workers: int = 1,
    *,
    limits: Limits = DEFAULT_LIMITS,
    threads: int | None = None,
    progress: Callable[[WorkReport], None] = lambda report: None,
) -> WorkReport:
    """Embed the unfinished shards whose number is ``worker`` modulo ``workers``.

    Unreadable pictures are listed beside the vectors. ``progress`` is called after each shard and
    after each batch of rows.

    Raises EmbedderMismatch if the embedder is not the plan's, DataError, RequestError,
    MissingExtra.
    """
    check_worker(worker, workers)
    must_be_planned(plan, embedder.space, embedder.choice)
    folder = absolute(out)
    with writing(folder, DataError):
        make_folder(folder)
        report = WorkReport()
        for shard in plan.shards[worker::workers]:
            # looked for shard by shard: another worker may have finished it
            done = finished(plan, shard, folder)
            skipped = done is not None
            if done is None:
                # bound now: ``report`` is another one later
                def within(pictures: int, before: WorkReport = report) -> None:
                    progress(replace(before, embedded=before.embedded + pictures))

                done = embed_shard(plan, shard, folder, embedder, limits, threads, within)
            report = WorkReport(
                report.shards + 1,
                report.skipped + skipped,
                report.embedded + done.embedded,
                report.rejected + len(done.rejects),
            )
            progress(report)
    return report


def check_worker(worker: int, workers: int) -> None:
    if workers < 1 or not 0 <= worker < workers:
        raise RequestError(
            f"workers are counted from 0: worker {worker} of {workers} cannot be; "
            f"the last of {max(workers, 1)} is {max(workers, 1) - 1}"
        )


def load_embedder(
    plan: Plan,
    *,
    model: str | None = None,
    weights: str | None = None,
    backend: str | None = None,
    runtime: str | None = None,
    precision: str | None = None,
    device: str | None = None,
) -> Embedder:
    """Load the plan's embedder; its weights may be elsewhere on this machine.

    Raises EmbedderMismatch before anything is loaded, WeightsError, RequestError if this machine
    lacks the plan's runtime.
    """
    planned = plan.settings
    weights = weights or (None if model else planned["weights"])
    checkpoint = resolve(model or planned["model"], weights or "imagenet")
    choice = Choice(runtime or plan.choice.runtime, precision or plan.choice.precision)
    space = replace(
        plan.space,
        network=checkpoint.network,
        weights=checkpoint.weights_id,
        preprocess=checkpoint.preprocess,
    )
    must_be_planned(plan, space, choice)
    return Embedder(
        checkpoint,
        backend=backend or planned["backend"],
        runtime=choice.runtime,
        precision=choice.precision,
        device=device,
    )


def must_be_planned(plan: Plan, space: EmbeddingSpace, choice: Choice) -> None:
    """Raises EmbedderMismatch if a worker has another network, runtime or precision."""
    if space != plan.space:
        raise EmbedderMismatch(
            f"the plan {plan.folder} is for {plan.space.network} ({plan.space.fingerprint}), this "
            f"worker has {space.network} ({space.fingerprint}): "
            f"{'; '.join(plan.space.differences(space))}"
        )
    if choice != plan.choice:
        raise EmbedderMismatch(
            f"the plan {plan.folder} is for {' in '.join(plan.choice)}, this worker runs "
            f"{' in '.join(choice)}; make a plan with --runtime and --precision that all have"
        )


def embed_shard(
    plan: Plan,
    shard: Shard,
    folder: Path,
    embedder: Embedder,
    limits: Limits = DEFAULT_LIMITS,
    threads: int | None = None,
    progress: Callable[[int], None] = lambda pictures: None,
) -> Manifest:
    """Write the two files of a shard: the Parquet file first, the other makes it valid."""
    schema = described_schema(plan.settings)
    rejects: list[Reject] = []
    embedded = 0
    with atomic_write(folder / f"{shard.name}.parquet") as part:
        vectors = embedded_files(plan.files(shard), embedder, rejects, limits, threads, progress)
        with parquet_writer(part, schema) as writer:
            while rows := list(islice(vectors, ROWS)):
                files = [found.file for found, _ in rows]
                told = [with_exif({}, found.exif) for found, _ in rows]
                stacked = np.stack([vector for _, vector in rows])
                writer.write_table(table(schema, files, stacked, metadata=told))
                embedded += len(rows)
        must_be_mounted(shard, rejects)  # before the file gets its name
        sha256 = sha256_of(part)
    done = Manifest(shard.sha256, *made_by(plan), sha256, embedded, tuple(rejects))
    write_manifest(folder / f"{shard.name}.json", done)
    return done


def embedded_files(
    planned: Iterable[Planned],
    embedder: Embedder,
    rejects: list[Reject],
    limits: Limits,
    threads: int | None,
    progress: Callable[[int], None],
) -> Iterator[tuple[Found, np.ndarray]]:
    """The readable files with their unit vectors; the others are appended to ``rejects``."""

    def look(picture: Planned) -> Found:
        return look_at(picture, embedder, limits)

    looked: Iterator[tuple[Planned | Found, np.ndarray | PictureError | None]] = (
        (picture, found)
        if isinstance(found, PictureError)
        else (found._replace(crop=None), found.crop)
        for picture, found in ahead(look, planned, threads=threads)
    )
    for count, (found, vector) in enumerate(embed_stream(embedder, looked), 1):
        if isinstance(vector, PictureError):
            file = found.file if isinstance(found, Found) else found
            rejects.append(Reject(file.path, vector.reason, str(vector)))
        elif isinstance(found, Found) and vector is not None:
            yield found, vector
        if count % BATCH == 0:
            progress(count)


def look_at(picture: Planned, embedder: Embedder, limits: Limits) -> Found:
    """Read, hash and decode a file, which must have the planned size (PictureError)."""
    path = picture.path
    mtime_ns = modified(path)
    data = read_bytes(path, limits)
    if picture.bytes is not None and len(data) != picture.bytes:
        raise PictureError(
            f"{label_of(path)}it has {len(data):,} bytes, {picture.bytes:,} when the plan was made",
            "unreadable",
        )
    file = PictureFile(path, False, hashlib.sha256(data).digest(), len(data), mtime_ns)
    return Found(file, prepared(embedder, path, data, limits), exif=exif_of(data))


def must_be_mounted(shard: Shard, rejects: list[Reject]) -> None:
    """Raises DataError if all files are missing: probably their disk is not mounted."""
    lost = sum(reject.reason == "not-found" for reject in rejects)
    if shard.bytes and lost == shard.pictures:
        raise DataError(
            f"{label_of(rejects[0].path)}neither this nor any other of the {lost} files of shard "
            f"{shard.number} is there; is their disk mounted here? (if they were deleted, make "
            "another plan)"
        )
