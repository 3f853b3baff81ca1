"""The text in the box of a layer."""

import operator
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from kkcv.zoo.layers import DropPath, SqueezeExcite, channel_shuffle

Label = tuple[str, str, list[str]]  # kind, title, what stands under it
TAGS = {  # norms and activations
    "BatchNorm2d": "BN",
    "BatchNorm1d": "BN",
    "LocalResponseNorm": "LRN",
    "LayerNorm": "LN",
    "ChannelNorm": "LN",
    "Squash": "tanh",
    "Hardswish": "h-swish",
    "LayerScale": "layer scale",
    "hardswish": "h-swish",
    "relu": "ReLU",
    **{name: name for name in ("ReLU", "ReLU6", "GELU", "SiLU", "Sigmoid", "Tanh")},
}
SPECIAL = {  # modules of the zoo that are one box
    "HalvingPool": ("pool", "3×3 max pool, /2"),
    "Subsampling": ("pool", "2×2 subsampling"),
    "SparseConvolution": ("conv", "5×5 sparse conv"),
    "GlobalAveragePool": ("pool", "global average pool"),
    "RadialBasis": ("dense", "RBF units"),
}
FUNCTIONS: dict[Any, tuple[str, str]] = {
    torch.cat: ("concat", "concat"),
    channel_shuffle: ("shuffle", "channel shuffle"),
    operator.matmul: ("other", "matmul"),
    torch.matmul: ("other", "matmul"),
    "softmax": ("other", "softmax"),
    "chunk": ("shuffle", "channel split"),
}
SILENT = ("Identity", "Dropout", "Flatten", "DropPath")
NAMED = ("query", "key", "value", "linear")  # layers whose name in the code says what they are


def is_one_box(module: nn.Module) -> bool:
    return (
        isinstance(module, SqueezeExcite | DropPath)
        or type(module).__name__ in SPECIAL
        or not (isinstance(module, nn.Sequential) or any(True for _ in module.children()))
    )


def layers(module: nn.Module) -> Iterator[nn.Module]:
    """The modules that are one box, in their order; not what is inside them."""
    if is_one_box(module):
        yield module
    else:
        for child in module.children():
            yield from layers(child)


def module_label(module: nn.Module, path: str, shape: tuple[int, ...]) -> Label | None:
    """The label of a module at a path in its block, with its output's shape; None for no label."""
    name = type(module).__name__
    if name in SILENT:
        return None
    if name in TAGS:
        return "tag", TAGS[name], []
    if isinstance(module, nn.Conv2d):
        return convolution(module, path)
    if isinstance(module, nn.Linear):
        if len(shape) == 3:  # of each position of a map
            return "conv", f"1×1 conv, {module.out_features}", []
        layer = path.split(".")[-1]
        return "dense", f"{layer}, {module.out_features}", []
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        return "pool", pooling(module), []
    if isinstance(module, nn.AdaptiveAvgPool2d):
        return ("pool", f"average pool → {shape[1]}×{shape[2]}", []) if shape else None
    if isinstance(module, SqueezeExcite):
        gate = type(module.gate).__name__.lower().replace("hardsigmoid", "hard sigmoid")
        squeezed, channels = module.fc1.out_channels, module.fc2.out_channels
        steps = [
            "global mean",
            f"fc {squeezed} · {type(module.act).__name__}",
            f"fc {channels} · {gate}",
            "scale",
        ]
        return "se", "squeeze-excite", steps
    kind, title = SPECIAL.get(name, ("other", name))
    if kind in ("conv", "dense") and shape:
        title = f"{title}, {shape[0]}"
    return kind, title, []


def convolution(module: nn.Conv2d, path: str = "") -> Label:
    """Named by kernel, channels and stride; under it groups, and the name where it tells more."""
    depthwise = 1 < module.groups == module.in_channels
    title = f"{kind_of_convolution(module)}, {module.out_channels}{halving(module.stride)}"
    tags = [f"{module.groups} groups"] if module.groups > 1 and not depthwise else []
    last = path.rpartition(".")[2]
    if last in (*NAMED, "project") and path.split(".")[0] in NAMED:
        tags.append(path.split(".")[0])
    return "depthwise" if depthwise else "conv", title, tags


def kind_of_convolution(module: nn.Conv2d) -> str:
    what = "depthwise" if 1 < module.groups == module.in_channels else "conv"
    return f"{kernel(module.kernel_size)} {what}"


def pooling(module: nn.MaxPool2d | nn.AvgPool2d) -> str:
    what = "max pool" if isinstance(module, nn.MaxPool2d) else "average pool"
    return f"{kernel(module.kernel_size)} {what}{halving(module.stride)}"


def kernel(size: Any) -> str:
    height, width = size if isinstance(size, tuple) else (size, size)
    return f"{height}×{width}"


def halving(stride: Any) -> str:
    down = stride[0] if isinstance(stride, tuple) else stride
    return f", /{down}" if down > 1 else ""
