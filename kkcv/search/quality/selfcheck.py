"""How often a gallery finds the original of a disturbed copy of its own pictures."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kkcv.embedding.pipeline import ahead
from kkcv.errors import GalleryError, KkcvError, PictureError
from kkcv.images.decode import decode
from kkcv.images.disturb import DISTURBANCES
from kkcv.search.gallery import Gallery
from kkcv.search.picture import Picture

SAMPLE = 100
CHUNK = 8  # pictures whose copies are in memory at once
TOP = 5


class Row(NamedTuple):
    """One disturbance: the share of originals that came first, and among the first five."""

    disturbance: str
    strength: str
    first: float
    top5: float


class SelfCheck(NamedTuple):
    """Measured on ``pictures`` of the gallery; ``left_out`` had an unreadable file."""

    pictures: int
    left_out: int
    rows: list[Row]


def selfcheck(
    gallery: Gallery,
    sample: int = SAMPLE,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> SelfCheck:
    """Search with disturbed copies of a sample of the pictures. Nothing is changed.

    The sample is the same each time. Pictures with the same bytes count as the original.
    ``progress`` is called with the numbers of pictures done and of all. Raises GalleryError if no
    picture can be read.
    """
    chosen = sampled(gallery, sample)
    ranks: list[list[int]] = []
    left_out = 0
    for start in range(0, len(chosen), CHUNK):
        for picture, copies in ahead(disturbed(gallery), chosen[start : start + CHUNK]):
            if isinstance(copies, PictureError):
                left_out += 1
            else:
                ranks.append(ranks_of(gallery, picture, copies))
            progress(len(ranks) + left_out, len(chosen))
    if not ranks:
        raise GalleryError(f"{gallery.address} has no picture that can be read")
    found = np.array(ranks)
    rows = [
        Row(d.name, d.strength, float((column == 0).mean()), float((column < TOP).mean()))
        for d, column in zip(DISTURBANCES, found.T, strict=True)
    ]
    return SelfCheck(len(ranks), left_out, rows)


def sampled(gallery: Gallery, sample: int) -> list[Picture]:
    """Random pictures, the same each time."""
    with gallery.catalog.reading() as rows:
        chosen = np.random.default_rng(0).permutation(rows.ids())[:sample]
        return list(rows.pictures(chosen))


def disturbed(gallery: Gallery) -> Callable[[Picture], list[np.ndarray]]:
    """A function that makes the crops of all copies of a picture: uint8 (H, W, C) each."""
    embedder = gallery.embedder
    target = embedder.checkpoint.preprocess.target

    def copies(picture: Picture) -> list[np.ndarray]:
        try:
            pixels = decode(gallery.read(picture), target=target)
        except PictureError:
            raise
        except KkcvError as error:  # the file has gone or changed
            raise PictureError(str(error), "unreadable") from None
        return [embedder.crop(disturb(pixels)) for disturb in DISTURBANCES]

    return copies


def ranks_of(gallery: Gallery, picture: Picture, copies: list[np.ndarray]) -> list[int]:
    """The rank of each copy's original, from 0; TOP if it is not among the first."""
    with gallery.catalog.reading() as rows:
        own = {twin.id for twin in rows.by_sha256(picture.file.sha256)}
    generation = gallery.generation
    vectors = generation.projected(generation.embedder.embed_crops(copies))
    answers = gallery.search_vectors(vectors, TOP)
    return [
        next((place for place, hit in enumerate(hits) if hit.id in own), TOP) for hits in answers
    ]
