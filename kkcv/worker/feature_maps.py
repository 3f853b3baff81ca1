"""The feature maps of every stage of a network, drawn for people."""

from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image

from kkcv.embedding.eager import Eager
from kkcv.images.thumbnails import as_png

from . import StageMaps

CHANNELS = 18  # maps shown of each stage: those that answer most
ACROSS = 9
CELL = 96  # pixels, the side of a map
GAP = 4
# From low to high; each place between is mixed. Dark to bright, and told apart by the color-blind.
SCALE = np.array([(13, 8, 45), (40, 84, 138), (31, 153, 138), (141, 211, 78), (253, 231, 37)])


def feature_maps(eager: Eager, images: np.ndarray) -> Iterator[StageMaps]:
    """Every stage whose output is a map, in the order of the paper.

    ``images`` is one picture as the network takes it, float32 (1, C, H, W).
    """
    x = torch.from_numpy(images).to(eager.device)
    with torch.inference_mode():
        for name, stage in eager.network.stages.named_children():
            x = stage(x)
            if x.ndim == 4:
                maps = x[0].float().cpu().numpy()
                yield StageMaps(name, maps.shape, as_png(sheet(maps)))


def sheet(maps: np.ndarray) -> np.ndarray:
    """The most active of (C, H, W), each in the colors of its own range: uint8 (h, w, RGBA)."""
    best = np.argsort(-np.abs(maps).mean((1, 2)), kind="stable")[:CHANNELS]
    rows = -(-len(best) // ACROSS)  # rounded up
    across = min(ACROSS, len(best))
    size = CELL + GAP
    whole = np.zeros((rows * size - GAP, across * size - GAP, 4), np.uint8)  # clear between
    for place, channel in enumerate(best):
        top, left = place // ACROSS * size, place % ACROSS * size
        whole[top : top + CELL, left : left + CELL, :3] = colored(maps[channel])
        whole[top : top + CELL, left : left + CELL, 3] = 255
    return whole


def colored(values: np.ndarray) -> np.ndarray:
    """A map as colors, CELL pixels wide and high: float32 (H, W) → uint8 (CELL, CELL, 3)."""
    low, high = float(values.min()), float(values.max())
    even = (values - low) / max(high - low, 1e-12)  # a map of one value is even
    large = np.asarray(
        Image.fromarray(even.astype(np.float32)).resize((CELL, CELL), Image.Resampling.NEAREST)
    )
    steps = np.linspace(0, 1, len(SCALE))
    return np.stack([np.interp(large, steps, SCALE[:, c]) for c in range(3)], 2).astype(np.uint8)
