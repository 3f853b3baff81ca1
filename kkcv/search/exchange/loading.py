"""Parquet files of an export or of workers (shards.py) into a gallery, without embedding."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from shlex import quote

from kkcv.disk import absolute, has_hash
from kkcv.errors import DataError
from kkcv.search.files import as_stored
from kkcv.search.gallery import Gallery
from kkcv.search.library.identity import join

from .folders import Allowed
from .manifest import finished, read_manifest
from .parquet import Row, batches, described_folders, gallery_for, opened, unpacked
from .plan import Plan

NAMED = 10  # shards in a message


@dataclass
class LoadReport:
    """The result of a load, counted in pictures."""

    files: int = 0
    added: int = 0
    replaced: int = 0  # the file has changed since it was indexed: another vector, same id
    unchanged: int = 0
    rejected: int = 0  # by the workers; they are listed beside the Parquet files


def parquet_files(sources: Iterable[str | PathLike[str]], plan: Plan | None = None) -> list[Path]:
    """The given Parquet files and those in given folders, sorted by name.

    With a plan they must be exactly its shards, intact, and come in the plan's order. Raises
    DataError, which names the missing shards.
    """
    files: list[Path] = []
    for source in map(absolute, sources):
        found = sorted(source.glob("*.parquet")) if source.is_dir() else [source]
        if not found:
            raise DataError(f"{source} holds no Parquet files")
        files += found
    # by name, in whichever folder they are: the order of the plan
    files = sorted(dict.fromkeys(files), key=lambda file: (file.name, file))
    if plan is None:
        return files
    named: dict[str, list[Path]] = {f"{shard.name}.parquet": [] for shard in plan.shards}
    for file in files:
        if file.name not in named:
            raise DataError(f"{file} is not a shard of {plan.folder}; leave it out, or the plan")
        named[file.name].append(file)
    chosen: list[Path] = []
    lost: list[int] = []
    for shard, copies in zip(plan.shards, named.values(), strict=True):
        whole = [file for file in copies if finished(plan, shard, file.parent)]
        chosen += whole[:1]
        lost += [] if whole else [shard.number]
    if lost:
        shown = ", ".join(map(str, lost[:NAMED])) + (", …" if len(lost) > NAMED else "")
        raise DataError(
            f"{len(lost)} of the {len(plan.shards)} shards of {plan.folder} are missing or "
            f"damaged: {shown}; to make them: kkcv embed {quote(str(plan.folder))} --out FOLDER"
        )
    return chosen


def load(
    address: str | PathLike[str],
    files: Iterable[Path],
    *,
    verified: bool = False,
    update: bool = True,
    roots: Iterable[str | PathLike[str]] = (),
    progress: Callable[[LoadReport], None] = lambda report: None,
) -> LoadReport:
    """Load Parquet files into a gallery, new or of the same embedding space; repeating is harmless.

    A file with a manifest beside it must agree with it; ``verified`` says that this was just found.
    With ``update`` a known path gets another vector if its file has changed since. Ids are the
    gallery's own, in the order of the rows. ``roots`` are further folders whose files the rows may
    name (folders.py). ``progress`` is called after each commit.

    Raises DataError, EmbedderMismatch, GalleryLocked, MissingExtra.
    """
    report = LoadReport()
    for file in files:
        done = read_manifest(file.with_suffix(".json"))
        if done is not None and not verified and not has_hash(file, done.sha256):
            raise DataError(
                f"{file} is damaged: its sha256 is not the one beside it; embed it again"
            )
        source, settings = opened(file)
        with gallery_for(address, settings, file) as gallery:
            allowed = Allowed(gallery, described_folders(source), roots, file)
            for batch in batches(source, file):
                rows = list(unpacked(batch, file, gallery.generation.stored_space.dim))
                commit(gallery, rows, allowed, update, report)
                progress(report)
        report.files += 1
        report.rejected += len(done.rejects) if done else 0
    progress(report)
    return report


def import_parquet(
    address: str | PathLike[str],
    file: str | PathLike[str],
    *,
    roots: Iterable[str | PathLike[str]] = (),
) -> tuple[int, int]:
    """Load one file; known paths stay as they are. The number of new and of known pictures.

    ``roots`` are further folders whose files its rows may name (folders.py). If it fails in the
    middle, what was committed stays: run it again. Raises as ``load``.
    """
    report = load(address, [Path(file)], update=False, roots=list(roots))
    return report.added, report.unchanged


def commit(
    gallery: Gallery, rows: list[Row], allowed: Allowed, update: bool, report: LoadReport
) -> None:
    """Load rows in one transaction; the report changes when it is on the disk."""
    added = replaced = 0
    files = [as_stored(gallery.folder, row.file) for row in rows]
    for file in files:
        allowed.check(file)
    folders = {os.path.dirname(file.path) for file in files if not file.stored}
    named = {folder: gallery.library.named(folder) for folder in folders}
    for i, file in enumerate(files):
        if not file.stored:
            folder, name = os.path.split(file.path)
            files[i] = replace(file, path=join(named[folder], name))
    with gallery.catalog.writing() as writer:
        writer.expect(files)
        for file, row in zip(files, rows, strict=True):
            known = writer.by_path(file.path)
            if known is None:
                writer.add(file, row.vector, row.metadata, row.added)
                added += 1
            elif (
                update and file.sha256 != known.file.sha256 and file.mtime_ns > known.file.mtime_ns
            ):
                writer.update(known.id, file=file, vector=row.vector)
                replaced += 1
    report.added += added
    report.replaced += replaced
    report.unchanged += len(rows) - added - replaced
