"""Backup of a gallery into one file, while it is in use, and restoring it.

The file is an uncompressed zip with the layout of the gallery: ``catalog.sqlite`` of one instant,
and the pictures that the gallery stores itself. The index is left out: it can be rebuilt.
"""

import logging
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from errno import EIO, ENOSPC
from os import PathLike
from pathlib import Path

import apsw

from kkcv.disk import absolute, atomic_folder, atomic_write, has_hash, not_written
from kkcv.errors import GalleryError, NotAGallery, RequestError
from kkcv.search.engines import engine_at
from kkcv.search.files import STORED
from kkcv.search.folder.catalog import FILE, Catalog
from kkcv.search.folder.engine import FolderEngine, in_a_folder
from kkcv.search.folder.reader import Reader
from kkcv.search.gallery import Gallery
from kkcv.search.picture import END_OF_TIME, Picture

INT8 = re.compile(r"int8/[0-9a-f]{16}/(model\.xml|model\.bin|reference\.npz|meta\.json)")
# SQLite may say "not an error" of these
NUMBERS: dict[type[Exception], int] = {apsw.FullError: ENOSPC, apsw.IOError: EIO}
NO_ZIP = "File is not a zip file"  # a message of zipfile
log = logging.getLogger(__name__)


def backup(gallery: Gallery, file: str | PathLike[str]) -> int:
    """Write the gallery into one file, complete or not at all; the number of pictures.

    Pictures removed meanwhile are in it with their file or not at all. Raises GalleryError if the
    file exists or cannot be written.
    """
    target, catalog = absolute(file), in_a_folder(gallery.catalog, "kkcv backup")
    if os.path.exists(target):
        raise GalleryError(f"{target} is there already; name a new file")
    try:
        with (
            atomic_write(target) as part,
            tempfile.TemporaryDirectory(dir=target.parent, prefix=".kkcv-") as scratch,
        ):
            with catalog.reading() as rows:
                try:
                    rows.copy_to(Path(scratch) / FILE)
                except (apsw.FullError, apsw.IOError, apsw.CantOpenError) as error:
                    raise unwritable(target, error) from None  # the copy's error, not the gallery's
            copy = Catalog(Path(scratch))
            with copy.writing() as writer:
                writer.forget()  # the files that an undo needs are in no backup
            with zipfile.ZipFile(part, "w", strict_timestamps=False) as out:
                write_pictures(gallery, copy, out)
                # the network of its vectors: without it no query can be embedded
                for path in sorted(gallery.folder.glob("int8/*/*")):
                    write(out, path, path.relative_to(gallery.folder).as_posix())
                with copy.reading() as rows:
                    count = rows.count()
                copy.close()
                out.write(copy.file, FILE)  # last: the pictures that had gone are no longer in it
    except GalleryError as error:  # of the copy: name the target in its place
        own = str(Path(scratch) / FILE)
        raise type(error)(str(error).replace(own, str(target))) from None
    except (OSError, apsw.Error) as error:
        raise unwritable(target, error) from None
    return count


def write_pictures(gallery: Gallery, copy: Catalog, out: zipfile.ZipFile) -> None:
    """Write the files of a copied catalog; pictures removed meanwhile are dropped from the copy."""
    gone, written = [], set()
    with copy.reading() as rows:
        for picture in rows.pictures():
            path = gallery.path(picture)
            if not picture.file.stored or picture.file.path in written:
                continue
            if has_hash(path, picture.file.sha256.hex()) and write(out, path, picture.file.path):
                written.add(picture.file.path)
            elif removed(gallery, picture):
                gone.append(picture.id)
            else:
                log.warning("%s is missing or damaged: the backup has its row only", path)
    if gone:
        with copy.writing() as writer:
            for id in gone:
                writer.remove(id)


def write(out: zipfile.ZipFile, path: Path, name: str) -> bool:
    try:
        out.write(path, name)
    except FileNotFoundError:
        return False
    return True


def removed(gallery: Gallery, picture: Picture) -> bool:
    with gallery.catalog.reading() as rows:
        return rows.picture(picture.id) is None


def restore(file: str | PathLike[str], folder: str | PathLike[str]) -> Gallery:
    """Restore a backup into a new folder, complete or not at all.

    Raises:
        NotAGallery: the file is not a backup, or is damaged.
        GalleryError: the folder is in use or cannot be written.
        RequestError: the address is not a folder.
    """
    if engine_at(folder) is not FolderEngine:
        raise RequestError(f"kkcv restore is for galleries in folders, and {folder} is not one")
    source, target = absolute(file), absolute(folder)
    if os.path.exists(target) and (not target.is_dir() or any(target.iterdir())):
        raise GalleryError(f"{target} is there already; name a new folder")
    if os.path.isdir(source):
        raise NotAGallery(f"{source} is a folder; a backup is one file")
    if not os.path.isfile(source):
        raise NotAGallery(f"{source}: there is no such file")
    try:
        with atomic_folder(target) as made:
            unpack(source, made)
    except OSError as error:
        raise unwritable(target, error) from None
    return Gallery(target)


def unpack(source: Path, folder: Path) -> None:
    """Unpack and check all files of a backup (NotAGallery)."""
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            # stored, nothing grows: an archive that would fill the disk is none of kkcv
            if sum(entry.file_size for entry in entries) > source.stat().st_size:
                raise ValueError("it holds more than its size")
            for entry in entries:
                extract(archive, entry, folder)
    # the exceptions of zipfile for other or damaged files
    except (zipfile.BadZipFile, ValueError, EOFError, RuntimeError, zlib.error) as error:
        why = "it does not end as a backup does" if str(error) == NO_ZIP else error
        raise NotAGallery(
            f"{source} is not a backup of a gallery, or damaged: {why}; to save what is left, "
            "unpack it with any program for zip files and run kkcv doctor on the folder"
        ) from None
    if not (folder / FILE).is_file():
        raise NotAGallery(f"{source} is not a backup of a gallery: it holds no {FILE}")
    try:
        catalog = Catalog(folder)
        with catalog.reading() as rows:
            problem = problem_of(rows)
        catalog.close()
    except GalleryError as error:
        raise type(error)(str(error).replace(str(folder), str(source))) from None
    if problem:
        raise NotAGallery(f"{source} is not a backup of a gallery, or damaged: {problem}")


def problem_of(rows: Reader) -> str | None:
    """Why a catalog from elsewhere is refused: damage, programs, paths outside the gallery."""
    if complaints := rows.complaints():
        return complaints[0]
    programs = "SELECT type || ' ' || name FROM sqlite_schema WHERE type IN ('trigger', 'view')"
    for (program,) in rows.execute(programs):
        return f"it holds the {program}"
    for picture in rows.pictures():
        if picture.file.stored and not STORED.fullmatch(picture.file.path):
            return f"it names {picture.file.path!r} as its own"
        if wrong := fault_of(picture):
            return f"the picture with id {picture.id} {wrong}"
    return None


def fault_of(picture: Picture) -> str | None:
    """Why a row from outside is refused that no request could have written."""
    path = picture.file.path
    if not picture.file.stored and (not os.path.isabs(path) or os.path.normpath(path) != path):
        return f"has the path {path!r:.200}"
    if not 0 <= picture.added_seconds < END_OF_TIME:
        return "has a time that no date can show"
    if picture.id < 1 or picture.file.bytes < 0 or len(picture.file.sha256) != 32:
        return "has a number that none can have"
    return None


def extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    """Write one file; only names that a backup can have are accepted (ValueError)."""
    name = STORED.fullmatch(entry.filename)
    known = name is not None or INT8.fullmatch(entry.filename) or entry.filename == FILE
    if not known:
        raise ValueError(f"it holds {entry.filename!r}")
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{entry.filename} is compressed")
    path = folder / entry.filename
    if path.exists():
        raise ValueError(f"it holds {entry.filename} twice")
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(entry) as packed, path.open("xb") as out:
        shutil.copyfileobj(packed, out)
    if name is not None and not has_hash(path, name[2]):
        raise ValueError(f"{entry.filename} is damaged")


def unwritable(target: Path, error: Exception) -> GalleryError:
    if number := NUMBERS.get(type(error)):
        error = OSError(number, os.strerror(number))
    return GalleryError(not_written(target, error))
