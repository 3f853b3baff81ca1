"""From query vectors to hits: candidates, their order, what is left out.

vectors ─index▶ candidates ─ranking▶ order ─min_score, max_chance▶ fewer ─catalog▶ hits ─sort▶
                                                          how surely alike (chance/) ─┘
"""

from collections.abc import Collection
from functools import partial

import numpy as np

from kkcv.errors import RequestError
from kkcv.hit import SURE, Hit
from kkcv.search import parts
from kkcv.search.chance.likeness import RARE, SAME, Chances, Mutual, words
from kkcv.search.chance.model import FEWEST
from kkcv.search.engine import Reader
from kkcv.search.index.neighbors import Neighbors
from kkcv.search.opened.generation import Generation
from kkcv.search.options import SearchOptions
from kkcv.search.ranking.names import DEPTH, PLAIN, RANKING, reranked
from kkcv.timing import step

from .folding import folded_answers
from .sorting import depth, sorted_hits

NONE = -1  # in place of an id
# Of the pictures nearest to a query, by_parts compares the first number for each hit, but no fewer
# than the second. If those were too few, it begins again with the third number times as many.
AT_FIRST, SMALLEST, MORE = 2, 30, 2
ROUNDING = 0.001  # of scores: a query may be in the gallery itself, in half precision


def answers(
    generation: Generation,
    vectors: np.ndarray,
    k: int,
    options: SearchOptions,
    without: Collection[int] = (),
    by_text: bool = False,
) -> list[list[Hit]]:
    """At most k hits for each query, unit vectors float32 (Q, D), without some ids.

    ``by_text``: the queries are of texts, whose scores are not those of pictures.
    """
    search = partial(unfolded, generation, vectors, options, without, by_text)
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
    options: SearchOptions,
    without: Collection[int],
    by_text: bool,
    k: int,
) -> list[list[Hit]]:
    """As ``answers``, with a hit for each near-duplicate."""
    if not by_text and found_by_parts(generation, options):
        return [by_parts(generation, query, k, options, without) for query in vectors]
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
        chances = chances_of(generation, rows, vectors, by_text)
        # after the reordering: candidates that score too low are neighbors of the others
        ids[scores < options.min_score] = NONE
        if options.max_chance is not None:
            ids[rates_of(chances, scores) > checked_max_chance(chances, options.max_chance)] = NONE
        shown = first(k, Neighbors(ids, scores))
        rates = rates_of(chances, shown.scores)
        pictures = None if by_text else vectors
        return hits_of(generation, rows, shown, chances, rates, pictures, without)


def found_by_parts(generation: Generation, options: SearchOptions) -> bool:
    """Whether parts of pictures are searched too: an order that was asked for is one of wholes.

    What a gallery has learned from its labels says nothing of parts.
    """
    if generation.index.parts is None or generation.projection or options.ranking:
        return False
    with generation.catalog.reading() as rows:
        return not rows.setting(RANKING)


def by_parts(
    generation: Generation,
    query: np.ndarray,
    k: int,
    options: SearchOptions,
    without: Collection[int],
) -> list[Hit]:
    """The hits of one query (D,), whole pictures and their parts compared.

    A part is the best of five: chance makes its score up to six times as often as that of a whole.
    More are compared until no other picture can come before the last hit (Fagin, Lotem, Naor:
    Optimal Aggregation Algorithms for Middleware, PODS 2001).
    """
    with step("search"), generation.catalog.searching() as rows:
        chances = chances_of(generation, rows, query[None])

        def fit(scores: np.ndarray, through: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            """Which scores are good enough, and their rates."""
            # the rate of a part is that of the whole and of five parts together
            tries = np.where(through == parts.WHOLE, 1, 1 + parts.PARTS)
            rates = rates_of(chances, scores) * tries
            good = scores >= options.min_score
            if options.max_chance is not None:
                good &= rates <= checked_max_chance(chances, options.max_chance)
            return good, rates

        depth, out = AT_FIRST * k, np.array(list(without), np.int64)
        depth = max(depth, SMALLEST) + len(out)
        while True:
            found, beyond = parts.compared(
                generation, rows, query[None], depth, options.condition, out
            )
            scores, through, likeness = found.scores, found.through[0], found.likeness[0]
            (good,), rates = fit(scores, through)
            if beyond is None or not fit(beyond[None], np.array([parts.WHOLE, 0]))[0].any():
                break
            if (good & (likeness >= parts.likeness(*beyond))).sum() >= k:
                break
            depth *= MORE
        order = np.argsort(-np.where(good, likeness, -np.inf), kind="stable")
        order = order[: min(k, int(good.sum()))]
        near = Neighbors(found.ids[None, order], scores[:, order])
        part = dict(zip(found.ids[order].tolist(), through[order].tolist(), strict=True))
        hits = hits_of(generation, rows, near, chances, rates[:, order], query[None], without)[0]
        for hit in hits:
            hit.place = parts.place_of(part[hit.id])
        return hits


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


def chances_of(
    generation: Generation, rows: Reader, queries: np.ndarray, by_text: bool = False
) -> Chances | None:
    """How often chance makes the scores of queries (Q, D); None in a gallery of few pictures."""
    calibration = generation.calibration.get(rows)
    if calibration is None:
        return None
    return Chances.of(calibration, queries @ generation.calibration.few(rows, calibration), by_text)


def rates_of(chances: Chances | None, scores: np.ndarray) -> np.ndarray:
    """(Q, N) → (Q, N); 1 where it is not known."""
    return np.ones(scores.shape) if chances is None else chances.rates(scores)


def checked_max_chance(chances: Chances | None, max_chance: float) -> float:
    """A cut-off by chance, if this gallery can measure one so rare (RequestError)."""
    if chances is None:
        raise RequestError(
            f"a cut-off by chance needs a gallery of {FEWEST} pictures; use a score: min_score",
            field="max_chance",
        )
    if max_chance < chances.calibration.least:
        raise RequestError(
            f"this gallery can tell chances down to {chances.calibration.least_said()}, "
            f"not {max_chance:g}",
            field="max_chance",
        )
    return max_chance


def hits_of(
    generation: Generation,
    rows: Reader,
    near: Neighbors,
    chances: Chances | None,
    rates: np.ndarray,
    queries: np.ndarray | None = None,
    without: Collection[int] = (),
) -> list[list[Hit]]:
    """Neighbors, (Q, k), with path, metadata, chance and likeness, by the rate of each (Q, k).

    ``queries`` are the vectors of pictures, (Q, D), for which the nearest hit may be a mutual one:
    no picture is nearer to it, except those of ``without``, which the queries are made of.
    """
    there = near.ids != NONE
    shown = generation.index.shown(rows, near.ids[there])
    limited = np.full(rates.shape, None)
    least = np.zeros(rates.shape, bool)
    if chances is not None:
        calibration = chances.calibration
        limited, least = rates.clip(calibration.least, 1), rates <= calibration.least
    mutual = None
    if queries is not None:
        mutual = mutual_in(generation, rows, near.ids, queries, without)
    surely = words_of(chances, near.scores, np.where(there, rates, np.inf), mutual)
    located = generation.library.located
    columns = near.ids, near.scores, limited, least, surely
    return [
        [
            Hit(id, score, located(found[0]), found[1], rate, or_less, word)
            for id, score, rate, or_less, word in zip(*row, strict=True)
            if (found := shown.get(id))  # another process may have removed it
        ]
        for row in zip(*(each.tolist() for each in columns), strict=True)
    ]


def words_of(
    chances: Chances | None, scores: np.ndarray, rates: np.ndarray, mutual: Mutual | None = None
) -> np.ndarray:
    """How surely each hit is alike, by all hits of its query: (Q, k) → str or None, (Q, k)."""
    if chances is None:
        return np.full(rates.shape, None)
    surely = words(rates, chances.calibration.pictures, mutual)
    surely[(scores >= SAME) & (rates <= RARE)] = SURE
    return surely


def mutual_in(
    generation: Generation,
    rows: Reader,
    ids: np.ndarray,
    queries: np.ndarray,
    without: Collection[int] = (),
) -> Mutual:
    """Of queries, (Q, D), and their hits, (Q, k): which are each other's nearest in the gallery.

    Pictures of ``without`` count as not there.
    """
    out = list(without)

    def mutual(some: np.ndarray, columns: np.ndarray) -> np.ndarray:
        hits, place = np.unique(ids[some, columns], return_inverse=True)
        vectors = rows.vectors_of(hits)
        # itself, and the nearest other
        near = generation.index.search(rows, vectors, 2 + len(out))
        left_out = (near.ids == hits[:, None]) | np.isin(near.ids, out)
        nearest = np.where(left_out, -np.inf, near.scores).max(axis=1)
        scores = np.einsum("nd,nd->n", vectors[place], queries[some])
        return scores >= nearest[place] - ROUNDING

    return mutual
