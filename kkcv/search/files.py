"""The files of a gallery's pictures: anywhere on this machine, or in the gallery's own folder."""

import hashlib
import logging
import os
import re
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from kkcv.answering import answers
from kkcv.disk import sync_folder, write_file
from kkcv.errors import FileMissing, GalleryError, PictureError
from kkcv.images.formats import extension
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.images.source import read_bytes

from .engine import Catalog, Writer
from .engine.kept import Kept
from .picture import Picture, PictureFile
from .verification.store import delete_features, has_features

FOLDER = "pictures"  # of the pictures that were added as bytes
log = logging.getLogger(__name__)


STORED = re.compile(r"pictures/([0-9a-f]{2})/(\1[0-9a-f]{62})(\.[a-z0-9]{1,9})?")


def is_own_name(path: str, sha256: bytes) -> bool:
    """Whether a gallery would keep these bytes at this path in its folder."""
    name = STORED.fullmatch(path)
    return name is not None and name[2] == sha256.hex()


def as_stored(folder: Path, file: PictureFile) -> PictureFile:
    """The file of an absolute path; by its path in the gallery if it lies there."""
    if not file.path.startswith(f"{folder}{os.sep}"):
        return file
    path = Path(file.path).relative_to(folder).as_posix()
    return PictureFile(path, True, file.sha256, file.bytes, file.mtime_ns)


def read(path: Path, picture: Picture, asked: str) -> bytes:
    """The bytes of a picture, whose file is at ``path``, as they were indexed (FileMissing).

    The folder ``asked`` is asked first: on a dead mount it costs seconds, once for all files. The
    file may since have become a link to something private: bytes with another hash are never
    returned. The limit on bytes is that of ``Limits``, or more where more were indexed.
    """
    most = max(DEFAULT_LIMITS.max_bytes, picture.file.bytes)
    try:
        if answers(asked):
            answers(str(path))  # if either is silent, read_bytes says so
        data = read_bytes(path, Limits(max_bytes=most))
    except PictureError as error:
        if error.reason == "unreadable":  # which is no reason to remove it
            raise FileMissing(
                f"the file of picture {picture.id} cannot be read now: its disk does not answer, "
                "or you may not read it"
            ) from None
        data = b""
    if hashlib.sha256(data).digest() != picture.file.sha256:
        raise FileMissing(
            f"the file of picture {picture.id} has gone or changed since it was indexed; "
            "index its folder again, or remove the picture"
        )
    return data


def store(folder: Path, data: bytes, sha256: bytes) -> PictureFile:
    """Write bytes under their hash, on the disk before the catalog names them (GalleryError)."""
    name = sha256.hex()
    relative = Path(FOLDER, name[:2], name + extension(data))
    file = folder / relative
    try:
        for each in (file.parent.parent, file.parent):
            each.mkdir(exist_ok=True)  # in the gallery, which is never made again where it was
            sync_folder(each.parent)
        write_file(file, data)
    except OSError as error:
        raise GalleryError(
            f"{file} cannot be written ({error.strerror}); this change was not made: "
            "look for free space and permissions"
        ) from None
    return PictureFile(relative.as_posix(), True, sha256, len(data), file.stat().st_mtime_ns)


def keep(
    writer: Writer, what: str, ids: Collection[int], roots: Iterable[dict[str, Any]] = ()
) -> list[Picture]:
    """Keep the rows, if there are any, for an undo of what is about to be done to them.

    Returns the pictures that were kept before: their files may be deleted once this is committed.
    """
    if not ids:
        return []
    before = list(writer.kept())
    record = Kept(what, time.time(), writer.epoch, tuple(roots))
    return before if writer.keep(record, ids) else []


def delete_stored(catalog: Catalog, gone: Iterable[Picture]) -> None:
    """Delete what was kept of pictures that are no longer in the catalog.

    Files that an undo needs stay. What the disk refuses to delete is an orphan, which kkcv doctor
    finds.
    """
    gone = list(gone)
    try:
        delete_unused_features(catalog, {picture.file.sha256 for picture in gone})
        if stored := [picture for picture in gone if picture.file.stored]:
            with catalog.writing() as writer:  # files are stored in a turn too
                needed = {picture.file.path for picture in writer.kept()}
                stored = [picture for picture in stored if picture.file.path not in needed]
                for picture in stored:
                    file = catalog.folder / picture.file.path
                    if writer.by_path(picture.file.path) is None and file.exists():
                        file.unlink()
                        sync_folder(file.parent)
    except OSError as error:
        log.warning("a removed picture's file was not deleted (%s): kkcv doctor", error)


def delete_unused_features(catalog: Catalog, hashes: Iterable[bytes]) -> None:
    """Delete the local features of bytes that no picture has any more."""
    if made := [sha256 for sha256 in hashes if has_features(catalog.folder, sha256)]:
        with catalog.reading() as rows:
            for sha256 in made:
                if not rows.by_sha256(sha256, 1):
                    delete_features(catalog.folder, sha256)
