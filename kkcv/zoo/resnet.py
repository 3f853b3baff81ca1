"""ResNet: residual networks, v1 and v1.5.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385.
A block learns the difference F(x) to its input instead of its output, H(x) = F(x) + x, so that
gradients pass through the identity and depth stops hurting.

    images (N, 3, 224, 224) → conv1 (64, 112²) → pool1 (56²) → conv2_x … conv5_x (7²)
    → embedding (N, 512 or 2048) → scores

Table 1 is ``NETWORKS``, with the width of its rows in ``BASIC`` and ``BOTTLENECK``; figure 5 shows
the two blocks; equation 1 is their last line.

Where the code differs from the paper
- Shortcuts are option B (a 1x1 convolution where the shape changes, section 3.3) in all depths, as
  in all public weights; the paper's 18 and 34 of table 2 use option A (zero padding).
- The paper halves the resolution in conv3_1, conv4_1, conv5_1 without saying where in a bottleneck:
  v1 does in the first 1x1 (the authors' Caffe release), v1.5 in the 3x3 (Torch, torchvision,
  timm). The same weights fit both, but the scores differ.
- Initialization is He's (section 3.4), as fan-out, with the classifier's bias at 0, as in the
  authors' code; the last norm of a block starts at 1, not at 0 as in later recipes.
"""

from collections.abc import Callable
from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from .layers import GlobalAveragePool, conv_norm, he_normal, stack
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "resnet",
    "ResNet",
    Paper(
        "Deep Residual Learning for Image Recognition",
        "He, Zhang, Ren, Sun",
        2015,
        "CVPR 2016, arXiv:1512.03385",
    ),
    "Each block learns the difference to its input and adds it back, "
    "so that networks of 100 layers and more train.",
    example="resnet50_v1.5",
)

# Table 1, output channels of conv2_x to conv5_x.
BASIC = (64, 128, 256, 512)
BOTTLENECK = (256, 512, 1024, 2048)


class BasicBlock(nn.Module):
    """3x3 → 3x3, plus the shortcut (figure 5, left)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = conv_norm(in_channels, out_channels, 3, stride)
        self.conv2 = conv_norm(out_channels, out_channels, 3, activation=None)
        self.shortcut = shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(self.conv1(x))
        return F.relu(y + self.shortcut(x))  # F(x) + x, equation 1


class Bottleneck(nn.Module):
    """1x1 narrow → 3x3 → 1x1 widen, plus the shortcut (figure 5, right).

    ``strided`` says which convolution halves the resolution, "1x1" or "3x3".
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, strided: str) -> None:
        super().__init__()
        width = out_channels // 4
        s1, s3 = (stride, 1) if strided == "1x1" else (1, stride)
        self.conv1 = conv_norm(in_channels, width, 1, s1)
        self.conv2 = conv_norm(width, width, 3, s3)
        self.conv3 = conv_norm(width, out_channels, 1, activation=None)
        self.shortcut = shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv3(self.conv2(self.conv1(x)))
        return F.relu(y + self.shortcut(x))


def shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """The identity, or a 1x1 convolution where the shape changes (section 3.3, option B)."""
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()
    return conv_norm(in_channels, out_channels, 1, stride, activation=None)


Block = Callable[[int, int, int], nn.Module]
V1 = partial(Bottleneck, strided="1x1")
V15 = partial(Bottleneck, strided="3x3")


def resnet(
    block: Block,
    widths: tuple[int, ...],
    repeats: tuple[int, ...],
    num_classes: int = 1000,
    in_channels: int = 3,
) -> Network:
    """A column of table 1."""
    stages: dict[str, nn.Module] = {
        "conv1": conv_norm(in_channels, 64, 7, 2),
        "pool1": nn.MaxPool2d(3, 2, padding=1),
    }
    channels = 64
    for i, (width, n) in enumerate(zip(widths, repeats, strict=True)):
        stages[f"conv{i + 2}_x"] = stack(block, n, channels, width, stride=1 if i == 0 else 2)
        channels = width
    network = Network(stages, GlobalAveragePool(), nn.Linear(channels, num_classes))
    network.apply(he_normal)
    return network


def row(
    name: str, block: Block, widths: tuple[int, ...], repeats: tuple[int, ...], *aliases: str
) -> Spec:
    build = partial(resnet, block, widths, repeats)
    return Spec(name, FAMILY, build, widths[-1], min_size=1, aliases=aliases)


# Table 1.
NETWORKS = (
    row("resnet18", BasicBlock, BASIC, (2, 2, 2, 2)),
    row("resnet34", BasicBlock, BASIC, (3, 4, 6, 3)),
    row("resnet50_v1", V1, BOTTLENECK, (3, 4, 6, 3)),
    row("resnet50_v1.5", V15, BOTTLENECK, (3, 4, 6, 3), "resnet50"),
    row("resnet101_v1", V1, BOTTLENECK, (3, 4, 23, 3)),
    row("resnet101_v1.5", V15, BOTTLENECK, (3, 4, 23, 3), "resnet101"),
    row("resnet152_v1", V1, BOTTLENECK, (3, 8, 36, 3)),
    row("resnet152_v1.5", V15, BOTTLENECK, (3, 8, 36, 3), "resnet152"),
)
