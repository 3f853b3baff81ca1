"""Finding what is wrong with a gallery, and repairing it where nothing can be lost."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from shlex import quote

import numpy as np

from kkcv.disk import atomic_write, has_hash, make_folder
from kkcv.errors import GalleryFormatError, KkcvError, PictureError
from kkcv.images.decode import decode_small
from kkcv.search import files
from kkcv.search.folder.catalog import Catalog
from kkcv.search.folder.engine import in_a_folder
from kkcv.search.folder.index import FolderIndex
from kkcv.search.folder.reader import Reader
from kkcv.search.gallery import Gallery
from kkcv.search.importing.looking import is_untouched, status_of
from kkcv.search.index import snapshot
from kkcv.search.library.absence import Judge
from kkcv.search.picture import Picture
from kkcv.timing import Progress, no_progress

from .rows import RESTORE, Finding, damaged, half_damaged

ORPHANS = "orphans"  # the folder for files without a row
PAGE = 1000  # pictures in memory at a time
SETTLING = 0.3  # seconds, in which a removal in progress ends


def examine(
    gallery: Gallery, *, repair: bool = False, progress: Progress = no_progress
) -> list[Finding]:
    """Examine a gallery, also while others write; with ``repair``, repair what is safe to repair.

    ``progress`` is called with the number of examined pictures and of all. Raises RequestError if
    the gallery is not in a folder.
    """
    found: list[Finding] = []
    rows_of(gallery)
    try:
        with suppress(GalleryFormatError):  # which the catalog tells better
            found += half_damaged(rows_of(gallery), repair)
        found += catalog(gallery, repair)
        found += metadata(gallery, repair)
        found += pictures(gallery, repair, progress)
        found += stray_files(gallery, repair)
        found += damaged(rows_of(gallery))
        found += index(gallery, repair)
    except GalleryFormatError as error:  # too damaged to examine the rest
        if not any(finding.kind == "damaged-catalog" for finding in found):
            what, _, _ = str(error).partition("; ")  # without its advice: kkcv doctor
            found.append(Finding("damaged-catalog", what, RESTORE))
    return found


def rows_of(gallery: Gallery) -> Catalog:
    return in_a_folder(gallery.catalog, "kkcv doctor")


def indexes_of(gallery: Gallery) -> list[FolderIndex]:
    """The index of whole pictures, and that of their parts where the gallery has them."""
    found = gallery.generation.index
    assert isinstance(found, FolderIndex)
    return [found, *([found.parts] if found.parts else [])]


def catalog(gallery: Gallery, repair: bool) -> list[Finding]:
    """The findings of SQLite itself, which can rebuild its own indexes from the rows."""
    complaints = complaints_of(gallery)
    if not complaints:
        return []
    more = f" and {len(complaints) - 3} more" if len(complaints) > 3 else ""
    found = Finding("damaged-catalog", "; ".join(complaints[:3]) + more, RESTORE)
    if repair and all(" index " in complaint for complaint in complaints):
        with rows_of(gallery).writing() as writer:
            writer.execute("REINDEX")
        if not complaints_of(gallery):
            found = found._replace(mended="its indexes were made again from the rows")
    return [found]


def complaints_of(gallery: Gallery) -> list[str]:
    with rows_of(gallery).reading() as rows:
        return rows.complaints()


def metadata(gallery: Gallery, repair: bool) -> Iterator[Finding]:
    """Metadata that is not JSON; repaired, the text is kept under the key ``damaged``."""
    with rows_of(gallery).reading() as rows:
        found = rows.execute("SELECT id, CAST(metadata AS BLOB) FROM pictures ORDER BY id")
        bad = [(id, text) for id, text in found if not is_object(text)]
    for id, text in bad:
        finding = Finding(
            "bad-metadata",
            f"of the picture with id {id}",
            "--repair keeps the text under the key damaged",
        )
        if repair:
            damaged = (text or b"").decode(errors="backslashreplace")
            with gallery.catalog.writing() as writer:
                writer.update(id, metadata={"damaged": damaged})
            finding = finding._replace(mended="kept under the key damaged")
        yield finding


def is_object(text: bytes | None) -> bool:
    try:
        return isinstance(json.loads(text or b""), dict)
    except ValueError:
        return False


def pictures(gallery: Gallery, repair: bool, progress: Progress) -> Iterator[Finding]:
    """Rows whose file or vector has changed or is damaged."""
    done, total, after = 0, len(gallery), 0
    judge = Judge(gallery.library)
    while page := gallery.page(PAGE, after):
        for picture in page:
            if picture.id <= after:  # a damaged table can be cyclic
                return
            after = picture.id
            yield from bad_file(gallery, picture, judge, repair)
            yield from bad_vector(gallery, picture, repair)
            done += 1
            progress(done, max(done, total))


def bad_file(gallery: Gallery, picture: Picture, judge: Judge, repair: bool) -> Iterator[Finding]:
    """A file that is missing or has other bytes."""
    path = gallery.path(picture)
    problem = file_problem(gallery, picture)
    if problem is None or not unchanged(gallery, picture):
        return
    address = quote(str(gallery.folder))
    if picture.file.stored:
        advice = f"take it from a backup, or: kkcv remove {address} {picture.id}"
    elif problem == "missing-file" and judge.is_doubtful(picture.file.path):
        advice = f"its disk may be elsewhere: kkcv roots {address}"
    elif problem == "missing-file":
        advice = f"kkcv index {address} FOLDER_WHERE_IT_IS, or kkcv remove {address} --missing"
    elif is_readable(path):
        advice = f"kkcv index {address} {quote(str(path))}"
    else:
        advice = f"it cannot be read; restore it, or: kkcv remove {address} {picture.id}"
    mended = stored_again(gallery, picture) if repair and picture.file.stored else ""
    yield Finding(problem, f"{path} (id {picture.id})", advice, mended)


def is_readable(path: Path) -> bool:
    try:
        decode_small(path, 1)
    except PictureError:
        return False
    return True


def file_problem(gallery: Gallery, picture: Picture) -> str | None:
    """The kind of finding, or None. A touched file is fine; stored files are always read."""
    path = gallery.path(picture)
    if (now := status_of(str(path))) is None:
        return "missing-file"
    with gallery.catalog.reading() as rows:
        kept = rows.stamp(picture.id)
    if is_untouched(picture.file, kept, now) and not picture.file.stored:
        return None
    return None if has_hash(path, picture.file.sha256.hex()) else "changed-file"


def unchanged(gallery: Gallery, picture: Picture) -> bool:
    """Whether the row has not changed since it was examined: others may be writing."""
    with gallery.catalog.reading() as rows:
        return rows.picture(picture.id) == picture


def stored_again(gallery: Gallery, picture: Picture) -> str:
    """Restore the bytes from another file that still has them; the bad file is set aside."""
    path, sha256 = gallery.path(picture), picture.file.sha256
    with gallery.catalog.writing() as writer:
        name = sha256.hex()
        for own in (gallery.folder / files.FOLDER / name[:2]).glob(f"{name}*"):
            if own != path and has_hash(own, name):  # the path in the row is damaged
                found = own.relative_to(gallery.folder).as_posix()
                writer.update(picture.id, file=replace(picture.file, path=found))
                return f"found as {own}"
        twins = [gallery.path(p) for p in writer.by_sha256(sha256)]
        for source in (*twins, gallery.folder / ORPHANS / path.name):
            if source != path and has_hash(source, name):
                if path.exists():
                    set_aside(gallery.folder, path)
                make_folder(path.parent)
                with atomic_write(path) as part:
                    shutil.copyfile(source, part)
                return f"copied from {source}"
    return ""


def bad_vector(gallery: Gallery, picture: Picture, repair: bool) -> Iterator[Finding]:
    with gallery.catalog.reading() as rows:
        found = [vector for _, (vector,) in rows.stored_vectors(ids=np.array([picture.id]))]
    whole = gallery.generation.stored_space.dim
    if (found and is_unit(found[0], whole)) or not unchanged(gallery, picture):
        return
    advice, mended = "with its file as it was, --repair embeds it again", ""
    if repair:
        try:
            mended = embedded_again(gallery, picture)
        except KkcvError as error:
            advice = f"it cannot be embedded again: {error}"
    path = gallery.path(picture)
    yield Finding("bad-vector", f"of {path} (id {picture.id})", advice, mended)


def is_unit(row: np.ndarray, whole: int) -> bool:
    """Finite, and the first ``whole`` numbers of length one, or zeros (without any feature)."""
    length = float(np.linalg.norm(row[:whole]))
    return bool(np.isfinite(row).all()) and (abs(length - 1) < 0.01 or length == 0)


def embedded_again(gallery: Gallery, picture: Picture) -> str:
    """Embed the file again, if it still has the indexed bytes."""
    generation = gallery.generation
    vector = generation.embedder.embed_row(gallery.read(picture))
    with generation.catalog.writing() as writer:
        if writer.picture(picture.id) == picture:
            writer.update(picture.id, vector=vector)
    return "embedded again"


def stray_files(gallery: Gallery, repair: bool) -> list[Finding]:
    """Files in the gallery's own folders without a row; they are moved, not deleted."""
    found = []
    rows = rows_of(gallery)
    with rows.reading() if rows.read_only else rows.writing() as now:  # no file is stored meanwhile
        suspected = set(unnamed(gallery, now).values())
    if suspected:  # a removal deletes the row, and the file a moment later
        time.sleep(SETTLING)
    with rows.reading() if rows.read_only else rows.writing() as now:
        for file, identity in unnamed(gallery, now).items() if suspected else ():
            if identity in suspected:
                kind = "unfinished-file" if file.suffix == ".part" else "orphaned-file"
                mended = set_aside(gallery.folder, file) if repair else ""
                found.append(Finding(kind, str(file), "--repair moves it to orphans/", mended))
    return found


def unnamed(gallery: Gallery, rows: Reader) -> dict[Path, tuple[int, int]]:
    """Files without a row, with what tells each from a later file of the same name."""
    pictures = chain(rows.pictures(), rows.kept())
    named = {gallery.path(picture) for picture in pictures if picture.file.stored}
    found = {}
    for file in sorted((gallery.folder / files.FOLDER).rglob("*")):
        if file not in named and file.is_file():
            status = file.stat()
            found[file] = status.st_ino, status.st_mtime_ns
    return found


def set_aside(folder: Path, file: Path) -> str:
    """Move a file to ``orphans/``, without overwriting another."""
    make_folder(folder / ORPHANS)
    target, number = folder / ORPHANS / file.name, 1
    while target.exists():
        target, number = target.with_name(f"{file.name}.{number}"), number + 1
    file.rename(target)
    return f"moved to {target.relative_to(folder)}"


def index(gallery: Gallery, repair: bool) -> list[Finding]:
    """Compare the index on the disk and the one in use with the catalog."""
    found: list[Finding] = []
    for each in indexes_of(gallery):
        found += bad_snapshots(gallery, each, repair)
    advice = "--repair builds it again, so does kkcv tune"
    if counts := wrong_counts(gallery):
        finding = Finding("bad-index", "it holds {} of {} vectors".format(*counts), advice)
    elif gallery.generation.index.wants_rebuild:
        late = sum(index.refreshed().unindexed for index in indexes_of(gallery))
        finding = Finding("stale-index", f"{late} vectors are compared one by one", advice)
    else:
        return found
    if repair:
        gallery.generation.index.rebuild()
        finding = finding._replace(mended="built again")
    return [*found, finding]


def bad_snapshots(gallery: Gallery, index: FolderIndex, repair: bool) -> list[Finding]:
    """Index files that are not used because they are damaged, foreign or unfinished."""
    folder = index.folder
    if not folder.is_dir():
        return []
    good: set[str] = {snapshot.LOCK}
    why: dict[str, str] = {}
    found = []
    catalog = rows_of(gallery)
    turn = snapshot.building(folder, catalog.wait_seconds)
    with nullcontext() if catalog.read_only else turn:
        with catalog.reading() as rows:
            known = index.vouched(rows)
        for file in sorted(folder.glob("*.json")):
            try:
                snapshot.read(file, gallery.space.fingerprint, known)
                good |= {f"{file.stem}.{suffix}" for suffix in snapshot.SUFFIXES}
            except ValueError as error:
                why[file.stem] = f": {error}"
        for file in sorted(folder.iterdir()):
            if file.name not in good:
                kind = "unfinished-file" if file.suffix == ".part" else "bad-index"
                mended = set_aside(gallery.folder, file) if repair else ""
                reason = why.get(file.stem, "")
                advice = "--repair moves it to orphans/; the gallery answers without it"
                found.append(Finding(kind, f"{file}{reason}", advice, mended))
    return found


def wrong_counts(gallery: Gallery) -> tuple[int, int] | None:
    """The numbers of vectors in the index and in the catalog, if they differ."""
    indexes = indexes_of(gallery)
    with rows_of(gallery).reading(frozen=True) as rows:
        intact = sum(len(ids) for ids, _ in rows.stored_vectors())
        usable = intact * sum(index.entries.each for index in indexes)
        held, seen = sum(len(index.refreshed()) for index in indexes), rows.sequence()
    with rows_of(gallery).reading() as rows:
        if rows.sequence() != seen:  # others are writing: nothing can be said
            return None
    return None if held == usable else (held, usable)
