"""The local features of all pictures, made ahead of the searches that need them.

A gallery remembers that it wants them: from then on a picture that is added gets them at once, and
files that were imported with the next ``kkcv index``.
"""

from contextlib import suppress
from typing import Protocol

from kkcv.embedding.pipeline import ahead
from kkcv.errors import PictureError
from kkcv.images.limits import Limits
from kkcv.search.engine import Catalog
from kkcv.search.picture import Picture, Pictures, read_in_batch
from kkcv.timing import Progress, no_progress

from .features import features_of
from .store import file_of, write_features

SETTING = "local_features"  # of the catalog


class Gallery(Pictures, Protocol):
    """The part of a gallery that is used here."""

    @property
    def catalog(self) -> Catalog: ...


def are_wanted(catalog: Catalog) -> bool:
    with catalog.reading() as rows:
        return bool(rows.setting(SETTING))


def want(catalog: Catalog) -> None:
    """From now on, in all processes."""
    with catalog.writing() as writer:
        writer.set(SETTING, "1")


def make_missing(gallery: Gallery, progress: Progress = no_progress) -> int:
    """Make the features that are not stored yet; how many there were.

    Pictures whose file has gone or cannot be read are passed over. ``progress`` is called with the
    numbers of pictures done and of all.
    """
    with gallery.catalog.reading() as rows:
        by_bytes = {picture.file.sha256: picture for picture in rows.pictures()}
    missing = [
        picture
        for sha256, picture in by_bytes.items()
        if not file_of(gallery.folder, sha256).exists()
    ]

    def make(picture: Picture) -> None:
        features = features_of(read_in_batch(gallery, picture))
        write_features(gallery.folder, picture.file.sha256, features)

    made = 0
    for done, (_, failed) in enumerate(ahead(make, missing), 1):
        made += failed is None
        progress(done, len(missing))
    return made


def made_of(gallery: Gallery, data: bytes, sha256: bytes, limits: Limits) -> None:
    """Make the features of one new picture ahead of searches, if the gallery wants them."""
    if are_wanted(gallery.catalog):
        # a request has decoded its share: the picture is added, and a search makes them later
        with suppress(PictureError):
            write_features(gallery.folder, sha256, features_of(data, limits))
