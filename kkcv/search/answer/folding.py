"""Near-duplicates folded into one hit: twenty shots of one moment become one hit."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from kkcv.hit import Hit

FIRST = 3  # hits asked for at first, for each hit wanted
MORE = 4  # times as many if those were too few

Search = Callable[[int], list[list[Hit]]]  # a number of hits → the hits of each query
VectorsOf = Callable[[np.ndarray], np.ndarray]  # ids → float32 (N, D)


def folded_answers(search: Search, vectors_of: VectorsOf, k: int, least: float) -> list[list[Hit]]:
    """The first k hits of each query, of which no two score ``least`` or more with each other.

    The others are folded into the first hit that they resemble. Each round asks for more hits
    until there are k.
    """
    depth = FIRST * k
    while True:
        answers = search(depth)
        folded = [list(groups(hits, vectors_of, least)) for hits in answers]
        if all(
            len(found) >= k or len(hits) < depth
            for found, hits in zip(folded, answers, strict=True)
        ):
            return [found[:k] for found in folded]
        depth *= MORE


def groups(hits: Sequence[Hit], vectors_of: VectorsOf, least: float) -> Iterator[Hit]:
    """The hits that resemble no earlier one; the others are folded into the first they resemble."""
    vectors = vectors_of(np.array([hit.id for hit in hits], np.int64))
    shown: list[int] = []
    members: dict[int, list[int]] = {}
    for number, hit in enumerate(hits):
        alike = np.flatnonzero(vectors[shown] @ vectors[number] >= least)
        if len(alike):
            members[shown[alike[0]]].append(hit.id)
        else:
            members[number] = []
            shown.append(number)
    for number in shown:
        yield replace(hits[number], folded=tuple(members[number]))
