"""How often a gallery finds the original of a disturbed copy of its own pictures."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from kkcv.embedding.pipeline import ahead
from kkcv.errors import GalleryError, PictureError
from kkcv.hit import Hit
from kkcv.images.decode import decode
from kkcv.images.disturb import COPIES, DISTURBANCES, PASTED, Disturbance, pasted_into
from kkcv.search.gallery import Gallery
from kkcv.search.picture import Picture, read_in_batch
from kkcv.timing import Progress, no_progress

SAMPLE = 100  # pictures; each is disturbed in every way and strength
CHUNK = 8  # pictures whose copies are in memory at once
TOP = 5  # hits: a person looks at so many
CLOSER = 4  # times the pixels that the network sees: some copies are a third of a side


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
    copies: bool = False,
    progress: Progress = no_progress,
) -> SelfCheck:
    """Search with disturbed copies of a sample of the pictures. Nothing is changed.

    The sample is the same each time. Pictures with the same bytes count as the original. With
    ``copies`` each search is one for copies. ``progress`` is called with the numbers of pictures
    done and of all. Raises GalleryError if no picture can be read.
    """
    ranks: list[list[int]] = []
    chosen = sampled(gallery, sample)
    into = dict(zip([p.id for p in chosen], [*chosen[1:], *chosen[:1]], strict=True))

    def disturb(picture: Picture) -> list[np.ndarray]:
        pixels = pixels_of(gallery, picture)
        try:
            other = pixels_of(gallery, into[picture.id])
        except PictureError:
            other = np.full_like(pixels, 128)  # grey in place of one that cannot be read
        pasted = Disturbance(*PASTED, pasted_into(Image.fromarray(other)))
        return [each(pixels) for each in (*DISTURBANCES, *COPIES, pasted)]

    for picture, disturbed in some_at_a_time(disturb, chosen, progress):
        if not isinstance(disturbed, PictureError):
            answers = searched(gallery, disturbed, copies)
            ranks.append(ranks_of(gallery, picture, into[picture.id], answers))
    if not ranks:
        raise GalleryError(f"{gallery.address} has no picture that can be read")
    kinds = [*((each.name, each.strength) for each in (*DISTURBANCES, *COPIES)), PASTED]
    rows = [
        Row(name, strength, float((column == 0).mean()), float((column < TOP).mean()))
        for (name, strength), column in zip(kinds, np.array(ranks).T, strict=True)
    ]
    return SelfCheck(len(ranks), len(chosen) - len(ranks), rows)


def pixels_of(gallery: Gallery, picture: Picture) -> np.ndarray:
    """Large enough for a part of a picture to be seen (PictureError)."""
    target = CLOSER * gallery.generation.embedder.checkpoint.preprocess.target
    return decode(read_in_batch(gallery, picture), target=target)


def searched(gallery: Gallery, disturbed: list[np.ndarray], copies: bool) -> list[Sequence[Hit]]:
    """The first hits of each, one more than TOP."""
    if copies:
        return [gallery.search(pixels, TOP + 1, copies=True) for pixels in disturbed]
    generation = gallery.generation
    vectors = generation.projected(generation.embedder.embed(disturbed))
    return list(gallery.search_vectors(vectors, TOP + 1))


def ranks_of(
    gallery: Gallery, picture: Picture, other: Picture, answers: list[Sequence[Hit]]
) -> list[int]:
    """The rank of the original for each copy, from 0; TOP if it is not among the first.

    The last copy is pasted into the other picture, which is right to be found too: it is left out.
    """
    with gallery.catalog.reading() as rows:
        own, into = (
            {same.id for same in rows.by_sha256(each.file.sha256)} for each in (picture, other)
        )
    found = [[hit.id for hit in hits] for hits in answers]
    found[-1] = [id for id in found[-1] if id in own or id not in into]
    return [next((place for place, id in enumerate(ids[:TOP]) if id in own), TOP) for ids in found]


def sampled(gallery: Gallery, sample: int) -> list[Picture]:
    """Random pictures, the same each time."""
    with gallery.catalog.reading() as rows:
        # the same ones, so that two runs can be compared
        chosen = np.random.default_rng(0).permutation(rows.ids())[:sample]
        return list(rows.pictures(chosen))


def disturbed(
    gallery: Gallery, sample: int, progress: Progress
) -> Iterator[tuple[Picture, np.ndarray | PictureError]]:
    """A sample of the pictures, each with the vectors of its disturbed copies, float32 (N, D)."""
    generation, chosen = gallery.generation, sampled(gallery, sample)
    embedder = generation.embedder
    target = embedder.checkpoint.preprocess.target

    def crops(picture: Picture) -> list[np.ndarray]:
        pixels = decode(read_in_batch(gallery, picture), target=target)
        return [embedder.crop(disturb(pixels)) for disturb in DISTURBANCES]

    for picture, copies in some_at_a_time(crops, chosen, progress):
        if isinstance(copies, PictureError):
            yield picture, copies
        else:
            yield picture, generation.projected(embedder.embed_crops(copies))


def some_at_a_time(
    function: Callable[[Picture], list[np.ndarray]], chosen: list[Picture], progress: Progress
) -> Iterator[tuple[Picture, list[np.ndarray] | PictureError]]:
    """As ``ahead``, with the copies of at most CHUNK pictures in memory."""
    for start in range(0, len(chosen), CHUNK):
        part = ahead(function, chosen[start : start + CHUNK])
        for done, found in enumerate(part, start + 1):
            yield found
            progress(done, len(chosen))
