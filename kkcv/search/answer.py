"""From query vectors to hits: candidates, their order, what is left out.

vectors ─index▶ candidates ─ranking▶ order ─min_score, max_chance▶ fewer ─catalog▶ hits ─sort▶
                                                          how surely alike (chance/) ─┘
"""

from collections.abc import Collection

import numpy as np

from kkcv.errors import RequestError
from kkcv.hit import LOWEST, NO_LIKENESS, Hit
from kkcv.timing import step

from . import parts
from .chance.likeness import TOGETHER, rates_of_pictures, rates_of_text, words
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
    by_text: bool = False,
) -> list[list[Hit]]:
    """At most k hits for each query, unit vectors float32 (Q, D), without some ids.

    ``by_text``: the queries are of texts, whose scores are not those of pictures.
    """

    def search(most: int) -> list[list[Hit]]:
        return unfolded(generation, vectors, most, options, without, by_text)

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
    by_text: bool,
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
        calibration = generation.calibration.get(rows)
        ids[scores < max(options.min_score, cut(calibration, options.max_chance))] = NONE
        texts = vectors if by_text else None
        return hits_of(generation, rows, first(k, Neighbors(ids, scores)), calibration, texts)


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
    """
    with step("search"), generation.catalog.searching() as rows:
        depth = k + len(without)
        out = np.array(list(without), np.int64)
        found = parts.compared(generation, rows, query[None], depth, options.condition, out)
        calibration = generation.calibration.get(rows)
        scores, whole, through = found.scores[0], found.whole[0], found.through[0]
        good = (scores >= options.min_score) & (whole >= cut(calibration, options.max_chance))
        order = np.argsort(-np.where(good, found.likeness[0], -np.inf), kind="stable")
        order = order[: min(k, int(good.sum()))]
        near = Neighbors(found.ids[None, order], scores[None, order])
        part = dict(zip(found.ids[order].tolist(), through[order].tolist(), strict=True))
        hits = hits_of(generation, rows, near, calibration, None)[0]
        for hit in hits:
            if part[hit.id] != parts.WHOLE:
                hit.place = parts.place_of(part[hit.id])
                hit.chance = hit.chance and min(1.0, (1 + parts.PARTS) * hit.chance)
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
    generation: Generation,
    rows: Reader,
    near: Neighbors,
    calibration: Calibration | None,
    texts: np.ndarray | None,
) -> list[list[Hit]]:
    """Neighbors, (Q, k), with path, metadata, chance and likeness.

    ``texts`` are the queries, if they are of texts.
    """
    shown = generation.index.shown(rows, near.ids[near.ids != NONE])
    chances = np.full(near.scores.shape, None)
    least = np.zeros(near.scores.shape, bool)
    surely: list[list[str]] | list[list[None]] = [[None] * near.ids.shape[1]] * len(near.ids)
    if calibration is not None:
        chances = calibration.chance(near.scores)
        least = calibration.saturated(chances)
        surely = likeness(generation, rows, near, chances, calibration, texts)
    located = generation.library.located
    columns = near.ids, near.scores, chances, least
    return [
        [
            Hit(id, score, located(found[0]), found[1], rate, or_less, word)
            for id, score, rate, or_less, word in zip(*row, named, strict=True)
            if (found := shown.get(id))  # another process may have removed it
        ]
        for *row, named in zip(*(each.tolist() for each in columns), surely, strict=True)
    ]


def likeness(
    generation: Generation,
    rows: Reader,
    near: Neighbors,
    chances: np.ndarray,
    calibration: Calibration,
    texts: np.ndarray | None,
) -> list[list[str]]:
    """How surely each neighbor, (Q, k), is like its query."""
    store = generation.calibration
    named = np.full(near.ids.shape, NO_LIKENESS, object)
    rates = np.full(near.ids.shape, np.inf)
    alike = np.arange(len(near.ids))  # queries whose last hits looked at are still alike
    for start in range(0, near.ids.shape[1], TOGETHER):
        stop = min(start + TOGETHER, near.ids.shape[1])
        queries, places = np.nonzero(near.ids[alike, start:stop] != NONE)
        at = alike[queries], places + start
        if texts is None:
            own = store.bulks(rows, calibration, near.ids[at])
            rates[at] = rates_of_pictures(near.scores[at], chances[at], own)
        else:
            axes, few = store.few(rows, calibration)
            for query in alike:
                there = at[1][at[0] == query]
                own_of_text = texts[query] @ axes @ few
                rates[query, there] = rates_of_text(near.scores[query, there], own_of_text)
        named[alike, :stop] = words(rates[alike, :stop], calibration.pictures)
        alike = alike[(named[alike, start:stop] != NO_LIKENESS).any(1)]
        if not len(alike):
            break
    return named.tolist()
