"""Changes of training pictures that keep their class, by torchvision's transforms v2."""

import threading

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode, v2

from kkcv.images.preprocess import Preprocess
from kkcv.training.recipe import Recipe

ONE_GENERATOR = threading.Lock()  # torch's, which all threads share
FILTERS = {
    "bicubic": InterpolationMode.BICUBIC,
    "bilinear": InterpolationMode.BILINEAR,
    "nearest": InterpolationMode.NEAREST,
}


class Augment:
    """Pixels, uint8 (H, W, 3) → a changed tensor, float32 (C, height, width).

    ``light`` crops at random (Inception's crop) and mirrors; ``randaugment`` then applies random
    operations (Cubuk et al., arXiv:1909.13719). It ends with the network's own normalization.
    """

    def __init__(self, kind: str, recipe: Recipe, preprocess: Preprocess) -> None:
        steps: list[torch.nn.Module] = [
            v2.RandomResizedCrop(
                preprocess.size,
                scale=(recipe.min_crop, 1.0),
                interpolation=FILTERS[preprocess.interpolation],
                antialias=True,
            ),
            v2.RandomHorizontalFlip(),
        ]
        if kind == "randaugment":
            grey = [128.0] * 3  # what moves in from outside
            steps.append(
                v2.RandAugment(recipe.randaugment_ops, recipe.randaugment_magnitude, fill=grey)
            )
        if preprocess.channels == 1:
            steps.append(v2.Grayscale())
        self.change = v2.Compose(steps)
        self.preprocess = preprocess

    def __call__(self, pixels: np.ndarray, seed: int) -> Tensor:
        """The same for the same seed, whichever process or thread asks."""
        crop = self.crop(pixels, seed)
        return torch.from_numpy(self.preprocess.normalize(crop[np.newaxis])[0])

    def crop(self, pixels: np.ndarray, seed: int) -> np.ndarray:
        """Not yet normalized: uint8 (height, width, C)."""
        with ONE_GENERATOR, torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            changed = self.change(torch.from_numpy(pixels).permute(2, 0, 1))
        return changed.permute(1, 2, 0).contiguous().numpy()


def mixing(recipe: Recipe, classes: int) -> v2.Transform | None:
    """Mixup (arXiv:1710.09412), CutMix (arXiv:1905.04899), or one of both at random a batch.

    images (N, C, H, W), labels (N,) → images, label probabilities (N, classes).
    """
    mixers: list[v2.Transform] = []
    if recipe.mixup:
        mixers.append(v2.MixUp(alpha=recipe.mixup, num_classes=classes))
    if recipe.cutmix:
        mixers.append(v2.CutMix(alpha=recipe.cutmix, num_classes=classes))
    if not mixers:
        return None
    return mixers[0] if len(mixers) == 1 else v2.RandomChoice(mixers)
