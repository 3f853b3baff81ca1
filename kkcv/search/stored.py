"""The files that a gallery keeps itself, of pictures that were added as bytes."""

import logging
from collections.abc import Iterable
from pathlib import Path

from kkcv.disk import sync_folder, write_file
from kkcv.errors import GalleryError
from kkcv.images.formats import extension

from .engine import Catalog
from .picture import Picture, PictureFile
from .verification.store import delete_features

FOLDER = "pictures"
log = logging.getLogger(__name__)


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
            f"{file} cannot be written ({error.strerror}); nothing was changed: "
            "look for free space and permissions"
        ) from None
    return PictureFile(relative.as_posix(), True, sha256, len(data), file.stat().st_mtime_ns)


def delete_stored(catalog: Catalog, gone: Iterable[Picture]) -> None:
    """Delete what was kept of pictures that are no longer in the catalog.

    What the disk refuses to delete is an orphan, which kkcv doctor finds.
    """
    gone = list(gone)
    try:
        for picture in gone:
            delete_features(catalog.folder, picture.file.sha256)
        if stored := [picture for picture in gone if picture.file.stored]:
            with catalog.writing() as writer:  # files are stored in a turn too
                for picture in stored:
                    file = catalog.folder / picture.file.path
                    if writer.by_path(picture.file.path) is None and file.exists():
                        file.unlink()
                        sync_folder(file.parent)
    except OSError as error:
        log.warning("a removed picture's file was not deleted (%s): kkcv doctor", error)
