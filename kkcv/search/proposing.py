"""The pictures that views of a query propose as its original, before points are compared.

A view that is a part of the query is compared with whole pictures: it may be one, on a page or
pasted into another. The other views are compared with whole pictures and with their parts, where
the gallery has them.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from kkcv.embedding import windows
from kkcv.hit import Hit, clipped
from kkcv.timing import step

from . import parts
from .answer.answer import chances_of, checked_max_chance, hits_of, rates_of, words_of
from .index.neighbors import Neighbors
from .opened.generation import Generation
from .options import SearchOptions
from .views import CUT, where


class Found(NamedTuple):
    """Candidates: ``scores`` float32 (n,), with the number of the view and part that have it."""

    ids: np.ndarray
    scores: np.ndarray
    view: np.ndarray
    part: np.ndarray


class Proposing:
    """Proposes candidates for the views of one query, from several threads."""

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

    def near(self, views: Sequence[int], vectors: np.ndarray, most: int) -> list[Hit]:
        """The pictures that are nearest to any of these views, unit vectors (V, D); best first."""
        generation, options, chances = self._generation, self._options, self._chances
        with step("search"), generation.catalog.searching() as rows:
            ids = np.setdiff1d(self._looked_for(rows, views, vectors, most), self._own)
            found = candidates(generation, rows, views, vectors, ids)
            found = Found(*(each[:most] for each in found))
            good = found.scores >= options.min_score
            if options.max_chance is not None:
                rates = rates_of(chances, found.scores[None])[0]
                good &= rates <= checked_max_chance(chances, options.max_chance)
            found = Found(*(each[good] for each in found))
            near = Neighbors(found.ids[None], found.scores[None])
            hits = hits_of(generation, rows, near, chances, rates_of(chances, near.scores))[0]
        places = {id: (view, part) for id, _, view, part in zip(*map(list, found), strict=True)}
        for hit in hits:  # until points say more exactly
            hit.place, hit.query_place = where(*places[hit.id])
        return hits

    def worded(self, hits: list[Hit]) -> list[Hit]:
        """The same, with how surely each is alike by all of them, not by those of its views."""
        scores = np.array([[hit.score for hit in hits]])
        surely = words_of(self._chances, scores, rates_of(self._chances, scores))[0]
        return [replace(hit, likeness=word) for hit, word in zip(hits, surely, strict=True)]

    def _looked_for(
        self, rows: parts.Reader, views: Sequence[int], vectors: np.ndarray, most: int
    ) -> np.ndarray:
        """Ids near any of these views; near the query as it is, with all effort of the index."""
        index, condition = self._generation.index, self._options.condition
        depth = most + len(self._own)
        look = index.glance if 0 not in views else index.search
        near = look(rows, self._generation.projected(vectors), depth, condition).ids.ravel()
        if index.parts is not None and views[0] not in CUT:
            sketches, deep = windows.sketch(vectors), min(2 * depth, parts.MOST)
            keys = index.parts.glance(rows, sketches, deep, condition).ids.ravel()
            near = np.concatenate([near, np.where(keys < 0, -1, keys // parts.PARTS)])
        return near[near > 0]


def candidates(
    generation: Generation,
    rows: parts.Reader,
    views: Sequence[int],
    vectors: np.ndarray,
    ids: np.ndarray,
) -> Found:
    """Some pictures beside some views, unit vectors (V, D), best first."""
    by_parts = 0 if views[0] in CUT else len(vectors)
    compared = parts.beside(generation, rows, vectors, by_parts, ids)
    scores = compared.scores
    if not len(compared.ids):
        return Found(compared.ids, np.empty(0, np.float32), compared.ids, compared.ids)
    best = scores.argmax(axis=0)
    here = np.arange(len(best))
    of_best = clipped(scores[best, here]), np.array(views)[best], compared.through[best, here]
    found = Found(compared.ids, *of_best)
    order = np.argsort(-found.scores, kind="stable")
    return Found(*(each[order] for each in found))


def together(hits: list[Hit], more: list[Hit]) -> list[Hit]:
    """Hits of several groups of views, each picture once, best first."""
    best = {hit.id: hit for hit in sorted([*hits, *more], key=lambda hit: hit.score)}
    return sorted(best.values(), key=lambda hit: -hit.score)
