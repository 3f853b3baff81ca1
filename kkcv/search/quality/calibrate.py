"""The price of a cut-off by chance: the gallery's calibration, tried on certain matches.

Chance says how many unrelated pictures pass a cut-off. How many matches it loses is measured with
certain matches: disturbed copies of the gallery's own pictures (images/disturb.py).
"""

from typing import NamedTuple

import numpy as np

from kkcv.errors import GalleryError, PictureError, RequestError
from kkcv.search.chance.model import FEWEST, Calibration
from kkcv.search.gallery import Gallery
from kkcv.timing import Progress, no_progress

from .selfcheck import disturbed

# those are tried that the pairs of the gallery can show
RATES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
SAMPLE = 50  # pictures, each with all its disturbed copies: over a thousand scores


class CutOff(NamedTuple):
    """For a rate of false matches: the lowest ``score``, the average number of unrelated pictures
    that pass in a search of this gallery (``mistakes``), and the share of matches ``kept``.
    """

    rate: float
    score: float
    mistakes: float
    kept: float


class Calibrated(NamedTuple):
    """``copies`` is the number of disturbed copies."""

    calibration: Calibration
    copies: int
    cut_offs: list[CutOff]


def calibrate(
    gallery: Gallery, sample: int = SAMPLE, *, progress: Progress = no_progress
) -> Calibrated:
    """Calibrate the gallery again, and try cut-offs on disturbed copies.

    ``progress`` is called with the numbers of pictures done and of all. Raises RequestError if the
    gallery is too small, GalleryError if no picture can be read.
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
        if rate >= calibration.least:  # the gallery's pairs cannot show what is rarer
            score = calibration.cut(rate)
            cut_offs.append(CutOff(rate, score, rate * pictures, float((scores >= score).mean())))
    return Calibrated(calibration, len(scores), cut_offs)


def sure_scores(gallery: Gallery, sample: int, progress: Progress) -> np.ndarray:
    """The score of each disturbed copy with its original: float32 (N,) (GalleryError)."""
    scores: list[np.ndarray] = []
    for picture, copies in disturbed(gallery, sample, progress):
        if not isinstance(copies, PictureError):
            with gallery.catalog.reading() as rows:
                vector = rows.vector(picture.id)
            if vector is not None:
                scores.append(copies @ vector)
    if not scores:
        raise GalleryError(f"{gallery.address} has no picture that can be read")
    return np.concatenate(scores)
