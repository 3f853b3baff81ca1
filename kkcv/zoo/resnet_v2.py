"""ResNet v2: residual networks with pre-activation.

He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks, ECCV 2016, arXiv:1603.05027.
Norm and activation come before each convolution and nothing comes after the addition, so that the
shortcuts form one clean path from the first unit to the last (equation 4).

    images (N, 3, 224, 224) → conv1 (64, 112²) → pool1 (56²) → conv2_x … conv5_x (7²)
    → post_activation → embedding (N, 512 or 2048) → scores

The unit is figure 4 e; its last line is equation 9. Widths and repeats are those of table 1 of the
first paper; 200 layers have 16 more units in conv3_x. The paper trains 152 and 200 layers on
ImageNet (table 5), the shallower ones are others' work.

Where the code differs from the paper
- The first activation (appendix): right after conv1, before the first unit splits into two paths.
  ``preresnet*_paper`` is that. The common re-implementations are not: ``preresnet*`` activates
  there and once more in the first unit (pytorchcv: 128 parameters more), ``resnetv2_*`` only in
  the first unit, after the pool (timm, whose weights it takes).
- A bottleneck halves the resolution in its 3x3, as the authors' Torch code does; pytorchcv's
  names without "b" do it in the first 1x1: the same weights fit both, but the scores differ.
- Initialization is that of the first paper, He's, with the classifier's bias at 0.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import Tensor, nn

from .layers import GlobalAveragePool, conv_norm, he_normal, norm_conv, norm_relu, stack
from .network import Family, Network, Paper, Spec
from .resnet import BASIC, BOTTLENECK

FAMILY = Family(
    "resnet_v2",
    "ResNet v2",
    Paper(
        "Identity Mappings in Deep Residual Networks",
        "He, Zhang, Ren, Sun",
        2016,
        "ECCV 2016, arXiv:1603.05027",
    ),
    "Norm and activation move before the convolutions, "
    "so that the shortcuts are one clean path from the first unit to the last.",
    example="preresnet50",
)


class FirstActivation(NamedTuple):
    """Where the first norm and activation stand."""

    after_conv1: bool
    in_first_unit: bool


PAPER = FirstActivation(True, False)
TIMM = FirstActivation(False, True)
TWICE = FirstActivation(True, True)

Residual = Callable[[int, int, int], nn.Module]


class PreActivationUnit(nn.Module):
    """BN → ReLU → the residual function F, plus the shortcut (figure 4 e).

    Where the shape changes, the shortcut is a 1x1 convolution of the activated input (appendix).
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, residual: Residual
    ) -> None:
        super().__init__()
        self.activation = norm_relu(in_channels)
        self.residual = residual(in_channels, out_channels, stride)
        self.projection: nn.Module | None = None
        if stride > 1 or in_channels != out_channels:
            self.projection = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        a = self.activation(x)
        shortcut = x if self.projection is None else self.projection(a)
        return shortcut + self.residual(a)  # x + F(f(x)), equation 9


def basic(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """3x3 → BN → ReLU → 3x3."""
    layers = nn.Sequential()
    layers.add_module("conv1", nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False))
    layers.add_module("conv2", norm_conv(out_channels, out_channels, 3))
    return layers


def bottleneck(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    """1x1 narrow → BN → ReLU → 3x3 → BN → ReLU → 1x1 widen."""
    width = out_channels // 4
    layers = nn.Sequential()
    layers.add_module("conv1", nn.Conv2d(in_channels, width, 1, bias=False))
    layers.add_module("conv2", norm_conv(width, width, 3, stride))
    layers.add_module("conv3", norm_conv(width, out_channels, 1))
    return layers


def resnet_v2(
    residual: Residual,
    widths: tuple[int, ...],
    repeats: tuple[int, ...],
    first: FirstActivation,
    num_classes: int = 1000,
    in_channels: int = 3,
) -> Network:
    """A column of table 1 of the first paper, pre-activated."""
    stages: dict[str, nn.Module] = {
        "conv1": conv_norm(in_channels, 64, 7, 2)
        if first.after_conv1
        else nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False),
        "pool1": nn.MaxPool2d(3, 2, padding=1),
    }
    unit = partial(PreActivationUnit, residual=residual)
    channels = 64
    for i, (width, n) in enumerate(zip(widths, repeats, strict=True)):
        stage = stack(unit, n, channels, width, stride=1 if i == 0 else 2)
        if i == 0 and not first.in_first_unit:
            stage[0].activation = nn.Identity()  # conv1's serves
        stages[f"conv{i + 2}_x"], channels = stage, width
    stages["post_activation"] = norm_relu(channels)
    network = Network(stages, GlobalAveragePool(), nn.Linear(channels, num_classes))
    network.apply(he_normal)
    return network


# Depth: residual function, widths, repeats.
DEPTHS: dict[int, tuple[Residual, tuple[int, ...], tuple[int, ...]]] = {
    18: (basic, BASIC, (2, 2, 2, 2)),
    34: (basic, BASIC, (3, 4, 6, 3)),
    50: (bottleneck, BOTTLENECK, (3, 4, 6, 3)),
    101: (bottleneck, BOTTLENECK, (3, 4, 23, 3)),
    152: (bottleneck, BOTTLENECK, (3, 8, 36, 3)),
    200: (bottleneck, BOTTLENECK, (3, 24, 36, 3)),
}


def row(name: str, depth: int, first: FirstActivation, *aliases: str) -> Spec:
    residual, widths, repeats = DEPTHS[depth]
    build = partial(resnet_v2, residual, widths, repeats, first)
    return Spec(name, FAMILY, build, widths[-1], min_size=1, aliases=aliases)


NETWORKS = (
    *(row(f"preresnet{depth}", depth, TWICE, f"preactresnet{depth}") for depth in DEPTHS),
    *(row(f"preresnet{depth}_paper", depth, PAPER) for depth in (152, 200)),
    *(row(f"resnetv2_{depth}", depth, TIMM) for depth in (18, 34, 50, 101, 152)),
)
