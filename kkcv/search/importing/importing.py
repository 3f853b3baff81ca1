"""Folders of pictures into a gallery: only new ones are embedded, bad files are skipped."""

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from kkcv.answering import SILENT, is_stuck
from kkcv.disk import absolute, write_file
from kkcv.embedding.pipeline import ahead, embed_stream
from kkcv.errors import PictureError
from kkcv.images.folder import Walk, must_exist
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.images.skipped import in_a_gallery
from kkcv.images.source import label_of
from kkcv.metadata import EXIF, with_exif
from kkcv.search.engine import Writer
from kkcv.search.library.absence import Judge
from kkcv.search.library.ignore import Ignored
from kkcv.search.library.library import Library, nearest
from kkcv.search.library.moved_files import WAITS, MovedFiles
from kkcv.search.library.naming import Naming
from kkcv.search.library.places import answering
from kkcv.search.opened.rows import Rows
from kkcv.search.picture import PictureFile, Stamp

from .looking import Found, Named, Sheet, look_at

REJECTS = "rejects.csv"
SHEETS = "contact sheets of kkcv"
Paths = Iterable[str | PathLike[str]]


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
    passed: Counter[str] = field(default_factory=Counter)  # left out, by reason; not in ``files``
    linked: list[str] = field(default_factory=list)  # folders that links and mounts led to first

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
Progress = Callable[[ImportReport], None]


class Ready(NamedTuple):
    """A file whose vector is made; None if the gallery has its bytes."""

    file: PictureFile
    stamp: Stamp
    exif: Mapping[str, Any]
    vector: np.ndarray | PictureError | None


def import_pictures(
    gallery: Rows,
    paths: Paths,
    *,
    limits: Limits = DEFAULT_LIMITS,
    threads: int | None = None,
    exclude: Sequence[str] = (),
    rehash: bool = False,
    progress: Progress = lambda report: None,
) -> ImportReport:
    """Import files, and folders with everything below them.

    Unreadable files are skipped and listed in the report and in ``rejects.csv`` in the gallery. An
    interrupted import keeps what it committed, and the next one continues from there. The folders
    become roots of the gallery (docs/library.md).

    Args:
        gallery: where they go.
        paths: of files and folders.
        limits: on bytes and pixels of a picture.
        threads: that decode; None is one a core.
        exclude: patterns as in gitignore of what is left out, from now on.
        rehash: read all files, also those that the file system calls unchanged. Pictures that an
            older kkcv has indexed get their EXIF, and panoramas the vector of all that they show.
        progress: is called with the report after each commit.

    Raises:
        PictureError: a path does not exist.
        RequestError: an invalid pattern.
        GalleryLocked: another process is writing for too long.
        GalleryError: the disk refuses.
    """
    importing = Importing(gallery, ImportReport())
    with importing.catalog.writing():
        pass  # what may not be written is refused before anything is decoded
    there, silent = given(paths)
    for path in silent:
        importing.report.count(Reject(path, "unreadable", f"{label_of(path)}{SILENT}"))
    try:
        importing.run(there, limits, threads, tuple(exclude), rehash, progress)
    finally:
        gallery.library.forget()
        write_rejects(gallery.folder / REJECTS, importing.report.rejected)
    progress(importing.report)
    return importing.report


class Given(NamedTuple):
    """Absolute paths: those that can be looked at, and those that do not answer."""

    there: list[str]
    silent: list[str]


def given(paths: Paths) -> Given:
    """Absolute paths (PictureError if one does not exist)."""
    listed = [str(absolute(path)) for path in paths]
    must_exist(listed)
    silent = [path for path in listed if is_stuck(path)]
    return Given([path for path in listed if path not in silent], silent)


class Importing:
    """One import, which changes its report when something is on the disk."""

    def __init__(self, gallery: Rows, report: ImportReport) -> None:
        self.gallery = gallery
        self.report = report
        self.generation = gallery.generation  # its catalog refuses another network's vectors
        self.catalog = self.generation.catalog
        self.library = gallery.library
        self.naming = Naming(self.library)
        self.moved_files = MovedFiles(Judge(self.library))
        self.exchanged: set[str] = set()  # names whose row has become that of another name
        self.again: dict[str, Named] = {}  # files whose bytes the gallery had when they were read

    def run(
        self,
        paths: list[str],
        limits: Limits,
        threads: int | None,
        exclude: tuple[str, ...],
        rehash: bool,
        progress: Progress,
    ) -> None:
        with self.catalog.reading() as rows:
            rows.count()  # a stale answer is no older than this one
        embedder = self.generation.embedder

        def look(named: Named) -> Found | Sheet | None:
            return look_at(self.catalog, embedder, named, limits, rehash)

        def take(files: Iterable[Named], last: bool = False) -> None:
            looked = self.changed(ahead(look, files, threads=threads))
            embedded = (
                Ready(file, stamp, exif, vector)
                for (file, _, stamp, exif), vector in embed_stream(embedder, looked)
            )
            while batch := list(islice(embedded, self.catalog.batch)):
                self.commit(batch, last)
                progress(self.report)

        for path in paths:
            if os.path.isdir(path) and not in_a_gallery(path):
                self.naming.begin(path, exclude)
        found = walked(self.gallery.folder, self.library, paths, self.report.passed)
        take(Named(path, self.naming.name(path)) for path in found)
        # at the end: only now is it known what was found elsewhere
        waiting = iter(self.moved_files.waiting)
        while batch := [Ready(*each, {}, None) for each in islice(waiting, self.catalog.batch)]:
            self.commit(batch, last=True)
            progress(self.report)
        take(list(self.again.values()), last=True)
        if self.naming.has_news:  # new roots without a picture
            self.commit([])
        self.report.linked = self.naming.linked

    def changed(
        self, looked: Iterable[tuple[Named, Found | Sheet | PictureError | None]]
    ) -> Iterator[tuple[Found, np.ndarray | None]]:
        """The files that have to be imported; the others are counted."""
        for named, found in looked:
            if found is None:
                self.report.count(self.known(named.name))
            elif isinstance(found, Sheet):
                self.report.passed[SHEETS] += 1
            elif isinstance(found, PictureError):
                self.report.count(Reject(named.path, found.reason, str(found)))
            else:
                yield found._replace(crop=None), found.crop

    def commit(self, batch: list[Ready], last: bool = False) -> None:
        """Settle files in one transaction."""
        with self.catalog.writing() as writer:
            self.naming.write(writer)
            writer.expect(ready.file for ready in batch)
            outcomes = [self.settle(writer, ready, last) for ready in batch]
        for outcome in outcomes:
            if outcome is not None:
                self.report.count(outcome)

    def known(self, name: str) -> Outcome:
        """How a file is counted whose row has its bytes."""
        moved = name in self.exchanged or self.naming.was_moved(name)
        return "moved" if moved else "unchanged"

    def settle(self, writer: Writer, ready: Ready, last: bool) -> Outcome | Reject | None:
        """Import one file, or let it wait for the end: moved_files.py, ``self.again``."""
        file, stamp, exif, vector = ready
        if isinstance(vector, PictureError):
            return Reject(self.library.located(file.path), vector.reason, str(vector))
        here = writer.by_path(file.path)
        if here and here.file.sha256 == file.sha256:  # touched, not changed
            told = with_exif(here.metadata, exif) if exif and EXIF not in here.metadata else None
            writer.update(here.id, file=file, vector=vector, metadata=told)
            writer.mark(here.id, stamp)
            return self.known(file.path)
        same = writer.by_sha256(file.sha256, 1)
        if not here and same:
            lost = self.moved_files.of(writer, file, stamp, last)
            if lost == WAITS:
                return None
            if lost is not None and writer.picture(lost.id) == lost:
                writer.update(lost.id, file=file)
                writer.mark(lost.id, stamp)
                return "moved"
        if here and (other := self.moved_files.exchanged(writer, here, file)):
            between = f"{here.file.path}/{here.id}"  # no file can have this path
            writer.update(here.id, file=replace(here.file, path=between))
            writer.update(other.id, file=file)
            writer.mark(other.id, stamp)
            writer.update(here.id, file=replace(here.file, path=other.file.path))
            self.exchanged.add(other.file.path)
            return "moved"
        if vector is None and same:
            vector, exif = writer.row(same[0].id), same[0].metadata.get(EXIF, {})
        if vector is None:  # the row with its bytes got others meanwhile, as when names are swapped
            path = self.library.located(file.path)
            if file.path not in self.again:
                self.again[file.path] = Named(path, file.path)
                return None
            gone = "the picture with the same bytes was removed meanwhile; import it again"
            return Reject(path, "unreadable", gone)
        if here:
            metadata = with_exif(here.metadata, exif)
            changed = metadata if metadata != here.metadata else None
            writer.update(here.id, file=file, vector=vector, metadata=changed)
            writer.mark(here.id, stamp)
            return "replaced"
        writer.mark(writer.add(file, vector, with_exif({}, exif)), stamp)
        return "copied" if same else "added"


def files_to_import(gallery: Rows, paths: Paths, exclude: Sequence[str] = ()) -> Iterator[str]:
    """The absolute paths of the picture files, without those of galleries."""
    return walked(gallery.folder, gallery.library, given(paths).there, Counter(), exclude)


def walked(
    own: Path, library: Library, paths: list[str], passed: Counter[str], exclude: Sequence[str] = ()
) -> Iterator[str]:
    """The picture files of some paths, by the rules of the roots that they are in.

    ``own`` is the gallery's folder, of which nothing is found; ``exclude`` are more patterns.
    """
    walk = Walk(passed=passed, entered=[str(own)])
    walk.answers = answering()
    for path in dict.fromkeys(paths):
        found = nearest(library.roots, path)
        if found is None and os.path.isdir(path):  # a link into a root has the rules of that root
            real = os.path.realpath(path)
            found = nearest(library.roots, real)
            path = real if found else path
        root, up = found or (None, path)
        walk.skips = Ignored(up, [*(root.excludes if root else ()), *exclude])
        if os.path.isdir(path) or not in_a_gallery(os.path.dirname(path)):
            yield from walk.all([path])


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
