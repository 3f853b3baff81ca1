"""Folders of pictures into a gallery: only new ones are embedded, bad files are skipped."""

import csv
import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from kkcv.disk import write_file
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.pipeline import ahead, embed_stream
from kkcv.errors import PictureError
from kkcv.images.folder import find_pictures
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.images.source import label_of, read_bytes

from .engine import Catalog, Writer
from .picture import Picture, PictureFile
from .rows import Rows

REJECTS = "rejects.csv"


class Reject(NamedTuple):
    """A skipped file; ``reason`` is a code of PictureError, ``message`` is for people."""

    path: str
    reason: str
    message: str


@dataclass
class ImportReport:
    """The result of an import, counted in files."""

    added: int = 0  # embedded
    replaced: int = 0  # other bytes at a known path: embedded again, same id
    moved: int = 0  # known bytes at a new path, the old one gone: same id
    copied: int = 0  # known bytes at a new path, the old one still there: new id, same vector
    unchanged: int = 0
    rejected: list[Reject] = field(default_factory=list)

    @property
    def files(self) -> int:
        known = self.replaced + self.moved + self.copied + self.unchanged
        return self.added + known + len(self.rejected)

    def count(self, outcome: "Outcome | Reject") -> None:
        if isinstance(outcome, Reject):
            self.rejected.append(outcome)
        else:
            setattr(self, outcome, getattr(self, outcome) + 1)


Outcome = Literal["added", "replaced", "moved", "copied", "unchanged"]


class Found(NamedTuple):
    """A file to be imported; without a crop, the gallery has its bytes already."""

    file: PictureFile
    crop: np.ndarray | None


Progress = Callable[[ImportReport], None]


def import_pictures(
    gallery: Rows,
    paths: Iterable[str | PathLike[str]],
    *,
    limits: Limits = DEFAULT_LIMITS,
    threads: int | None = None,
    progress: Progress = lambda report: None,
) -> ImportReport:
    """Import files, and folders with everything below them.

    Unreadable files are skipped and listed in the report and in ``rejects.csv`` in the gallery. An
    interrupted import keeps what it committed, and the next one continues from there.

    Args:
        gallery: where they go.
        paths: of files and folders.
        limits: on bytes and pixels of a picture.
        threads: that decode; None is one a core.
        progress: is called with the report after each commit.

    Raises:
        PictureError: a path does not exist.
        GalleryLocked: another process is writing for too long.
        GalleryError: the disk refuses.
    """
    report = ImportReport()
    generation = gallery.generation  # its catalog refuses the vectors of another network
    embedder = generation.embedder

    def look(path: str) -> Found | None:
        return look_at(generation.catalog, embedder, path, limits)

    with generation.catalog.reading() as rows:
        rows.count()  # a stale answer is no older than this one

    try:
        looked = ahead(look, files_to_import(gallery, paths), threads=threads)
        embedded = embed_stream(embedder, changed(looked, report))
        while batch := list(islice(embedded, generation.catalog.batch)):
            commit(gallery, generation.catalog, batch, report)
            progress(report)
    finally:
        write_rejects(gallery.folder / REJECTS, report.rejected)
    progress(report)
    return report


def files_to_import(gallery: Rows, paths: Iterable[str | PathLike[str]]) -> Iterator[str]:
    """The absolute paths of picture files, without those in the gallery's own folder."""
    own = f"{gallery.folder}{os.sep}"
    for path in find_pictures(paths):
        absolute = os.path.abspath(path)
        if not absolute.startswith(own):
            yield absolute


def look_at(catalog: Catalog, embedder: Embedder, path: str, limits: Limits) -> Found | None:
    """Read, hash and decode a file as far as needed; None if it is unchanged (PictureError)."""
    must_be_utf8(path)
    mtime_ns = modified(path)  # before the bytes: a change in between is seen next time
    with catalog.stale_reading() as rows:
        known = rows.by_path(path)
        if known and mtime_ns == known.file.mtime_ns and os.path.getsize(path) == known.file.bytes:
            return None
        data = read_bytes(path, limits)
        sha256 = hashlib.sha256(data).digest()
        file = PictureFile(path, False, sha256, len(data), mtime_ns)
        if rows.by_sha256(sha256):
            return Found(file, None)
    return Found(file, prepared(embedder, path, data, limits))


def must_be_utf8(path: str) -> None:
    """Raises PictureError for a name that a catalog cannot hold."""
    try:
        path.encode()
    except UnicodeEncodeError:
        name = ascii(path)
        raise PictureError(f"{name}: its name is not UTF-8; rename it", "unreadable") from None


def prepared(embedder: Embedder, path: str, data: bytes, limits: Limits) -> np.ndarray:
    """The network's crop of a file; an error names the file."""
    try:
        return embedder.prepare(data, limits)
    except PictureError as error:
        raise PictureError(f"{label_of(path)}{error}", error.reason) from None


def modified(path: str) -> int:
    """The modification time in nanoseconds; 0 if unknown, and reading will say why."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def changed(
    looked: Iterable[tuple[str, Found | PictureError | None]], report: ImportReport
) -> Iterator[tuple[PictureFile, np.ndarray | None]]:
    """The files that have to be imported; the others are counted."""
    for path, found in looked:
        if found is None:
            report.unchanged += 1
        elif isinstance(found, PictureError):
            report.rejected.append(Reject(path, found.reason, str(found)))
        else:
            yield found.file, found.crop


def commit(
    gallery: Rows,
    catalog: Catalog,
    batch: list[tuple[PictureFile, np.ndarray | PictureError | None]],
    report: ImportReport,
) -> None:
    """Settle a batch in one transaction; the report changes when it is on the disk."""
    with catalog.writing() as writer:
        writer.expect(file for file, _ in batch)
        outcomes = [settle(gallery, writer, file, vector) for file, vector in batch]
    for outcome in outcomes:
        report.count(outcome)


def settle(
    gallery: Rows, writer: Writer, file: PictureFile, vector: np.ndarray | PictureError | None
) -> Outcome | Reject:
    """Import one file; without a vector, the gallery has its bytes already."""
    if isinstance(vector, PictureError):
        return Reject(file.path, vector.reason, str(vector))
    here = writer.by_path(file.path)
    same = writer.by_sha256(file.sha256)
    if here and here.file.sha256 == file.sha256:
        writer.update(here.id, file=file)  # touched, not changed
        return "unchanged"
    if not here and (gone := missing(gallery, same)):
        writer.update(gone.id, file=file)
        return "moved"
    if vector is None and same:
        vector = writer.vector(same[0].id)
    if vector is None:  # removed meanwhile, or its vector is damaged: next time
        lost = "the picture with the same bytes was removed meanwhile; import it again"
        return Reject(file.path, "unreadable", lost)
    if here:
        writer.update(here.id, file=file, vector=vector)
        return "replaced"
    writer.add(file, vector, {})
    return "copied" if same else "added"


def missing(gallery: Rows, pictures: list[Picture]) -> Picture | None:
    """The first whose file is gone."""
    return next((p for p in pictures if not gallery.path(p).exists()), None)


def write_rejects(file: Path, rejects: list[Reject]) -> None:
    """Write the skipped files as CSV; without any, the list is deleted."""
    if not rejects:
        file.unlink(missing_ok=True)
        return
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(Reject._fields)
    table.writerows(rejects)
    write_file(file, text.getvalue().encode(errors="backslashreplace"))
