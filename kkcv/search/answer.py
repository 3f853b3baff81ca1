"""From query vectors to hits: candidates, their order, what is left out.

vectors ─index▶ candidates ─ranking▶ order ─min_score▶ hits
"""

from collections.abc import Collection, Sequence

import numpy as np

from kkcv.errors import RequestError
from kkcv.stages import stage

from .engine import Reader
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
    if options.verify or options.max_chance is not None:
        raise RequestError("verify and max_chance are not there yet")
    where = None if options.where is None else parse(options.where)
    with stage("search"), generation.catalog.reading() as rows:
        ranking = options.ranking or rows.setting(RANKING, PLAIN)
        depth = k if ranking == PLAIN else max(k, DEPTH)
        near = generation.live.search(rows, vectors, depth + len(without), where)
        chosen = []
        for query, ids, scores in zip(vectors, *near, strict=True):
            kept = (ids >= 0) & (scores >= options.min_score) & ~np.isin(ids, list(without))
            candidates = Neighbors(ids[kept], scores[kept])
            chosen.append(ordered(rows, ranking, query, candidates, k))
        return hits_of(generation, rows, chosen)


def ordered(
    rows: Reader, ranking: str, query: np.ndarray, candidates: Neighbors, k: int
) -> Neighbors:
    """The first k of the candidates of one query, (M,), as a ranking has them."""
    ids, scores = candidates
    if ranking != PLAIN:
        first = reranked(ranking, query, rows.vectors_of(ids[:DEPTH]))
        order = np.concatenate([first, np.arange(len(first), len(ids))])
        ids, scores = ids[order], scores[order]
    return Neighbors(ids[:k], scores[:k])


def hits_of(generation: Generation, rows: Reader, chosen: Sequence[Neighbors]) -> list[list[Hit]]:
    """What the catalog knows of what was found."""
    wanted = {id for near in chosen for id in near.ids.tolist()}
    found = {picture.id: picture for picture in rows.pictures(wanted)}
    return [
        [
            Hit(id, score, str(generation.folder / found[id].file.path), found[id].metadata)
            for id, score in zip(near.ids.tolist(), near.scores.tolist(), strict=True)
            if id in found  # another process may have removed it
        ]
        for near in chosen
    ]
