"""The recall of the live index, measured regularly on pictures of the gallery."""

import logging
import math
import threading
from collections.abc import Callable

import numpy as np

from kkcv.errors import KkcvError
from kkcv.search.engine import Index, Reader
from kkcv.search.gallery import Gallery

QUERIES, K = 16, 10  # few: they are compared with every vector, beside the requests
SAME = 1e-5  # scores this close count as equal
MOST = 1_000_000  # vectors; comparing with more would take over a few seconds
log = logging.getLogger(__name__)


class RecallCheck:
    """Measures recall@10 of the live index every ``seconds`` and passes it to ``tell``."""

    def __init__(self, gallery: Gallery, seconds: int, tell: Callable[[float], None]) -> None:
        self._gallery = gallery
        self._seconds = seconds
        self._tell = tell
        self._stopped = threading.Event()

    def start(self) -> None:
        """Start the thread that measures, unless ``seconds`` is 0."""
        if self._seconds:
            threading.Thread(target=self._run, name="recall", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        rng = np.random.default_rng()
        while True:
            try:
                self._tell(live_recall(self._gallery, rng))
            except KkcvError as error:
                log.warning("the recall of the index cannot be measured: %s", error)
            if self._stopped.wait(self._seconds):
                return


def live_recall(gallery: Gallery, rng: np.random.Generator) -> float:
    """Recall@10 of the index against exact search on a few pictures of the gallery.

    1.0 for an exact index; NaN where exact search would take too long.
    """
    generation = gallery.generation
    if generation.index.describe()["kind"] == "exact":
        return 1.0
    with generation.catalog.reading(frozen=True) as rows:
        if rows.count() > MOST:
            return math.nan
        queries = drawn(rows, rng)
        found = generation.index.search(rows, queries, K).ids
        # judged by scores, not by ids: of equal scores any may be among the first ten
        worst_good = Index().search(rows, queries, K).scores[:, -1:] - SAME
        answers = zip(found, queries, strict=True)
        scores = np.array([rows.vectors_of(ids) @ query for ids, query in answers])
    return float((scores >= worst_good).mean())


def drawn(rows: Reader, rng: np.random.Generator) -> np.ndarray:
    """The vectors of a few pictures: float32 (Q, D)."""
    ids = np.concatenate([ids for ids, _ in rows.vectors()])
    return rows.vectors_of(rng.choice(ids, min(QUERIES, len(ids)), replace=False))
