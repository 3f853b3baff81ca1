"""Wide ResNet: fewer layers, more channels.

Zagoruyko, Komodakis: Wide Residual Networks, BMVC 2016, arXiv:1605.07146.
Width makes residual networks better at least as well as depth does, and trains faster, for GPUs
are good at few large convolutions.

    images (N, 3, 224, 224) → conv1 (64, 112²) → pool1 (56²) → conv2_x (256) … conv5_x (2048, 7²)
    → embedding (N, 2048) → scores

Section 3 trains a ResNet-50 on ImageNet, too, whose inner 3x3 convolutions are k = 2 times as wide:
WRN-50-2-bottleneck. The blocks' outputs stay as they are. All else is ResNet.

Where the code differs from the paper
- The first number is the depth, the second the widening k. The paper's own networks for CIFAR and
  SVHN (WRN-28-10) are built otherwise and have no ImageNet form.
- The resolution is halved in the 3x3 (v1.5), as in the public weights.
- 101-2 is not in the paper: it is torchvision's.
- Initialization is He's.
"""

from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from .layers import conv_norm
from .network import Family, Paper, Spec
from .resnet import BOTTLENECK, resnet, shortcut

FAMILY = Family(
    "wide_resnet",
    "Wide ResNet",
    Paper("Wide Residual Networks", "Zagoruyko, Komodakis", 2016, "BMVC 2016, arXiv:1605.07146"),
    "Residual networks get better from more channels as they do from more layers, "
    "and train faster so.",
    example="wide_resnet50_2",
)


class WideBottleneck(nn.Module):
    """1x1 → 3x3, ``widening`` times as wide as ResNet's → 1x1, plus the shortcut."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, widening: int) -> None:
        super().__init__()
        width = out_channels // 4 * widening
        self.conv1 = conv_norm(in_channels, width, 1)
        self.conv2 = conv_norm(width, width, 3, stride)
        self.conv3 = conv_norm(width, out_channels, 1, activation=None)
        self.shortcut = shortcut(in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv3(self.conv2(self.conv1(x)))
        return F.relu(y + self.shortcut(x))


def row(depth: int, repeats: tuple[int, ...], widening: int) -> Spec:
    build = partial(resnet, partial(WideBottleneck, widening=widening), BOTTLENECK, repeats)
    return Spec(f"wide_resnet{depth}_{widening}", FAMILY, build, 2048, min_size=1)


NETWORKS = (row(50, (3, 4, 6, 3), 2), row(101, (3, 4, 23, 3), 2))
