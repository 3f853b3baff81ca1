"""The libraries that can resize, by name.

A backend is one function ``resize_crop(pixels, scaled, window, interpolation)``: it resizes
``pixels``, uint8 (H, W, C), to the height and width ``scaled`` with antialiasing and returns the
part ``window`` = (top, left, height, width) of that, uint8 (height, width, C). Where to resize and
crop to is decided once, in ``preprocess.py``, so backends differ in arithmetic only.
To add one: a file beside these, and its line in ``BACKENDS``. Each imports its library when used.
"""

from collections.abc import Callable

import numpy as np

from . import opencv, pillow, torchvision

Window = tuple[int, int, int, int]
Backend = Callable[[np.ndarray, tuple[int, int], Window, str], np.ndarray]

BACKENDS: dict[str, Backend] = {
    "pillow": pillow.resize_crop,
    "opencv": opencv.resize_crop,
    "torchvision": torchvision.resize_crop,
}
