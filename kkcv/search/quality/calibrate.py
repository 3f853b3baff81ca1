"""What cut-offs by chance keep: the gallery's calibration, and sure matches that it is tried on.

Chance says how often unrelated pictures are let through. How many matches are lost is measured
with matches that are sure: disturbed copies of the gallery's own pictures (images/disturb.py).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kkcv.embedding.pipeline import ahead
from kkcv.errors import GalleryError, PictureError, RequestError
from kkcv.search.chance.model import FEWEST, Calibration
from kkcv.search.gallery import Gallery

from .selfcheck import CHUNK, disturbed, sampled

RATES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
SAMPLE = 50


class CutOff(NamedTuple):
    """At a rate of false matches: the ``score`` that it takes, how many unrelated pictures of
    this gallery a search lets through on average (``mistakes``), and the share of sure matches
    that is ``kept``.
    """

    rate: float
    score: float
    mistakes: float
    kept: float


class Calibrated(NamedTuple):
    """``copies`` are the disturbed copies that were scored."""

    calibration: Calibration
    copies: int
    cut_offs: list[CutOff]


def calibrate(
    gallery: Gallery,
    sample: int = SAMPLE,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Calibrated:
    """Measure anew what the gallery's scores mean, and try cut-offs on disturbed copies.

    ``progress`` is told the pictures done and in all.

    Raises RequestError for a gallery that is too small, GalleryError when no picture can be read.
    """
    generation = gallery.generation
    with generation.catalog.reading() as rows:
        pictures = rows.count()
        calibration = generation.calibration.measure(rows, pictures)
    if calibration is None:
        raise RequestError(f"{gallery.address} has {pictures} pictures; it takes {FEWEST}")
    scores = sure_scores(gallery, sample, progress)
    cut_offs = []
    for rate in RATES:
        if rate >= calibration.least:
            score = calibration.cut(rate)
            cut_offs.append(CutOff(rate, score, rate * pictures, float((scores >= score).mean())))
    return Calibrated(calibration, len(scores), cut_offs)


def sure_scores(gallery: Gallery, sample: int, progress: Callable[[int, int], None]) -> np.ndarray:
    """Of each disturbed copy with its original: float32 (N,) (GalleryError)."""
    chosen = sampled(gallery, sample)
    generation, embedder, done = gallery.generation, gallery.embedder, 0
    scores: list[np.ndarray] = []
    for start in range(0, len(chosen), CHUNK):
        for picture, copies in ahead(disturbed(gallery), chosen[start : start + CHUNK]):
            done += 1
            if not isinstance(copies, PictureError):
                with generation.catalog.reading() as rows:
                    vector = rows.vector(picture.id)
                if vector is not None:
                    scores.append(generation.projected(embedder.embed_crops(copies)) @ vector)
            progress(done, len(chosen))
    if not scores:
        raise GalleryError(f"{gallery.address} has no picture that can be read")
    return np.concatenate(scores)
