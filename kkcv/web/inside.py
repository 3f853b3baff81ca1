"""What happens to a picture inside of a network: its feature maps, and what decided a class.

It needs torch, so that only the child process of ``studio.py`` imports it.
"""

import io
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from kkcv.classify import Classifier
from kkcv.images.decode import decode
from kkcv.images.heat import overlaid
from kkcv.images.limits import DEFAULT_LIMITS

CHANNELS = 18  # maps shown of each layer: those that answer most
ACROSS = 9
CELL = 96  # pixels, the side of a map
GAP = 4
# From low to high; each place between is mixed. Dark to bright, and told apart by the color-blind.
SCALE = np.array([(13, 8, 45), (40, 84, 138), (31, 153, 138), (141, 211, 78), (253, 231, 37)])


class Layer(NamedTuple):
    """A stage's output, (C, H, W), and its most active channels on a sheet, uint8 (h, w, RGBA)."""

    name: str
    shape: tuple[int, ...]
    sheet: np.ndarray


class Decided(NamedTuple):
    """A class, and a picture with what spoke for it: uint8 (H, W, 3)."""

    label: str
    probability: float
    picture: np.ndarray


def tensor_of(classifier: Classifier, picture: bytes) -> torch.Tensor:
    """A picture as its network wants it: (1, C, H, W)."""
    preprocess = classifier.checkpoint.preprocess
    pixels = decode(picture, DEFAULT_LIMITS, target=preprocess.target)
    return torch.from_numpy(preprocess(pixels)[None]).to(classifier.device)


def layers(classifier: Classifier, picture: bytes) -> list[Layer]:
    """The output of every stage whose output is a map, in the order of the paper."""
    found = []
    x = tensor_of(classifier, picture)
    with torch.inference_mode():
        for name, stage in classifier.network.stages.named_children():
            x = stage(x)
            if x.ndim == 4:
                found.append(Layer(name, tuple(x.shape[1:]), sheet(x[0].float().cpu().numpy())))
    return found


def sheet(maps: np.ndarray) -> np.ndarray:
    """The most active of (C, H, W), side by side, each in the colors of its own range."""
    best = np.argsort(-np.abs(maps).mean((1, 2)), kind="stable")[:CHANNELS]
    rows = -(-len(best) // ACROSS)
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
    even = (values - low) / max(high - low, 1e-12)
    large = np.asarray(
        Image.fromarray(even.astype(np.float32)).resize((CELL, CELL), Image.Resampling.NEAREST)
    )
    steps = np.linspace(0, 1, len(SCALE))
    return np.stack([np.interp(large, steps, SCALE[:, c]) for c in range(3)], 2).astype(np.uint8)


def deciding(classifier: Classifier, picture: bytes, top: int, lang: str) -> Iterator[Decided]:
    """What spoke for each of the most probable classes.

    Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391): the last feature map, each channel weighted
    with the mean of its gradient (equations 1 and 2).
    """
    network, preprocess = classifier.network, classifier.checkpoint.preprocess
    pixels = decode(picture, DEFAULT_LIMITS, target=512)
    seen = preprocess.seen(*pixels.shape[:2])
    with torch.enable_grad():
        features = network.features(tensor_of(classifier, picture))
        scores = network.scores(features)[0]
    chances = (scores.detach().float() / classifier.checkpoint.temperature).softmax(0)
    names = classifier.labels(lang)
    for index in chances.argsort(descending=True)[:top].tolist():
        (gradient,) = torch.autograd.grad(scores[index], features, retain_graph=True)
        weights = gradient.mean((2, 3), keepdim=True)
        heat = (weights * features).sum(1)[0].relu().detach().float().cpu().numpy()
        yield Decided(names[index], float(chances[index]), overlaid(pixels, heat, seen))


def as_png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()
