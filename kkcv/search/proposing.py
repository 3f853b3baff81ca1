"""The pictures that views of a query propose as its original, before points are compared.

A view that is a part of the query is compared with whole pictures: it may be one, on a page or
pasted into another. The other views are compared with whole pictures and with their parts, where
the gallery has them.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from kkcv.embedding import windows
from kkcv.hit import Hit, clipped
from kkcv.timing import step

from . import parts
from .answer.answer import chances_of, checked_max_chance, hits_of, rates_of
from .index.neighbors import Neighbors
from .opened.generation import Generation
from .options import SearchOptions
from .views import CUT, VIEWS, where

MOST = 1000  # parts that are looked for


class Candidate(NamedTuple):
    """A picture with its best score, and the numbers of the view and part that have it."""

    id: int
    score: float
    view: int
    part: int


class Proposing:
    """Proposes candidates for the views of one query."""

    def __init__(
        self,
        generation: Generation,
        as_it_is: np.ndarray,
        options: SearchOptions,
        own: Collection[int],
    ) -> None:
        """``as_it_is`` is the query, a unit vector (1, D)."""
        self._generation = generation
        with step("search"), generation.catalog.searching() as rows:
            self._chances = chances_of(generation, rows, generation.projected(as_it_is))
        self._options = options
        self._own = np.array(sorted(own), np.int64)

    @step("search")
    def near(self, views: Sequence[int], vectors: np.ndarray, most: int) -> list[Candidate]:
        """The pictures that are nearest to any of these views, unit vectors (V, D); best first."""
        options, chances = self._options, self._chances
        with self._generation.catalog.searching() as rows:
            ids = np.setdiff1d(self._looked_for(rows, views, vectors, most), self._own)
            by_parts = 0 if views[0] in CUT else len(vectors)
            compared = parts.beside(self._generation, rows, vectors, by_parts, ids)
        if not len(compared.ids):
            return []
        best, here = compared.scores.argmax(axis=0), np.arange(len(compared.ids))
        scores = clipped(compared.scores[best, here])
        good = scores >= options.min_score
        view, part = np.array(views)[best], compared.through[best, here]
        if options.max_chance is not None:
            rates = rates_of(chances, scores[None])[0] * tries(view, part)
            good &= rates <= checked_max_chance(chances, options.max_chance)
        order = np.argsort(-scores, kind="stable")[:most]
        order = order[good[order]]
        columns = compared.ids, scores, view, part
        return [
            Candidate(*row) for row in zip(*(each[order].tolist() for each in columns), strict=True)
        ]

    @step("search")
    def hits(self, candidates: Sequence[Candidate]) -> list[Hit]:
        """The candidates with what hits show, in their order."""
        near = Neighbors(
            np.array([[each.id for each in candidates]], np.int64),
            np.array([[each.score for each in candidates]], np.float32),
        )
        through = np.array([(each.view, each.part) for each in candidates], np.int64).reshape(-1, 2)
        rates = rates_of(self._chances, near.scores) * tries(*through.T)
        with self._generation.catalog.searching() as rows:
            hits = hits_of(self._generation, rows, near, self._chances, rates)[0]
        found = {each.id: each for each in candidates}
        for hit in hits:  # until points say more exactly
            hit.place, hit.query_place = where(found[hit.id].view, found[hit.id].part)
        return hits

    def _looked_for(
        self, rows: parts.Reader, views: Sequence[int], vectors: np.ndarray, most: int
    ) -> np.ndarray:
        """Ids near any of these views; near the query as it is, with all effort of the index."""
        index, condition = self._generation.index, self._options.condition
        depth = most + len(self._own)
        look = index.glance if 0 not in views else index.search
        near = look(rows, self._generation.projected(vectors), depth, condition).ids.ravel()
        if index.parts is not None and views[0] not in CUT:
            sketches, deep = windows.sketch(vectors), min(2 * depth, MOST)
            keys = index.parts.glance(rows, sketches, deep, condition).ids.ravel()
            near = np.concatenate([near, np.where(keys < 0, -1, keys // parts.PARTS)])
        return near[near > 0]


def tries(views: np.ndarray, part: np.ndarray) -> np.ndarray:
    """How many scores each, (N,), is the best of: chance makes it up to so many times as often."""
    return np.where(part == parts.WHOLE, 1, 1 + parts.PARTS) * np.where(views == 0, 1, VIEWS)


def together(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those of several groups of views, each picture once, best first."""
    best = {each.id: each for each in sorted(candidates, key=lambda each: each.score)}
    return sorted(best.values(), key=lambda each: -each.score)
