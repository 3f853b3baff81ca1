"""ResNeXt: residual blocks of many alike, narrow paths.

Xie, Girshick, Dollár, Tu, He: Aggregated Residual Transformations for Deep Neural Networks,
CVPR 2017, arXiv:1611.05431.
A block is the sum of C paths of the same shape, each d channels wide; more paths (cardinality)
help more than more depth or width at the same cost.

    images (N, 3, 224, 224) → conv1 (64, 112²) → pool1 (56²) → conv2 (256) … conv5 (2048, 7²)
    → embedding (N, 2048) → scores

Figure 3 shows three forms of one block, a grouped convolution is the last of them, as here; table
1's right column is ``NETWORKS``, all else is ResNet.

Where the code differs from the paper
- 32x8d is not in the paper: torchvision and Facebook's later releases have it.
- Initialization is He's; the last norm of a block starts at one.
"""

from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from .layers import conv_norm
from .network import Family, Paper, Spec
from .resnet import BOTTLENECK, resnet, shortcut

FAMILY = Family(
    "resnext",
    "ResNeXt",
    Paper(
        "Aggregated Residual Transformations for Deep Neural Networks",
        "Xie, Girshick, Dollár, Tu, He",
        2016,
        "CVPR 2017, arXiv:1611.05431",
    ),
    "A residual block is the sum of many narrow paths of the same shape.",
    example="resnext50_32x4d",
)


class AggregatedBottleneck(nn.Module):
    """1x1 narrow → 3x3 in groups → 1x1 widen, plus the shortcut (figure 3, c).

    ``cardinality`` is C, the number of paths, and ``width`` is d, the channels of each in conv2;
    they double with every later stage. The 3x3 halves the resolution.
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, *, cardinality: int, width: int
    ) -> None:
        super().__init__()
        inner = cardinality * width * out_channels // BOTTLENECK[0]
        self.conv1 = conv_norm(in_channels, inner, 1)
        self.conv2 = conv_norm(inner, inner, 3, stride, groups=cardinality)
        self.conv3 = conv_norm(inner, out_channels, 1, activation=None)
        self.shortcut = shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv3(self.conv2(self.conv1(x)))
        return F.relu(y + self.shortcut(x))  # x + the sum of C paths, equation 3


def row(depth: int, repeats: tuple[int, ...], cardinality: int, width: int) -> Spec:
    block = partial(AggregatedBottleneck, cardinality=cardinality, width=width)
    build = partial(resnet, block, BOTTLENECK, repeats)
    return Spec(f"resnext{depth}_{cardinality}x{width}d", FAMILY, build, 2048, min_size=1)


# Table 1, and for 101 layers tables 3 and 4: depth, repeats, cardinality C, width d.
NETWORKS = (
    row(50, (3, 4, 6, 3), 32, 4),
    row(101, (3, 4, 23, 3), 32, 4),
    row(101, (3, 4, 23, 3), 32, 8),
    row(101, (3, 4, 23, 3), 64, 4),
)
