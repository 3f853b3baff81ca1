"""Copies: the picture that the query was taken from, or that was put into it.

    query ─turned, mirrored, blurred, cut▶ 11 views ─indexes▶ candidates ─points▶ confirmed first

A view that is a part of the query is compared with whole pictures: it may be one, on a page or
pasted into another. The other views are compared with whole pictures and with their parts, where
the gallery has them. Local points decide (verification/): they see turned, mirrored, cut and pasted
copies alike, wherever there is texture. A copy keeps parallel lines parallel; another photograph of
the same scene shares points too, but in perspective. What is not confirmed follows by its points,
then by its score.
"""

import os
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np

from kkcv.embedding import windows
from kkcv.errors import RequestError
from kkcv.hit import LOWEST, SURE, Hit, Place, clipped
from kkcv.images.decode import decode
from kkcv.images.limits import Limits
from kkcv.query import Like, Text
from kkcv.timing import step

from . import parts
from .answer import cut, hits_of
from .generation import Generation
from .index.neighbors import Neighbors
from .options import SearchOptions
from .picture import Pictures
from .verification.features import Features, features
from .verification.geometry import Match, match
from .verification.verify import SECONDS, Verifier, corners_of

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
GROUPS = (  # views that propose candidates
    [0, SMOOTHED],
    list(range(1, SMOOTHED)),
    list(range(WHOLES, WHOLES + len(CUTS))),
)
EACH = 20  # candidates of a group
FEWEST = 8  # points that confirm a copy: more than those of the same object
CELLS = 16  # of the query in each direction: points in one, or beside it, show the same
PARALLEL = 0.025  # of the size of a copy, by which its outline may miss a parallelogram
STRAIGHT = 8.0  # degrees: less is no turn, and so near to a quarter is one
MOST_OF = 0.85  # of an area that counts as all of it
STEPS = (np.arange(32) + 0.5) / 32
GRID = np.stack(np.meshgrid(STEPS, STEPS), axis=-1).reshape(-1, 2)  # points all over a picture


class Found(NamedTuple):
    """Candidates: ``scores`` float32 (n,), with the number of the view and part that have it."""

    ids: np.ndarray
    scores: np.ndarray
    view: np.ndarray
    part: np.ndarray
    mirrored: np.ndarray  # bool (n,): whether a turned or mirrored view proposed it


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
    with ThreadPoolExecutor(1) as thread:
        points = thread.submit(features, pixels)
        vectors = views_of(generation, pixels)
        with step("search"), generation.catalog.searching() as rows:
            without = np.array(sorted(own), np.int64)
            depth = max(k, EACH) + len(without)
            found = candidates(generation, rows, vectors, depth, options, without)
            calibration = generation.calibration.get(rows)
            least = max(options.min_score, cut(calibration, options.max_chance), LOWEST)
            found = Found(*(each[found.scores >= least] for each in found))
            near = Neighbors(found.ids[None], found.scores[None])
            hits = hits_of(generation, rows, near, calibration, None)[0]
    verifier = Verifier(pictures, generation.sharing.turn, limits)
    with step("search"):
        return confirmed(points.result(), found, hits, verifier)[:k]


def pixels_of(
    generation: Generation, pictures: Pictures, likes: list[Like], limits: Limits
) -> np.ndarray:
    """Of the one picture that is asked for, or of its region: uint8 (H, W, 3)."""
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


def views_of(generation: Generation, pixels: np.ndarray) -> np.ndarray:
    """Unit vectors of all views, of the network: float32 (11, D)."""
    turned = [np.ascontiguousarray(np.rot90(pixels, n)) for n in range(TURNS)]
    flipped = np.ascontiguousarray(pixels[:, ::-1])
    smoothed = cv2.GaussianBlur(pixels, (0, 0), BLUR)
    embedder = generation.embedder
    views = [*turned, flipped, smoothed, *(windows.within(pixels, each) for each in CUTS)]
    with step("embed"), ThreadPoolExecutor(2) as threads:
        crops = list(threads.map(embedder.crop, views))
        halves = threads.map(embedder.embed_crops, (crops[::2], crops[1::2]))
        vectors = np.empty((len(crops), embedder.space.dim), np.float32)
        vectors[::2], vectors[1::2] = halves
    return vectors


def candidates(
    generation: Generation,
    rows: parts.Reader,
    vectors: np.ndarray,
    depth: int,
    options: SearchOptions,
    without: np.ndarray,
) -> Found:
    """The pictures near any view, the best of each group at least; best first."""
    where = options.condition
    index = generation.index
    projected = generation.projected(vectors)
    near = [index.search(rows, projected, depth, where).ids.ravel()]
    sketches = windows.sketch(vectors[:WHOLES])
    if index.parts is not None:
        keys = index.parts.search(rows, sketches, min(2 * depth, parts.MOST), where).ids.ravel()
        near.append(np.where(keys < 0, -1, keys // parts.PARTS))
    ids = np.unique(np.concatenate(near))
    compared = parts.beside(generation, rows, vectors, WHOLES, np.setdiff1d(ids[ids > 0], without))
    scores = compared.scores
    keep = np.zeros(len(compared.ids), bool)
    by_turn = np.zeros(len(compared.ids), bool)
    if not len(compared.ids):
        return Found(compared.ids, np.empty(0, np.float32), compared.ids, compared.ids, keep)
    for number, group in enumerate(GROUPS):
        best = np.argsort(-scores[group].max(axis=0), kind="stable")
        keep[best[: EACH if number else depth]] = True
        if number == 1:
            by_turn[best[:EACH]] = True
    view = scores.argmax(axis=0)
    here = np.arange(len(view))
    found = Found(
        compared.ids, clipped(scores[view, here]), view, compared.through[view, here], by_turn
    )
    order = np.flatnonzero(keep)[np.argsort(-found.scores[keep], kind="stable")]
    return Found(*(each[order] for each in found))


def confirmed(query: Features, found: Found, hits: list[Hit], verifier: Verifier) -> list[Hit]:
    """The hits that share points with the query first, and how they match.

    Most points come first; but a query may show two pictures, one pasted into the other. So a hit
    that shows another part of the query goes before more hits of the same part. Too few points to
    confirm a copy are still more likely than none: those hits come next.
    """
    flipped = query.mirrored()
    asked = dict(zip(found.ids.tolist(), range(len(found.ids)), strict=True))
    looked_at = 2 * EACH + EACH // 2
    verifier.until = time.monotonic() + SECONDS

    def matched(hit: Hit) -> tuple[Match, bool] | None:
        other = verifier.features_of(hit)
        if other is None:
            return None
        straight = match(query, other)
        if straight is not None and len(straight) >= FEWEST:
            return straight, False
        if found.mirrored[asked[hit.id]]:
            mirrored = match(flipped, other)
            if mirrored is not None and (straight is None or len(mirrored) > len(straight)):
                return mirrored, True
        return None if straight is None else (straight, False)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        matches = list(threads.map(matched, hits[:looked_at]))
    sure: list[tuple[np.ndarray, Hit]] = []
    unsure: list[tuple[int, Hit]] = []
    for hit, each in zip(hits, [*matches, *[None] * len(hits)], strict=False):
        count = 0 if each is None else len(each[0])
        if each is None or count < FEWEST:
            number = asked[hit.id]
            hit.place, hit.query_place = where(int(found.view[number]), int(found.part[number]))
            unsure.append((count, hit))
            continue
        hit.place, hit.query_place = places(*each)
        if is_flat(each[0].place):
            hit.points, hit.likeness, hit.match = count, SURE, words(*each)
            sure.append((cells_of(*each), hit))
        else:
            unsure.append((count, hit))
    unsure.sort(key=lambda pair: -pair[0])
    return [*by_what_they_show(sure), *(hit for _, hit in unsure)]


def is_flat(place: np.ndarray) -> bool:
    """Whether an outline (4, 2) is nearly a parallelogram: benchmarks/copies.py, ``strangers``."""
    a, b, c, d = place
    size = np.sqrt(cv2.contourArea(place))
    return float(np.linalg.norm(a - b + c - d)) <= PARALLEL * size


def cells_of(how: Match, mirrored: bool) -> np.ndarray:
    """Where the points of a match lie in the query, as it is: column and row, int64 (N, 2)."""
    points = np.abs(how.query - [1, 0]) if mirrored else how.query  # within 0 and 1
    return (points * CELLS).clip(0, CELLS - 1).astype(np.int64)


def by_what_they_show(sure: list[tuple[np.ndarray, Hit]]) -> list[Hit]:
    """Most points first; a hit, most of whose points no hit before it explains, goes ahead."""
    left = sorted(sure, key=lambda pair: -len(pair[0]))
    explained = np.zeros((CELLS + 2, CELLS + 2), bool)  # with a border
    first: list[Hit] = []

    def unexplained(pair: tuple[np.ndarray, Hit]) -> int:
        column, row = pair[0].T + 1
        new = int((~explained[row, column]).sum())
        return new if new >= max(FEWEST, len(column) / 2) else 0

    while left and unexplained(best := max(left, key=unexplained)):
        left = [pair for pair in left if pair is not best]
        first.append(best[1])
        for column, row in best[0]:
            explained[row : row + 3, column : column + 3] = True
    return [*first, *(hit for _, hit in left)]


def places(how: Match, mirrored: bool) -> tuple[Place, Place]:
    """Where the hit shows the query, and the query the hit."""
    place, inside = corners_of(how.place), corners_of(how.query_place)
    if mirrored:  # found with the mirrored query, told of the query
        place = tuple(place[n] for n in (1, 0, 3, 2))
        inside = tuple((1 - x, y) for x, y in inside)
    return place, inside


def words(how: Match, mirrored: bool) -> str:
    """Such as ``mirrored, turned by 90, crop``: what was done to the hit to get the query."""
    said = ["mirrored"] if mirrored else []
    turned = how.angle if mirrored else -how.angle % 360
    quarter = 90 * round(turned / 90)
    if abs(turned - quarter) < STRAIGHT:
        turned = quarter % 360
    if turned:
        said.append(f"turned by {turned:.0f}")
    if covered(how.place) < MOST_OF:
        said.append("crop")
    if covered(how.query_place) < MOST_OF:
        said.append("in the query")
    return ", ".join(said) or "whole"


def covered(place: np.ndarray) -> float:
    """The share of a picture that a convex outline covers, by a grid of points."""
    sides = np.roll(place, -1, axis=0) - place
    offsets = GRID[:, None] - place
    turns = sides[:, 0] * offsets[..., 1] - sides[:, 1] * offsets[..., 0]
    return float(((turns >= 0).all(axis=1) | (turns <= 0).all(axis=1)).mean())


def where(view: int, part: int) -> tuple[Place | None, Place | None]:
    """Where views put a hit that points do not confirm: in the hit, and in the query."""
    place = parts.place_of(part)
    if place is not None and view < TURNS:  # np.rot90 turns counterclockwise
        place = place[-view:] + place[:-view] if view else place
    elif place is not None and view == MIRRORED:
        place = tuple(place[n] for n in (1, 0, 3, 2))
    return place, windows.corners(CUTS[view - WHOLES]) if view >= WHOLES else None
