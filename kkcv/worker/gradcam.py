"""Grad-CAM: the regions that raised the score of each class.

Selvaraju et al., Grad-CAM, ICCV 2017, arXiv:1610.02391.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from kkcv.classify import Classifier
from kkcv.embedding.eager import Eager
from kkcv.embedding.whole import mean_of_views
from kkcv.images.decode import decode_small
from kkcv.images.heat import WHOLE, merged, overlaid


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
    1 and 2); of a network that classifies several views of a picture, it is the mean of theirs.
    ``target`` is the longer side of the shown picture.
    """
    pixels = decode_small(picture, target)
    height, width = pixels.shape[:2]
    seen = [view.seen(height, width) for view in classifier.checkpoint.views]
    with torch.enable_grad():
        images = torch.from_numpy(classifier.views(picture)).to(eager.device)
        features = eager.network.features(images)
        scores = eager.network.scores(features)
    answers = mean_of_views(scores.detach().float().cpu().numpy()[np.newaxis])
    probabilities = classifier.calibrated(answers)[0]
    names = classifier.labels(lang)
    for index in np.argsort(-probabilities, kind="stable")[:top].tolist():
        (gradient,) = torch.autograd.grad(scores[:, index].sum(), features, retain_graph=True)
        weights = gradient.mean((2, 3), keepdim=True)
        heats = (weights * features).sum(1).relu().detach().float().cpu().numpy()
        if len(seen) == 1:
            shown = overlaid(pixels, heats[0], seen[0])
        else:
            shown = overlaid(pixels, merged(heats, seen, height, width), WHOLE)
        yield ClassHeat(names[index], float(probabilities[index]), shown)
