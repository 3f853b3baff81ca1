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

import numpy as np

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
from .proposing import Proposed, Proposing, together
from .verification.features import ASKED, features
from .verification.verify import Verifier
from .views import CUT, MIRRORED, SMOOTHED, TURNED, Crops, cut, mirrored_and_smoothed, turned

NEAREST = 25  # candidates of the query as it is, at least
OTHERS = (  # in the order in which they are asked: their numbers, crops, and candidates
    (TURNED, turned, 8),
    ((MIRRORED, SMOOTHED), mirrored_and_smoothed, 16),
    (CUT, cut, 8),
)
LOOKED_AT = 50  # candidates of a group at most
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
    threads = ThreadPoolExecutor(3)  # for the points of the query, and two groups of views
    try:
        points = threads.submit(features, pixels, ASKED)
        crop = embedder.crop(pixels)
        as_it_is = embedded(generation, [crop])
        proposing = Proposing(generation, as_it_is, options, own)
        hits, _ = proposing.near([0], as_it_is, max(k, NEAREST))

        def ask(views: Sequence[int], made: Crops, most: int) -> Proposed:
            return proposing.near(views, embedded(generation, made(embedder, pixels, crop)), most)

        def ask_others() -> list[Future[Proposed]]:
            return [threads.submit(ask, *group) for group in OTHERS]

        likely = bool(hits and hits[0].score >= LIKELY)
        others = [] if likely else ask_others()
        confirming = Confirming(
            points.result(), pixels, Verifier(pictures, generation.sharing.turn, limits)
        )
        if likely:
            confirming.look(hits[:TOGETHER])
            others = [] if confirming.explained else ask_others()
        confirming.look(hits[:LOOKED_AT])
        for other in others:
            if confirming.explained:
                break
            with step("embed"):
                more, mirrored = other.result()
            confirming.look(more[:LOOKED_AT], mirrored)
            hits = together(hits, more)
    finally:
        threads.shutdown(cancel_futures=True)
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


def embedded(generation: Generation, crops: Sequence[np.ndarray]) -> np.ndarray:
    """The unit vectors of some views: float32 (V, D)."""
    with step("embed"):
        return generation.embedder.embed_crops(crops)
