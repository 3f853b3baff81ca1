"""From query vectors to hits: candidates, their order, what is left out.

vectors ─index▶ candidates ─ranking▶ order ─min_score, max_chance▶ fewer ─catalog▶ hits
"""

import os
from collections.abc import Collection, Sequence

import numpy as np

from kkcv.errors import RequestError
from kkcv.stages import stage

from .chance.model import FEWEST, Calibration
from .engine import Reader
from .folding import folded_answers
from .generation import Generation
from .hits import Hit
from .index.neighbors import Neighbors
from .options import SearchOptions
from .ranking.names import DEPTH, PLAIN, reranked
from .where import parse

RANKING = "ranking"  # the setting of the catalog: the gallery's own ranking


def answers(
    generation: Generation,
    vectors: np.ndarray,
    k: int,
    options: SearchOptions,
    without: Collection[int] = (),
) -> list[list[Hit]]:
    """The hits of each query, unit vectors float32 (Q, D), at most k, none of those ``without``."""
    if options.fold is not None:
        return folded(generation, vectors, k, options, without)
    where = None if options.where is None else parse(options.where)
    with stage("search"), generation.catalog.reading() as rows:
        ranking = options.ranking or rows.setting(RANKING, PLAIN)
        depth = k if ranking == PLAIN else max(k, DEPTH)
        near = generation.live.search(rows, vectors, depth + len(without), where)
        calibration = generation.calibration.get(rows)
        least = max(options.min_score, cut(calibration, options.max_chance))
        chosen = []
        for query, ids, scores in zip(vectors, *near, strict=True):
            kept = ids >= 0
            if without:
                kept &= ~np.isin(ids, list(without))
            candidates = Neighbors(ids[kept], scores[kept])
            chosen.append(ordered(rows, ranking, query, candidates, k, least))
        return hits_of(generation, rows, chosen, calibration)


def folded(
    generation: Generation,
    vectors: np.ndarray,
    k: int,
    options: SearchOptions,
    without: Collection[int],
) -> list[list[Hit]]:
    """As ``answers``, with near-duplicates in one hit."""
    assert options.fold is not None
    one_by_one = options.but(fold=None)

    def search(depth: int) -> list[list[Hit]]:
        return answers(generation, vectors, depth, one_by_one, without)

    with generation.catalog.reading() as rows:
        return folded_answers(search, rows.vectors_of, k, options.fold)


def ordered(
    rows: Reader, ranking: str, query: np.ndarray, candidates: Neighbors, k: int, least: float
) -> Neighbors:
    """The first k of the candidates of one query, (M,), as a ranking has them.

    What scores less than ``least`` is a neighbor of the others, but no hit.
    """
    ids, scores = candidates
    if ranking != PLAIN:
        first = reranked(ranking, query, rows.vectors_of(ids[:DEPTH]))
        order = np.concatenate([first, np.arange(len(first), len(ids))])
        ids, scores = ids[order], scores[order]
    kept = scores >= least
    return Neighbors(ids[kept][:k], scores[kept][:k])


def cut(calibration: Calibration | None, max_chance: float | None) -> float:
    """The lowest score that chance makes no more often (RequestError where that is not known)."""
    if max_chance is None:
        return -1.0
    if calibration is None:
        raise RequestError(
            f"a cut-off by chance needs a gallery of {FEWEST} pictures; use a score: min_score"
        )
    if max_chance < calibration.least:
        raise RequestError(
            f"this gallery can tell chances down to {calibration.least:.1g}, not {max_chance:g}"
        )
    return calibration.cut(max_chance)


def hits_of(
    generation: Generation,
    rows: Reader,
    chosen: Sequence[Neighbors],
    calibration: Calibration | None,
) -> list[list[Hit]]:
    """What the catalog knows of what was found."""
    wanted = {id for near in chosen for id in near.ids.tolist()}
    found = rows.shown(wanted)
    folder = str(generation.folder)
    return [
        [
            Hit(
                id,
                score,
                os.path.join(folder, found[id][0]),  # an absolute path stays what it is
                found[id][1],
                None if calibration is None else calibration.chance(score),
            )
            for id, score in zip(near.ids.tolist(), near.scores.tolist(), strict=True)
            if id in found  # another process may have removed it
        ]
        for near in chosen
    ]
