"""Changes of training pictures that keep their class, by torchvision's transforms v2."""

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode, v2

from kkcv.images.preprocess import Preprocess
from kkcv.training.recipe import Recipe

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
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            changed = self.change(torch.from_numpy(pixels).permute(2, 0, 1))
        crop = changed.permute(1, 2, 0).contiguous().numpy()
        return torch.from_numpy(self.preprocess.normalize(crop[np.newaxis])[0])


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
