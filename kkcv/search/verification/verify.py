"""Reordering the first hits: those that show the same object come first.

Philbin, Chum, Isard, Sivic, Zisserman: Object Retrieval with Large Vocabularies and Fast Spatial
Matching, CVPR 2007 (section 4: the best candidates are ordered by the number of matches that agree
on one change of view).
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from kkcv.hit import Hit, Place

from .features import Features
from .geometry import Match, match

FIRST = 50  # hits that are verified
TIE = 0.03  # scores this close to each other decide nothing

FeaturesOf = Callable[[Hit], Features | None]


def verified(query: Features, hits: list[Hit], features_of: FeaturesOf) -> list[Hit]:
    """The hits that show what the query shows, most matches first, with their place; then the
    others in their order. Only the FIRST are verified.
    """
    first, rest = hits[:FIRST], hits[FIRST:]

    def matched(hit: Hit) -> Match | None:
        found = features_of(hit)
        return None if found is None else match(query, found)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        matches = list(threads.map(matched, first))
    sure = [(each, hit) for each, hit in zip(matches, first, strict=True) if each is not None]
    sure.sort(key=lambda pair: -len(pair[0]))
    unsure = [hit for each, hit in zip(matches, first, strict=True) if each is None]
    return [hit._replace(place=place_of(each)) for each, hit in sure] + unsure + rest


def tied(hits: list[Hit]) -> int:
    """How many hits score too close to the best for their order to mean much; 0 for none."""
    if not hits:
        return 0
    best = max(hit.score for hit in hits)
    near = [place for place, hit in enumerate(hits) if hit.score >= best - TIE]
    return near[-1] + 1 if len(near) > 1 else 0


def place_of(found: Match) -> Place:
    return tuple((float(x), float(y)) for x, y in found.place)
