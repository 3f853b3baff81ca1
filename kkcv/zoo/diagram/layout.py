"""Places for the nodes of a graph: layers from top to bottom, few crossings, straight arrows.

Longest path layering; the middles of the neighbors order the layers (Sugiyama, Tagawa, Toda 1981);
what follows one another without a fork shares one x, a strand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

GAP = 14  # between neighbors
LANE = 14  # the width that a long arrow takes in the layers that it passes
SWEEPS = 40


@dataclass(eq=False)
class Place:
    """A node, or where a long arrow passes a layer (``node`` is then None); ``x`` is its center."""

    node: int | None
    layer: int
    width: float
    above: list["Place"] = field(default_factory=list)
    below: list["Place"] = field(default_factory=list)
    x: float = 0.0


Strand = list[Place]


def layered(inputs: Sequence[Sequence[int]], widths: Sequence[float]) -> list[list[Place]]:
    """The layers, each from left to right; the leftmost edge is at 0."""
    depth: list[int] = []
    for sources in inputs:
        depth.append(max((depth[s] + 1 for s in sources), default=0))
    layers: list[list[Place]] = [[] for _ in range(max(depth) + 1)]
    places: list[Place] = []
    for node, sources in enumerate(inputs):
        place = Place(node, depth[node], widths[node])
        places.append(place)
        layers[depth[node]].append(place)
        for source in sources:
            connect(places[source], place, layers)
    order(layers)
    settle(layers)
    left = min(p.x - p.width / 2 for layer in layers for p in layer)
    for layer in layers:
        for p in layer:
            p.x -= left
    return layers


def connect(source: Place, target: Place, layers: list[list[Place]]) -> None:
    """An arrow, with a place of its own in each layer between."""
    last = source
    for layer in range(source.layer + 1, target.layer):
        between = Place(None, layer, LANE, [last])
        last.below.append(between)
        layers[layer].append(between)
        last = between
    last.below.append(target)
    target.above.append(last)


def order(layers: list[list[Place]]) -> None:
    """Sort each layer by the middle of its neighbors in the last, shortcuts to the right."""
    for before, layer in pairwise(layers):
        rank = {p: i for i, p in enumerate(before)}
        middle = {p: sum(rank[q] for q in p.above) / len(p.above) for p in layer}
        layer.sort(key=lambda p, m=middle: (m[p], p.node is None))  # type: ignore[misc]


def settle(layers: list[list[Place]]) -> None:
    """Move each strand as near to the middle of what it joins as its neighbors let it."""
    strands = strands_of(layers)
    strand_of = {p: i for i, strand in enumerate(strands) for p in strand}
    apart: dict[tuple[int, int], float] = {}
    for layer in layers:
        for p, q in pairwise(layer):
            pair = strand_of[p], strand_of[q]
            apart[pair] = max(apart.get(pair, 0), (p.width + q.width) / 2 + GAP)
    x = [0.0] * len(strands)
    for _ in strands:  # as far to the left as possible
        for (left, right), distance in apart.items():
            x[right] = max(x[right], x[left] + distance)
    for sweep in range(SWEEPS):
        for i in reversed(range(len(strands))) if sweep % 2 else range(len(strands)):
            ends = [strand_of[p] for p in strands[i][0].above + strands[i][-1].below]
            if not ends or strands[i][0].node is None:
                continue
            low = max((x[a] + d for (a, b), d in apart.items() if b == i), default=-1e9)
            high = min((x[b] - d for (a, b), d in apart.items() if a == i), default=1e9)
            x[i] = min(max(sum(x[e] for e in ends) / len(ends), low), high)
    for p, i in strand_of.items():
        p.x = x[i]


def strands_of(layers: list[list[Place]]) -> list[Strand]:
    """The places in runs without a fork or a join, from the top down."""
    strands: list[Strand] = []
    for layer in layers:
        for p in layer:
            if len(p.above) == 1 and len(p.above[0].below) == 1:
                next(s for s in strands if s[-1] is p.above[0]).append(p)
            else:
                strands.append([p])
    return strands
