"""The parts of a richer embedding (zoo/richer.py): of all its views and stages, on one grid.

    views ─stages▶ maps ─parts of each▶ over the length of the view ─on one grid▶ sum

The length of a view counts as given, as the deviation of a layer norm does (parts.py). A mirrored
map is turned back, and a map of another size is shared out by area, so that nothing is lost.
"""

import numpy as np
import torch
from torch import Tensor

from kkcv.zoo.richer import DEEP, POWER, SCALES, Richer, resized

from .explanation import Parts, unit_length
from .parts import parts_of_map


def parts_of_richer(network: Richer, images: Tensor) -> Parts:
    """On the grid of the last map of the picture as it is: (1, C, H, W) → (h, w, D)."""
    with torch.no_grad():
        return sum_of_views(network, images)


def sum_of_views(network: Richer, images: Tensor) -> Parts:
    views = [images]
    if "scales" in network.richness:
        views += [resized(images, scale) for scale in SCALES]
    straight = [parts_of_view(network, view) for view in views]
    height, width = straight[0].parts.shape[:2]
    found = [on_grid(parts, height, width) for parts in straight]
    if "mirrored" in network.richness:
        for view in views:
            parts, rest = on_grid(parts_of_view(network, view.flip(3)), height, width)
            found.append(Parts(parts[:, ::-1], rest))
    return Parts(
        np.sum([each.parts for each in found], 0), np.sum([each.rest for each in found], 0)
    )


def parts_of_view(network: Richer, images: Tensor) -> Parts:
    """The parts of one view, divided by the length of its vector."""
    maps = []
    for stage in network.network.stages:
        images = stage(images)
        maps.append(images)
    if "stages" not in network.richness:
        last = maps[-1]
        gem = "gem" in network.richness
        return unit_length(pooled(last, gem) if gem else parts_of_map(network.network.neck, last))
    deep = [each for each in maps[-DEEP:] if each.ndim == 4]
    height, width = deep[-1].shape[2:]
    found = [
        on_grid(unit_length(pooled(each, "gem" in network.richness)), height, width)
        for each in deep
    ]
    parts, rests = zip(*found, strict=True)
    return unit_length(Parts(np.concatenate(parts, axis=2), np.concatenate(rests)))


def pooled(x: Tensor, gem: bool) -> Parts:
    """The mean of a map, or its generalized mean, by position: (1, c, h, w) → (h, w, c)."""
    if gem:
        # the derivative times the map, which adds up to the pooled value (parts.py)
        powers = x.clamp(min=1e-6).pow(POWER)
        x = powers * powers.mean(dim=(2, 3), keepdim=True).pow(1 / POWER - 1)
    parts = (x[0] / x[0, 0].numel()).permute(1, 2, 0).float().cpu().numpy()
    return Parts(parts, np.zeros(parts.shape[2], np.float32))


def on_grid(parts: Parts, height: int, width: int) -> Parts:
    """The same sum on a grid of another size, each position shared out by the area it covers."""
    rows, columns = (shares(n, m) for n, m in zip(parts.parts.shape, (height, width), strict=False))
    return Parts(np.einsum("ij,jkd,lk->ild", rows, parts.parts, columns), parts.rest)


def shares(size: int, other: int) -> np.ndarray:
    """How much of each of ``size`` equal parts lies in each of ``other``: float32 (other, size)."""
    edges, others = np.arange(size + 1) / size, np.arange(other + 1) / other
    ends = np.minimum(others[1:, None], edges[None, 1:])
    starts = np.maximum(others[:-1, None], edges[None, :-1])
    return (np.maximum(ends - starts, 0) * size).astype(np.float32)
