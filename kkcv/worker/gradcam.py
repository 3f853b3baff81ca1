"""Grad-CAM: the regions that raised the score of each class.

Selvaraju et al., Grad-CAM, ICCV 2017, arXiv:1610.02391.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from kkcv.classify import Classifier
from kkcv.embedding.eager import Eager
from kkcv.images.decode import decode_small
from kkcv.images.heat import overlaid


class ClassHeat(NamedTuple):
    """A class, and the picture with the places that raised its score: uint8 (H, W, 3)."""

    label: str
    probability: float
    picture: np.ndarray


def gradcam(
    eager: Eager, classifier: Classifier, picture: bytes, top: int, lang: str, target: int
) -> Iterator[ClassHeat]:
    """The most probable classes, best first.

    The heat is the last feature map, each channel weighted with the mean of its gradient (equations
    1 and 2). ``target`` is the longer side of the shown picture.
    """
    network, preprocess = eager.network, classifier.checkpoint.preprocess
    pixels = decode_small(picture, target)
    seen = preprocess.seen(*pixels.shape[:2])
    with torch.enable_grad():
        images = torch.from_numpy(classifier.images(picture)).to(eager.device)
        features = network.features(images)
        scores = network.scores(features)[0]
    probabilities = (scores.detach().float() / classifier.checkpoint.temperature).softmax(0)
    names = classifier.labels(lang)
    for index in probabilities.argsort(descending=True)[:top].tolist():
        (gradient,) = torch.autograd.grad(scores[index], features, retain_graph=True)
        weights = gradient.mean((2, 3), keepdim=True)
        heat = (weights * features).sum(1)[0].relu().detach().float().cpu().numpy()
        yield ClassHeat(names[index], float(probabilities[index]), overlaid(pixels, heat, seen))
