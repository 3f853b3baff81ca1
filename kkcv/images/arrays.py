"""Pixels that a program holds already: arrays of NumPy, tensors of PyTorch."""

import sys
from typing import TYPE_CHECKING, TypeGuard, Union

import numpy as np

from kkcv.errors import PictureError

if TYPE_CHECKING:
    from torch import Tensor

Pixels = Union[np.ndarray, "Tensor"]


def is_tensor(value: object) -> "TypeGuard[Tensor]":
    torch = sys.modules.get("torch")  # loaded by the caller if it passes a tensor
    return torch is not None and isinstance(value, torch.Tensor)


def rgb_of(source: Pixels) -> np.ndarray:
    """The pixels of an array or tensor as uint8 RGB, (H, W, 3), or RGBA, (H, W, 4).

    An array is (H, W, 3), (H, W, 4) or, grey, (H, W) or (H, W, 1); a tensor has its channels first,
    as torchvision makes them. Both hold bytes, or floats from 0 to 1.

    Raises:
        PictureError: corrupt: another shape or range, such as normalized pixels.
    """
    array = channels_last(source) if is_tensor(source) else np.asarray(source)
    if array.ndim == 2:
        array = array[..., np.newaxis]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or not array.size:
        wanted = "(3, H, W)" if is_tensor(source) else "(H, W, 3)"
        raise PictureError(
            f"pixels are {wanted} in RGB, these have the shape {tuple(source.shape)}", "corrupt"
        )
    if array.shape[2] == 1:
        array = np.repeat(array, 3, axis=2)
    if array.dtype == np.bool_ or array.dtype.kind == "f":
        if not (array.min() >= 0 and array.max() <= 1):  # nan is not either
            raise PictureError(
                "pixels are uint8, or floats from 0 to 1 that are not normalized, these are "
                f"{array.dtype} from {array.min():.3g} to {array.max():.3g}",
                "corrupt",
            )
        array = np.rint(array * np.float32(255))
    elif array.dtype != np.uint8:
        raise PictureError(
            f"pixels are uint8, or floats from 0 to 1, these are {array.dtype}", "corrupt"
        )
    return np.array(array, np.uint8, order="C")  # a copy: callers may write into it


def channels_last(tensor: "Tensor") -> np.ndarray:
    """A tensor as an array, (C, H, W) as (H, W, C); what has its channels last stays so."""
    if tensor.is_floating_point():
        tensor = tensor.float()  # NumPy has no bfloat16
    array: np.ndarray = tensor.detach().cpu().numpy()
    first = array.ndim == 3 and array.shape[0] in (1, 3, 4)
    return np.moveaxis(array, 0, -1) if first else array
