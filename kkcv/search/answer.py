"""From query vectors to hits: candidates, their order, what is left out.

vectors ─index▶ candidates ─ranking▶ order ─min_score, max_chance▶ fewer ─catalog▶ hits ─sort▶
"""

from collections.abc import Collection

import numpy as np

from kkcv.errors import RequestError
from kkcv.hit import LOWEST, Hit
from kkcv.timing import step

from .chance.model import FEWEST, Calibration
from .engine import Reader
from .folding import folded_answers
from .generation import Generation
from .index.neighbors import Neighbors
from .options import SearchOptions
from .ranking.names import DEPTH, PLAIN, reranked
from .sorting import depth, sorted_hits

NONE = -1  # in place of an id
RANKING = "ranking"  # the setting of the catalog: the gallery's own ranking


def answers(
    generation: Generation,
    vectors: np.ndarray,
    k: int,
    options: SearchOptions,
    without: Collection[int] = (),
) -> list[list[Hit]]:
    """At most k hits for each query, unit vectors float32 (Q, D), without some ids."""

    def search(most: int) -> list[list[Hit]]:
        return unfolded(generation, vectors, most, options, without)

    if options.fold is None and options.sort is None:
        return search(k)
    most = depth(k, options)
    with generation.catalog.reading() as rows:
        if options.fold is None:
            found = search(most)
        else:
            found = folded_answers(search, rows.vectors_of, most, options.fold)
        return [sorted_hits(rows, hits, options.sort)[:k] for hits in found]


def unfolded(
    generation: Generation,
    vectors: np.ndarray,
    k: int,
    options: SearchOptions,
    without: Collection[int],
) -> list[list[Hit]]:
    """As ``answers``, with a hit for each near-duplicate."""
    with step("search"), generation.catalog.searching() as rows:
        ranking = options.ranking or rows.setting(RANKING, PLAIN)
        depth = k if ranking == PLAIN else max(k, DEPTH)
        ids, scores = generation.index.search(
            rows, vectors, depth + len(without), options.condition
        )
        if without:
            ids[np.isin(ids, list(without))] = NONE
        if ranking != PLAIN:
            for query, *near in zip(vectors, ids, scores, strict=True):
                reorder(rows, ranking, query, Neighbors(*near))
        calibration = generation.calibration.get(rows)
        ids[scores < max(options.min_score, cut(calibration, options.max_chance))] = NONE
        return hits_of(generation, rows, first(k, Neighbors(ids, scores)), calibration)


def reorder(rows: Reader, ranking: str, query: np.ndarray, near: Neighbors) -> None:
    """Reorder the candidates of one query, (M,), in place.

    Candidates that score too low for a hit take part: they are neighbors of the others.
    """
    there = np.flatnonzero(near.ids != NONE)[:DEPTH]
    order = there[reranked(ranking, query, rows.vectors_of(near.ids[there]))]
    for each in near:
        each[there] = each[order]


def first(k: int, near: Neighbors) -> Neighbors:
    """The first k of each query whose id is not NONE: (Q, M) → (Q, k or less)."""
    if near.ids.shape[1] <= k:
        return near
    order = np.argsort(near.ids == NONE, axis=1, kind="stable")[:, :k]
    return Neighbors(*(np.take_along_axis(each, order, 1) for each in near))


def cut(calibration: Calibration | None, max_chance: float | None) -> float:
    """The lowest score that chance makes no more often than that (RequestError if unknown)."""
    if max_chance is None:
        return LOWEST
    if calibration is None:
        raise RequestError(
            f"a cut-off by chance needs a gallery of {FEWEST} pictures; use a score: min_score",
            field="max_chance",
        )
    if max_chance < calibration.least:
        raise RequestError(
            f"this gallery can tell chances down to {calibration.least:.2g}, not {max_chance:g}",
            field="max_chance",
        )
    return calibration.cut(max_chance)


def hits_of(
    generation: Generation, rows: Reader, near: Neighbors, calibration: Calibration | None
) -> list[list[Hit]]:
    """Neighbors, (Q, k), with path, metadata and chance."""
    found = generation.index.shown(rows, near.ids[near.ids != NONE])
    chances = (
        np.full(near.scores.shape, None) if calibration is None else calibration.chance(near.scores)
    )
    located = generation.library.located
    answers = []
    for ids, scores, rates in zip(
        near.ids.tolist(), near.scores.tolist(), chances.tolist(), strict=True
    ):
        answers.append(
            [
                Hit(id, score, located(shown[0]), shown[1], rate)
                for id, score, rate in zip(ids, scores, rates, strict=True)
                if (shown := found.get(id))  # another process may have removed it
            ]
        )
    return answers
