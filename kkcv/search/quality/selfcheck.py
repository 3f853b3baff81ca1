"""How often a gallery finds the original of a disturbed copy of its own pictures."""

from collections.abc import Callable, Iterator
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
    ranks: list[list[int]] = []
    left_out = 0
    for picture, copies in disturbed(gallery, sample, progress):
        if isinstance(copies, PictureError):
            left_out += 1
        else:
            ranks.append(ranks_of(gallery, picture, copies))
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


def disturbed(
    gallery: Gallery, sample: int, progress: Callable[[int, int], None]
) -> Iterator[tuple[Picture, np.ndarray | PictureError]]:
    """A sample of the pictures, each with the vectors of its disturbed copies, float32 (N, D)."""
    generation, chosen = gallery.generation, sampled(gallery, sample)
    embedder = generation.embedder
    target = embedder.checkpoint.preprocess.target

    def crops(picture: Picture) -> list[np.ndarray]:
        try:
            pixels = decode(gallery.read(picture), target=target)
        except PictureError:
            raise
        except KkcvError as error:  # the file has gone or changed
            raise PictureError(str(error), "unreadable") from None
        return [embedder.crop(disturb(pixels)) for disturb in DISTURBANCES]

    for start in range(0, len(chosen), CHUNK):
        part = ahead(crops, chosen[start : start + CHUNK])
        for done, (picture, copies) in enumerate(part, start + 1):
            if isinstance(copies, PictureError):
                yield picture, copies
            else:
                yield picture, generation.projected(embedder.embed_crops(copies))
            progress(done, len(chosen))


def ranks_of(gallery: Gallery, picture: Picture, copies: np.ndarray) -> list[int]:
    """The rank of the original for each copy, from 0; TOP if it is not among the first."""
    with gallery.catalog.reading() as rows:
        own = {same.id for same in rows.by_sha256(picture.file.sha256)}
    answers = gallery.search_vectors(copies, TOP)
    return [
        next((place for place, hit in enumerate(hits) if hit.id in own), TOP) for hits in answers
    ]
