"""Copies: the picture that the query was taken from, or that was put into it.

    query ─as it is▶ candidates ─points▶ one of them has all that the query shows: done
    query ─turned, mirrored, blurred, cut▶ 10 views ─indexes▶ candidates ─points▶ confirmed first

Most copies are found by the query as it is; the other views (views.py) take longer. They are
embedded and looked for while local points are compared, unless a hit is so near that it probably
shows all, and those not begun are dropped when one does. A view that is a part of the query is
compared with whole pictures: it may be one, on a page or pasted into another. The other views are
compared with whole pictures and with their parts, where the gallery has them. Local points decide
(confirming.py).
"""

from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from kkcv.embedding import windows
from kkcv.errors import RequestError
from kkcv.hit import Hit, clipped
from kkcv.images.decode import decode
from kkcv.images.limits import Limits
from kkcv.query import Like, Text
from kkcv.timing import step

from . import parts
from .answer.answer import chances_of, hits_of, rates_of, told
from .confirming import TOGETHER, Confirming
from .filters.conditions import Condition
from .index.neighbors import Neighbors
from .opened.generation import Generation
from .options import SearchOptions
from .picture import Pictures
from .verification.features import ASKED, features
from .verification.verify import Verifier
from .views import CUTS, MIRRORED, SMOOTHED, TURNED, WHOLES, cut, mirrored_and_smoothed, turned
from .views import where as place_of_view

NEAREST, FEWER = 25, 8  # candidates that a group of views proposes
GROUPS = (
    ([0, MIRRORED, SMOOTHED], NEAREST),
    ([*TURNED], FEWER),
    ([*range(WHOLES, WHOLES + len(CUTS))], FEWER),
)
OTHERS = ((turned, FEWER), (mirrored_and_smoothed, NEAREST), (cut, FEWER))  # in order
LOOKED_AT = 50  # candidates at most
MAYBE_MIRRORED = 10  # of them, those that are nearest to the mirrored view
LIKELY = 0.85  # score of a copy as it is; the other views are asked at once if no hit has it


class Asked(NamedTuple):
    """Some views: unit vectors float32 (V, D), and ids that are near any of them."""

    vectors: np.ndarray
    near: np.ndarray


class Found(NamedTuple):
    """Candidates: ``scores`` float32 (n,), with the number of the view and part that have it."""

    ids: np.ndarray
    scores: np.ndarray
    view: np.ndarray
    part: np.ndarray
    mirrored: np.ndarray  # bool (n,): whether the mirrored view proposed it


def copies(
    generation: Generation,
    pictures: Pictures,
    likes: list[Like],
    k: int,
    options: SearchOptions,
    own: Collection[int],
    limits: Limits,
) -> list[Hit]:
    """At most k hits, those that local points confirm first (RequestError, PictureError)."""
    pixels = pixels_of(generation, pictures, likes, limits)
    embedder, condition = generation.embedder, options.condition
    depth = max(k, NEAREST) + len(own)
    threads = ThreadPoolExecutor(2)
    try:
        points = threads.submit(features, pixels, ASKED)
        crop = embedder.crop(pixels)
        as_it_is = asked(generation, [crop], depth, condition, first=True)
        hits, _ = proposed(generation, as_it_is, k, options, own)
        confirming = Confirming(
            points.result(), pixels, Verifier(pictures, generation.sharing.turn, limits)
        )

        def ask(number: int) -> Asked:
            views, most = OTHERS[number]
            crops = views(embedder, pixels, crop)
            most = depth if most == NEAREST else most + len(own)
            return asked(generation, crops, most, condition, of_parts=views is not cut)

        others: list[Future[Asked]] = []
        with step("search"):
            if hits and hits[0].score >= LIKELY:
                confirming.look(hits[:TOGETHER])
            if not confirming.explained:
                others = [threads.submit(ask, number) for number in range(len(OTHERS))]
            confirming.look(hits[:LOOKED_AT])
        if confirming.explained:
            return confirming.ordered(hits)[:k]
        with step("embed"):
            every = [as_it_is, *(each.result() for each in others)]
    finally:
        threads.shutdown(cancel_futures=True)
    views = Asked(*(np.concatenate(each) for each in zip(*every, strict=True)))
    hits, mirrored = proposed(generation, views, k, options, own)
    with step("search"):
        confirming.look(hits[:LOOKED_AT], mirrored)
    return confirming.ordered(hits)[:k]


def pixels_of(
    generation: Generation, pictures: Pictures, likes: list[Like], limits: Limits
) -> np.ndarray:
    """Pixels of the one picture that is asked for, or of its region: uint8 (H, W, 3)."""
    like, *others = likes
    source = like.picture
    if others or isinstance(source, Text) or like.weight <= 0:
        raise RequestError(
            "copies are found of one picture, not of several or of a text", field="copies"
        )
    if isinstance(source, int):
        source = pictures.read(pictures.get(source))
    target = windows.CLOSER * generation.embedder.checkpoint.preprocess.target
    with generation.sharing.turn(), step("decode"):
        if like.region is None:
            return decode(source, limits, target=target)
        return np.ascontiguousarray(like.region.of(decode(source, limits)))


def asked(
    generation: Generation,
    crops: Sequence[np.ndarray],
    depth: int,
    where: Condition | None,
    *,
    first: bool = False,
    of_parts: bool = True,
) -> Asked:
    """Embeds views, and looks for pictures near each, ``of_parts`` with their parts, too.

    Only the ``first`` is looked for with all the effort that the gallery's goal takes.
    """
    with step("embed"):
        vectors = generation.embedder.embed_crops(crops)
    index = generation.index
    with step("search"), generation.catalog.searching() as rows:
        look = index.search if first else index.glance
        near = look(rows, generation.projected(vectors), depth, where).ids.ravel()
        if index.parts is not None and of_parts:
            sketches, most = windows.sketch(vectors), min(2 * depth, parts.MOST)
            keys = index.parts.glance(rows, sketches, most, where).ids.ravel()
            near = np.concatenate([near, np.where(keys < 0, -1, keys // parts.PARTS)])
    return Asked(vectors, near)


def proposed(
    generation: Generation,
    views: Asked,
    k: int,
    options: SearchOptions,
    own: Collection[int],
) -> tuple[list[Hit], set[int]]:
    """The pictures near any of the first views, and the ids that may be mirrored."""
    vectors = views.vectors
    with step("search"), generation.catalog.searching() as rows:
        ids = np.unique(views.near)
        ids = np.setdiff1d(ids[ids > 0], np.array(sorted(own), np.int64))
        found = candidates(generation, rows, vectors, ids, max(k, NEAREST))
        chances = chances_of(generation, rows, generation.projected(vectors[:1]))
        good = found.scores >= options.min_score
        if options.max_chance is not None:
            good &= rates_of(chances, found.scores[None])[0] <= told(chances, options.max_chance)
        found = Found(*(each[good] for each in found))
        near = Neighbors(found.ids[None], found.scores[None])
        hits = hits_of(generation, rows, near, chances, rates_of(chances, near.scores))[0]
    places = {id: (view, part) for id, _, view, part, _ in zip(*map(list, found), strict=True)}
    for hit in hits:  # until points say more exactly
        hit.place, hit.query_place = place_of_view(*places[hit.id])
    return hits, set(found.ids[found.mirrored].tolist())


def candidates(
    generation: Generation, rows: parts.Reader, vectors: np.ndarray, ids: np.ndarray, depth: int
) -> Found:
    """Of some pictures the best of each group of the first views, (V, D); best first."""
    compared = parts.beside(generation, rows, vectors, min(len(vectors), WHOLES), ids)
    scores = compared.scores
    keep, mirrored = np.zeros((2, len(compared.ids)), bool)
    if not len(compared.ids):
        return Found(compared.ids, np.empty(0, np.float32), compared.ids, compared.ids, mirrored)
    for group, most in GROUPS:
        asked = [view for view in group if view < len(vectors)]
        if asked:
            best = np.argsort(-scores[asked].max(axis=0), kind="stable")
            keep[best[: depth if 0 in group else most]] = True
    if len(vectors) > MIRRORED:
        mirrored[np.argsort(-scores[MIRRORED], kind="stable")[:MAYBE_MIRRORED]] = True
    view = scores.argmax(axis=0)
    here = np.arange(len(view))
    of_best = clipped(scores[view, here]), view, compared.through[view, here]
    found = Found(compared.ids, *of_best, mirrored)
    order = np.flatnonzero(keep)[np.argsort(-found.scores[keep], kind="stable")]
    return Found(*(each[order] for each in found))
