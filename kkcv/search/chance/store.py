"""The calibration beside the gallery: chance.json, derived, measured again when outdated."""

import json
import logging
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kkcv.disk import write_file
from kkcv.search.engine import Reader
from kkcv.search.picture import Picture

from .model import FEWEST, Calibration, calibrated

FILE = "chance.json"
SAMPLE = 1500  # pictures, with more than a million pairs
FEW = 128  # pictures that a query is compared with
MOST_DRAWS = 100_000
GROWN = 0.2  # the share by which the gallery may grow or shrink before it is measured again
PATIENCE_SECONDS = 1.0  # until the pictures are counted again
log = logging.getLogger(__name__)


class CalibrationStore:
    """The current calibration of a gallery. Safe to use from several threads."""

    def __init__(self, folder: Path, space: str) -> None:
        self._file = folder / FILE
        self._space = space
        self._calibration: Calibration | None = None
        self._few: tuple[Calibration, np.ndarray] | None = None
        self._good_until = 0.0
        self._measuring = threading.Lock()

    def get(self, rows: Reader) -> Calibration | None:
        """The calibration of the gallery as it is now; None if it has too few pictures."""
        if time.monotonic() < self._good_until:
            return self._calibration
        pictures = rows.count()
        if pictures < FEWEST:
            return None
        with self._measuring:
            found = self._calibration or self._read()
            if found is None or not self.fits(found, pictures):
                found = self.measure(rows, pictures)
            self._calibration = found
            self._good_until = time.monotonic() + PATIENCE_SECONDS
        return found

    def few(self, rows: Reader, calibration: Calibration) -> np.ndarray:
        """Vectors of some random pictures to compare queries with, float32 (D, S).

        They are kept as long as the calibration.
        """
        kept = self._few
        if kept is None or kept[0] is not calibration:
            small, pictures = calibration.pictures <= SAMPLE, calibration.pictures
            some = rows.ids() if small else [each.id for each in chosen(rows, pictures, FEW)]
            vectors = rows.vectors_of(np.random.default_rng(0).permutation(some)[:FEW])
            self._few = kept = calibration, np.ascontiguousarray(vectors.T)
        return kept[1]

    def fits(self, found: Calibration, pictures: int) -> bool:
        """Whether it was measured with this network and at about this size."""
        close = abs(pictures - found.pictures) <= GROWN * found.pictures
        return close and found.space == self._space

    def measure(self, rows: Reader, pictures: int) -> Calibration | None:
        """Compare a sample of the pictures with each other, and store the result."""
        if rows.superseded():  # the vectors are already another network's
            return None
        found = calibrated(self._space, pictures, *sample(rows, pictures))
        if found is not None:
            try:
                write_file(self._file, json.dumps(found.to_dict()))
            except OSError as error:  # the next process measures again
                log.info("%s cannot be written (%s)", self._file, error.strerror)
        return found

    def _read(self) -> Calibration | None:
        try:
            return Calibration.from_dict(json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None


def sample(rows: Reader, pictures: int) -> tuple[np.ndarray, list[str] | None]:
    """Vectors of random pictures, float32 (N, D), and their labels if all of them have one.

    Of pictures with the same bytes only one is taken. The choice is the same every time.
    """
    by_bytes = {picture.file.sha256: picture for picture in chosen(rows, pictures, SAMPLE)}
    vectors = rows.vectors_of(np.array([p.id for p in by_bytes.values()], np.int64))
    good = np.linalg.norm(vectors, axis=1) > 0
    labels = [picture.metadata.get("label") for picture in by_bytes.values()]
    known = [str(label) for label, kept in zip(labels, good, strict=True) if kept and label]
    return vectors[good], known if len(known) == good.sum() else None


def chosen(rows: Reader, pictures: int, wanted: int) -> Iterable[Picture]:
    """All pictures of a small gallery; of a large one about so many with random ids."""
    if pictures <= SAMPLE:
        return rows.pictures()
    return rows.pictures(random_ids(rows, pictures, wanted).tolist())


def random_ids(rows: Reader, pictures: int, wanted: int) -> np.ndarray:
    """About so many different ids, the same every time; some may be of removed pictures."""
    (newest,) = rows.page(1, None, True)
    draws = min(wanted * newest.id // pictures, MOST_DRAWS)
    return np.unique(np.random.default_rng(0).integers(1, newest.id + 1, draws))
