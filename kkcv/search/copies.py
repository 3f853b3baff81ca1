"""Copies: the picture that the query was taken from, or that was put into it.

    query ─as it is, turned, mirrored, blurred, cut▶ candidates ─points▶ confirmed first

Most copies are found by the query as it is; the other views (views.py) take longer. They are
embedded while local points are compared (confirming.py), unless a hit is so near that it probably
shows all. Once a hit has all that the query shows, the views that are left are dropped.
"""

from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import TIMEOUT_MAX
from typing import TypeVar

import numpy as np

from kkcv import deadline
from kkcv.embedding import windows
from kkcv.errors import RequestError
from kkcv.hit import Hit
from kkcv.images.decode import decode
from kkcv.images.limits import Limits
from kkcv.query import Like, Text
from kkcv.timing import step

from .confirming import TOGETHER, Confirming
from .opened.generation import Generation
from .options import SearchOptions
from .picture import Pictures
from .proposing import Candidate, Proposing, together
from .verification.features import ASKED, features
from .verification.verify import Verifier
from .views import CUT, MIRRORED, SMOOTHED, TURNED, seen

Result = TypeVar("Result")
NEAREST = 25  # candidates of the query as it is, at least
LIKE_MIRRORED = 10  # of them: a network sees little difference between a picture and its mirror
GROUPS = (  # of other views, in the order in which they are asked, each with its candidates
    (TURNED, 5),
    ([MIRRORED], 10),
    ([SMOOTHED], 8),
    (CUT, 8),
)
BATCHES = ([*TURNED, MIRRORED, SMOOTHED], CUT)  # of one size: OpenVINO compiles again for another
LOOKED_AT = 50  # candidates of a group at most
TWIN = 0.1  # at most, by which a mirror image of a copy is less like the query
LIKELY = 0.85  # score of a copy as it is; the other views are asked at once if no hit has it


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
    embedder = generation.embedder
    workers = ThreadPoolExecutor(2)
    try:
        points = workers.submit(features, pixels, *ASKED)
        crop = embedder.crop(pixels)
        as_it_is = embedded(generation, [crop])
        proposing = Proposing(generation, as_it_is, options, own)
        found = proposing.near([0], as_it_is, max(k, NEAREST))

        def embed(views: Sequence[int]) -> dict[int, np.ndarray]:
            crops = [seen(view, embedder, pixels, crop) for view in views]
            return dict(zip(views, embedded(generation, crops), strict=True))

        def embed_others() -> dict[int, Future[dict[int, np.ndarray]]]:
            of_views: dict[int, Future[dict[int, np.ndarray]]] = {}
            for batch in BATCHES:
                of_views |= dict.fromkeys(batch, workers.submit(embed, batch))
            return of_views

        likely = bool(found and found[0].score >= LIKELY)
        others = {} if likely else embed_others()
        confirming = Confirming(
            in_time(points), pixels, Verifier(pictures, generation.sharing.turn, limits)
        )
        if likely:
            confirming.look(ids_of(found[:TOGETHER]))
            others = {} if confirming.explained else embed_others()
        confirming.look(ids_of(found[:LOOKED_AT]))
        if not confirming.explained:
            confirming.look(ids_of(found[:LIKE_MIRRORED]), mirrored=True)
        for views, most in GROUPS:
            if confirming.explained:
                break
            with step("embed"):
                vectors = np.stack([in_time(others[view])[view] for view in views])
            more = proposing.near(views, vectors, most)
            confirming.look(ids_of(more), mirrored=MIRRORED in views)
            found = together([*found, *more])
        if confirming.explained:  # a mirror image beside it is near too, and was not asked for
            alike = [each for each in found[: 2 * TOGETHER] if each.score > found[0].score - TWIN]
            confirming.look(ids_of(alike), mirrored=True)
    finally:
        workers.shutdown(wait=False, cancel_futures=True)
    return confirming.ordered(proposing.hits(found))[:k]


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


def in_time(future: Future[Result]) -> Result:
    """Its result (TimedOut); what a thread has begun goes on to its end."""
    try:
        return future.result(min(deadline.left(), TIMEOUT_MAX))
    except TimeoutError:
        deadline.check()
        raise


def ids_of(candidates: Sequence[Candidate]) -> list[int]:
    return [each.id for each in candidates]


def embedded(generation: Generation, crops: Sequence[np.ndarray]) -> np.ndarray:
    """The unit vectors of some views: float32 (V, D)."""
    with step("embed"):
        return generation.embedder.embed_crops(crops)
