"""Pictures found by their parts, in a gallery whose rows have them (``--model NETWORK+parts``).

    query ─both indexes▶ candidates ─each compared with the query▶ likeness and score

The score is that of what is most like the query: the whole picture, or one of its parts. The order
is by the whole and half of the best part, which sorts likeness better than either (docs/quality.md,
``make bench-quality``), and still puts the original of a crop first.
"""

from typing import NamedTuple

import numpy as np

from kkcv.embedding import windows
from kkcv.hit import Place, clipped

from .engine import Reader
from .engine.entries import PARTS
from .filters.conditions import Condition
from .index.neighbors import Neighbors
from .opened.generation import Generation

WHOLE = -1  # in place of the number of a part
WEIGHT = 0.5  # of the best part in the order


def likeness(whole: np.ndarray, best: np.ndarray) -> np.ndarray:
    """The order of hits, by the scores of whole pictures and of their best parts."""
    return whole + WEIGHT * best


class Compared(NamedTuple):
    """Candidates beside some queries; all but ``ids`` are (Q, n), and ``part`` may be WHOLE."""

    ids: np.ndarray
    whole: np.ndarray
    best: np.ndarray
    part: np.ndarray

    @property
    def likeness(self) -> np.ndarray:
        return likeness(self.whole, self.best)

    @property
    def scores(self) -> np.ndarray:
        """Scores of whole pictures, or of their best parts where those are more like the query."""
        return clipped(np.maximum(self.whole, self.best))

    @property
    def through(self) -> np.ndarray:
        """The number of the part that is more like the query than the whole, else WHOLE."""
        return np.where(self.best > self.whole, self.part, WHOLE)


def compared(
    generation: Generation,
    rows: Reader,
    query: np.ndarray,
    depth: int,
    where: Condition | None = None,
    without: np.ndarray | None = None,
) -> tuple[Compared, np.ndarray | None]:
    """The pictures near a query, a unit vector of the network float32 (1, D), without some ids.

    They are the first ``depth`` wholes and those of twice as many parts. Also returned: the scores
    that the whole and the best part of any other picture have at most; None if there is no other.
    """
    index = generation.index
    wholes = index.search(rows, generation.projected(query), depth, where)
    near = [wholes.ids]
    beyond = None
    if index.parts is not None:
        parts = index.parts.search(rows, windows.sketch(query), 2 * depth, where)
        near.append(np.where(parts.ids < 0, -1, parts.ids // PARTS))
        if is_full(wholes, depth) and is_full(parts, 2 * depth):
            beyond = np.array([wholes.scores[0, -1], parts.scores[0, -1]])
    ids = np.unique(np.concatenate([each.ravel() for each in near]))
    ids = ids[ids > 0]
    if without is not None:
        ids = np.setdiff1d(ids, without)
    return beside(generation, rows, query, 1, ids), beyond


def is_full(near: Neighbors, depth: int) -> bool:
    """Whether there are as many as were asked for, so that there may be more."""
    return near.ids.shape[1] == depth and bool(near.ids[0, -1] >= 0)


def beside(
    generation: Generation, rows: Reader, queries: np.ndarray, by_parts: int, ids: np.ndarray
) -> Compared:
    """Some pictures beside the queries, the first ``by_parts`` of which also ask for parts."""
    found = list(rows.stored_vectors(ids=ids))
    if not found:
        nothing = np.empty((len(queries), 0), np.float32)
        return Compared(np.empty(0, np.int64), nothing, nothing, nothing.astype(np.int64))
    ids, stored = (np.concatenate(each) for each in zip(*found, strict=True))
    whole = generation.projected(queries) @ rows.whole(stored).T
    if not generation.stored_space.parts:
        none = np.full(whole.shape, -np.inf, np.float32)
        return Compared(ids, whole, none, np.full(whole.shape, WHOLE))
    flat = rows.parts(stored).reshape(-1, windows.NUMBERS)
    alike = (windows.sketch(queries[:by_parts]) @ flat.T).reshape(-1, len(ids), PARTS)
    best = np.full(whole.shape, -np.inf, np.float32)
    part = np.full(whole.shape, WHOLE)
    best[:by_parts], part[:by_parts] = alike.max(axis=2), alike.argmax(axis=2)
    return Compared(ids, whole, best, part)


def place_of(part: int) -> Place | None:
    """Where a part lies in its picture; None for the whole."""
    return None if part == WHOLE else windows.corners(windows.WINDOWS[part])
