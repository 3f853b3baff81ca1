"""Copies: the picture that the query was taken from, or that was put into it.

    query ─as it is▶ candidates ─points▶ one of them has all that the query shows: done
    query ─turned, mirrored, blurred, cut▶ 11 views ─indexes▶ candidates ─points▶ confirmed first

Most copies are found by the query as it is; the other views take longer. They are embedded while
the local points of the query are found and compared, unless a hit is so near that it probably shows
all, and those not begun are dropped when one does. A view that is a part of the query is compared
with whole pictures: it may be one, on a page or pasted into another. The other views are compared
with whole pictures and with their parts, where the gallery has them. Local points decide
(confirming.py).
"""

from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np

from kkcv.embedding import windows
from kkcv.errors import RequestError
from kkcv.hit import Hit, Place, clipped
from kkcv.images.decode import decode
from kkcv.images.limits import Limits
from kkcv.query import Like, Text
from kkcv.timing import step

from . import parts
from .answer.answer import chances_of, hits_of, rates_of, told
from .confirming import Confirming
from .index.neighbors import Neighbors
from .opened.generation import Generation
from .options import SearchOptions
from .picture import Pictures
from .verification.features import features
from .verification.verify import Verifier

CORNERS: tuple[windows.Window, ...] = (
    (0.0, 0.0, 0.4, 0.4),
    (0.6, 0.0, 0.4, 0.4),
    (0.0, 0.6, 0.4, 0.4),
    (0.6, 0.6, 0.4, 0.4),
)
CUTS = (windows.CENTER, *CORNERS)  # of the query
TURNS = 4  # the query as it is, and turned by 90, 180 and 270 degrees
MIRRORED, SMOOTHED = TURNS, TURNS + 1  # views behind those; the others are cuts
WHOLES = TURNS + 2
BLUR = 1.5  # pixels, the deviation: strong compression leaves blocks that a network sees
GROUPS = (  # views that propose candidates, and how many
    ([0, MIRRORED, SMOOTHED], 25),
    ([*range(1, TURNS)], 8),
    ([*range(WHOLES, WHOLES + len(CUTS))], 8),
)
LOOKED_AT = 50  # candidates at most
MAYBE_MIRRORED = 10  # of them, those that are nearest to the mirrored view
LIKELY = 0.85  # score of a copy as it is; the other views are asked at once if no hit has it


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
    threads = ThreadPoolExecutor(2)
    try:
        points = threads.submit(features, pixels)
        as_it_is = embedded(generation, pixels)
        hits, _ = proposed(generation, as_it_is[None], k, options, own)

        def embed_others() -> list[Future[np.ndarray]]:
            return [threads.submit(embedded, generation, view) for view in other_views(pixels)]

        likely = bool(hits and hits[0].score >= LIKELY)
        others = [] if likely else embed_others()
        confirming = Confirming(
            points.result(), pixels, Verifier(pictures, generation.sharing.turn, limits)
        )
        with step("search"):
            confirming.look(hits[:LOOKED_AT])
        if confirming.explained:
            return confirming.ordered(hits)[:k]
        with step("embed"):
            vectors = np.stack([as_it_is, *(each.result() for each in others or embed_others())])
    finally:
        threads.shutdown(cancel_futures=True)
    hits, mirrored = proposed(generation, vectors, k, options, own, hits)
    with step("search"):
        confirming.look_closely(hits[:LOOKED_AT], mirrored)
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


def other_views(pixels: np.ndarray) -> list[np.ndarray]:
    """The other views of the query: turned, mirrored, blurred, and cut."""
    turned = [np.ascontiguousarray(np.rot90(pixels, n)) for n in range(1, TURNS)]
    flipped = np.ascontiguousarray(pixels[:, ::-1])
    smoothed = cv2.GaussianBlur(pixels, (0, 0), BLUR)
    return [*turned, flipped, smoothed, *(windows.within(pixels, each) for each in CUTS)]


def embedded(generation: Generation, view: np.ndarray) -> np.ndarray:
    """The unit vector of a view: float32 (D,)."""
    embedder = generation.embedder
    with step("embed"):
        return embedder.embed_crops([embedder.crop(view)])[0]


def proposed(
    generation: Generation,
    vectors: np.ndarray,
    k: int,
    options: SearchOptions,
    own: Collection[int],
    before: Sequence[Hit] = (),
) -> tuple[list[Hit], set[int]]:
    """The pictures near any of the first views, (V, D), and the ids that may be mirrored.

    ``before`` are the hits of the query as it is, where it was asked by itself.
    """
    with step("search"), generation.catalog.searching() as rows:
        without = np.array(sorted(own), np.int64)
        depth = max(k, GROUPS[0][1]) + len(without)
        known = np.array([hit.id for hit in before], np.int64)
        found = candidates(generation, rows, vectors, depth, options, without, known)
        chances = chances_of(generation, rows, generation.projected(vectors[:1]))
        good = found.scores >= options.min_score
        if options.max_chance is not None:
            good &= rates_of(chances, found.scores[None])[0] <= told(chances, options.max_chance)
        found = Found(*(each[good] for each in found))
        near = Neighbors(found.ids[None], found.scores[None])
        hits = hits_of(generation, rows, near, chances, rates_of(chances, near.scores))[0]
    places = {id: (view, part) for id, _, view, part, _ in zip(*map(list, found), strict=True)}
    for hit in hits:  # until points say more exactly
        hit.place, hit.query_place = where(*places[hit.id])
    return hits, set(found.ids[found.mirrored].tolist())


def candidates(
    generation: Generation,
    rows: parts.Reader,
    vectors: np.ndarray,
    depth: int,
    options: SearchOptions,
    without: np.ndarray,
    known: np.ndarray,
) -> Found:
    """The pictures near any of the first views, (V, D), the best of each group; best first."""
    where = options.condition
    index = generation.index
    projected = generation.projected(vectors)
    look = index.glance if len(vectors) > 1 else index.search
    near = [known, look(rows, projected, depth, where).ids.ravel()]
    wholes = vectors[:WHOLES]
    if index.parts is not None:
        sketches, most = windows.sketch(wholes), min(2 * depth, parts.MOST)
        keys = index.parts.glance(rows, sketches, most, where).ids.ravel()
        near.append(np.where(keys < 0, -1, keys // parts.PARTS))
    ids = np.unique(np.concatenate(near))
    ids = np.setdiff1d(ids[ids > 0], without)
    compared = parts.beside(generation, rows, vectors, len(wholes), ids)
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


def where(view: int, part: int) -> tuple[Place | None, Place | None]:
    """Where views put a hit that points do not confirm: in the hit, and in the query."""
    place = parts.place_of(part)
    if place is not None and view < TURNS:  # np.rot90 turns counterclockwise
        place = place[-view:] + place[:-view] if view else place
    elif place is not None and view == MIRRORED:
        place = tuple(place[n] for n in (1, 0, 3, 2))
    return place, windows.corners(CUTS[view - WHOLES]) if view >= WHOLES else None
