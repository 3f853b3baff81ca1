"""Places for the nodes of a graph, from top to bottom: no crossings, straight arrows.

The graph is taken apart into what follows one another and what runs side by side (it is
series-parallel), so that every branch has a column of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

STEP, TURN = 18, 26  # from one box to the next; where branches part or meet
BESIDE = 12  # between columns
LANE = 14  # the width of an arrow that passes boxes

Point = tuple[float, float]
Size = tuple[float, float]


@dataclass(frozen=True)
class Lane:
    """An arrow that runs beside branches, without a node of its own."""

    source: int
    target: int


class Series(list["Part"]):
    """Parts one under the other, on one axis."""


class Parallel(list["Part"]):
    """Parts side by side."""


Part = int | Lane | Series | Parallel


@dataclass
class Layout:
    """``at`` is the middle of a node's upper edge; ``lanes`` are the axes of lanes."""

    width: float
    height: float
    at: dict[int, Point] = field(default_factory=dict)
    lanes: dict[tuple[int, int], float] = field(default_factory=dict)


def layout(inputs: Sequence[Sequence[int]], sizes: Sequence[Size], level: set[int]) -> Layout:
    """Where the nodes of a graph stand; ``inputs`` name earlier nodes.

    Under a node of ``level`` the longest branch is in line with what is around it; other branches
    meet in the middle.
    """
    parts = region(inputs, users_of(inputs), list(range(len(inputs))), [], level)
    assert isinstance(parts, Series)
    left, right, height = extent(parts, sizes, level)
    found = Layout(left + right, height)
    place(parts, left, 0, sizes, level, found)
    return found


def users_of(inputs: Sequence[Sequence[int]]) -> list[list[int]]:
    users: list[list[int]] = [[] for _ in inputs]
    for node, sources in enumerate(inputs):
        for source in sources:
            users[source].append(node)
    return users


def region(
    inputs: Sequence[Sequence[int]],
    users: Sequence[Sequence[int]],
    inside: list[int],
    lanes: list[Lane],
    level: set[int],
) -> Part:
    """Some nodes, beside lanes, taken apart where every path from end to end passes one node."""
    cuts = [] if lanes else passed_by_all(inputs, users, inside)
    if not cuts:
        parts = components(inputs, inside)
        if len(parts) == 1 and not lanes:
            return Series(by_depth(inputs, inside))
        if level.intersection(inside):  # a sum has no order: the longest branch first
            parts.sort(key=len, reverse=True)
        return Parallel([*(region(inputs, users, part, [], level) for part in parts), *lanes])
    found = Series()
    for before, cut in pairwise([-1, *cuts]):
        between = [node for node in inside if before < node < cut]
        if between:
            beside = [Lane(source, cut) for source in inputs[cut] if source not in between]
            found.append(region(inputs, users, between, beside, level))
        found.append(cut)
    after = [node for node in inside if node > cuts[-1]]
    if after:
        beside = [Lane(cuts[-1], user) for user in users[cuts[-1]] if user not in inside]
        found.append(region(inputs, users, after, beside, level))
    return found


def by_depth(inputs: Sequence[Sequence[int]], inside: list[int]) -> list[Part]:
    """Rows for what is tangled: each node in the row under all that it reads."""
    depth: dict[int, int] = {}
    for node in inside:
        depth[node] = max((depth.get(source, -1) + 1 for source in inputs[node]), default=0)
    rows = [[n for n in inside if depth[n] == d] for d in range(max(depth.values()) + 1)]
    return [Parallel(row) for row in rows]


def passed_by_all(
    inputs: Sequence[Sequence[int]], users: Sequence[Sequence[int]], inside: list[int]
) -> list[int]:
    """The nodes that lie on every path through the region, by counting the paths."""
    here = set(inside)
    down: dict[int, int] = {}
    up: dict[int, int] = {}
    for node in inside:
        down[node] = sum(down.get(source, 1) for source in inputs[node]) or 1
    for node in reversed(inside):
        up[node] = sum(up.get(user, 1) for user in users[node]) or 1
    ends = {n: sum(u not in here for u in users[n]) or not users[n] for n in inside}
    # the ways down to a node times those on from it are all ways, if every one passes it
    total = sum(down[node] * ends[node] for node in inside)
    return [node for node in inside if down[node] * up[node] == total]


def components(inputs: Sequence[Sequence[int]], inside: list[int]) -> list[list[int]]:
    """The parts of the region that nothing in it joins, in their order."""
    found: list[list[int]] = []
    for node in inside:
        joined = [part for part in found if any(source in part for source in inputs[node])]
        together = sorted([n for part in joined for n in part] + [node])
        first = found.index(joined[0]) if joined else len(found)
        rest = [part for part in found if part not in joined]
        found = [*rest[:first], together, *rest[first:]]
    return found


def extent(part: Part, sizes: Sequence[Size], level: set[int]) -> tuple[float, float, float]:
    """How far a part reaches to the left and to the right of its axis, and how far down."""
    if isinstance(part, int):
        width, height = sizes[part]
        return width / 2, width / 2, height
    if isinstance(part, Lane):
        return LANE / 2, LANE / 2, 0
    extents = [extent(p, sizes, level) for p in part]
    if isinstance(part, Series):
        gaps = sum(gap(a, b) for a, b in pairwise(part))
        sides = max(e[0] for e in extents), max(e[1] for e in extents)
        return *sides, sum(e[2] for e in extents) + gaps
    width = sum(left + right for left, right, _ in extents) + BESIDE * (len(part) - 1)
    left = axis(part, extents, level, width)
    return left, width - left, max(e[2] for e in extents)


def axis(
    part: Parallel, extents: list[tuple[float, float, float]], level: set[int], width: float
) -> float:
    """How far from its left edge parallel parts are in line with what is around them."""
    branches = [i for i, p in enumerate(part) if not isinstance(p, Lane)]
    leads = len(branches) == 1 or bool(level & ends(part))
    if not leads:
        return width / 2
    main = max(branches, key=lambda i: extents[i][2])
    before = sum(left + right + BESIDE for left, right, _ in extents[:main])
    return before + extents[main][0]


def ends(part: Part) -> set[int]:
    """The last nodes of a part."""
    if isinstance(part, int):
        return {part}
    if isinstance(part, Lane):
        return set()
    return ends(part[-1]) if isinstance(part, Series) else set().union(*map(ends, part))


def gap(above: Part, below: Part) -> float:
    return TURN if isinstance(above, Parallel) or isinstance(below, Parallel) else STEP


def place(
    part: Part, x: float, y: float, sizes: Sequence[Size], level: set[int], found: Layout
) -> None:
    """Put a part with its axis at x and its upper edge at y."""
    if isinstance(part, int):
        found.at[part] = x, y
    elif isinstance(part, Lane):
        found.lanes[part.source, part.target] = x
    elif isinstance(part, Series):
        for i, p in enumerate(part):
            y += gap(part[i - 1], p) if i else 0
            place(p, x, y, sizes, level, found)
            y += extent(p, sizes, level)[2]
    else:
        x -= extent(part, sizes, level)[0]
        for p in part:
            left, right, _ = extent(p, sizes, level)
            place(p, x + left, y, sizes, level, found)
            x += left + right + BESIDE


def routes(
    inputs: Sequence[Sequence[int]], sizes: Sequence[Size], found: Layout
) -> list[list[Point]]:
    """The corners of every arrow: down, aside where branches part or meet, down."""
    users = users_of(inputs)
    arrows = []
    for target, sources in enumerate(inputs):
        for source in sources:
            (x1, y1), (x2, y2) = found.at[source], found.at[target]
            y1 += sizes[source][1]
            x = x2 if len(users[source]) > 1 else x1
            x = found.lanes.get((source, target), x)
            points = [(x1, y1)]
            if abs(x - x1) > 0.5:  # less is no turn but rounding
                points += [(x1, y1 + 10), (x, y1 + 10)]  # pixels below a box, within the gap TURN
            if abs(x - x2) > 0.5:
                points += [(x, y2 - 14), (x2, y2 - 14)]  # room for the head of the arrow
            arrows.append([*points, (x2, y2)])
    return arrows
