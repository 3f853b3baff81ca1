"""A map of pictures: a dot for each, its thumbnail under the mouse, clickable."""

from collections.abc import Callable, Sequence

import numpy as np

from .component import component, reported
from .guard import attempted

COLORS = (
    *("#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2", "#b279a2"),
    *("#eeca3b", "#ff9da6", "#9d755d", "#8cd17d", "#86bcb6", "#d37295"),
)
OTHER = "#999999"


def show_map(
    points: np.ndarray,
    ids: Sequence[int],
    names: Sequence[str],
    smalls: Sequence[str | None],
    groups: Sequence[str],
    *,
    key: str,
    label: str,
    others: str,
    on_pick: Callable[[int], None],
) -> None:
    """Dots at ``points`` (N, 2), 0 to 1, in the color of their group.

    The largest groups have colors of their own; ``others`` is the name of the rest.
    """
    mount = component("map")
    kinds = sorted(set(groups), key=lambda kind: (-groups.count(kind), kind))
    colors = dict(zip(kinds, COLORS, strict=False))
    rows = zip(ids, points, groups, names, smalls, strict=True)
    data = {
        "label": label,
        "legend": [*colors.items(), *([(others, OTHER)] if len(kinds) > len(colors) else [])],
        "dots": [
            [id, round(float(x), 4), round(float(y), 4), colors.get(kind, OTHER), name, small, kind]
            for id, (x, y), kind, name, small in rows
        ],
    }

    @attempted
    def picked() -> None:
        id = reported(key, "picked")
        if id is not None:
            on_pick(int(id))

    mount(key=key, data=data, on_picked_change=picked)
