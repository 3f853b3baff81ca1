"""Networks as shapes: built and run for the sizes of their maps and weights, without any number."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

KEEP_THE_SHAPE = {
    *(F.batch_norm, F.relu, F.relu6, F.hardtanh, F.hardsigmoid, F.hardswish),
    *(F.silu, F.gelu, F.layer_norm),
    *(torch.tanh, torch.sigmoid),
}


class WithoutValues(TorchFunctionMode):
    """Skips what changes values alone: initialization, norms and activations.

    On the meta device PyTorch works out their shapes in Python, which took two thirds of the time.
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if func in KEEP_THE_SHAPE:
            return args[0]
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


@contextmanager
def shapes_only() -> Iterator[None]:
    """Networks that are built inside take no memory and have no values."""
    with torch.device("meta"), WithoutValues():
        yield
