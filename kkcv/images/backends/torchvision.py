"""torchvision: the resize of tensors, vectorized for uint8, which follows Pillow closely."""

import numpy as np


def resize_crop(
    pixels: np.ndarray,
    scaled: tuple[int, int],
    window: tuple[int, int, int, int],
    interpolation: str,
) -> np.ndarray:
    """Resize a channels-last uint8 tensor with antialiasing, then crop."""
    import torch
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.v2 import functional

    modes = {
        "bicubic": InterpolationMode.BICUBIC,
        "bilinear": InterpolationMode.BILINEAR,
        "nearest": InterpolationMode.NEAREST_EXACT,  # the one that Pillow means by nearest
    }
    top, left, height, width = window
    writable = np.require(pixels, requirements=["C", "W"])  # torch warns of read-only arrays
    image = torch.from_numpy(writable).permute(2, 0, 1)
    resized = functional.resize(image, list(scaled), modes[interpolation], antialias=True)
    crop = resized[:, top : top + height, left : left + width]
    return np.ascontiguousarray(crop.permute(1, 2, 0).numpy())
