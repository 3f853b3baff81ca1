"""SENet: squeeze-and-excitation in ResNet and ResNeXt, and SENet-154.

Hu, Shen, Albanie, Sun, Wu: Squeeze-and-Excitation Networks, CVPR 2018, arXiv:1709.01507.
A block looks at the mean of each of its channels over the picture (squeeze) and learns from them
how much each channel matters here (excitation): a gate from 0 to 1 that scales the channel.

    images (N, 3, 224, 224) → conv1 (64 or 128, 112²) → pool1 (56²) → conv2_x (256) … conv5_x
    (2048, 7²) → embedding (N, 2048) → scores

Equations 2 to 4 are ``SqueezeExcite`` in layers.py, figure 3 is ``SEBottleneck``, table 1 is
``NETWORKS``; the appendix tells what SENet-154 changes. Gates stand on the residual branch, after
its last norm and before the addition; they squeeze the block's output channels by 16
(section 5.1), and both of their layers have biases.

Where the code differs from the paper
- The plain names are the authors' Caffe release: SE-ResNet halves the resolution in the first 1x1,
  and the first pool pads nothing but rounds up: 56² from 112² too, half a step elsewhere.
- ``*_v1.5`` are later re-implementations, whose weights fit either: the pool pads by one, and
  SE-ResNet halves in the 3x3 (timm without "legacy", pytorchcv). pytorchcv's seresnet50, 101 and
  152 (without "b") are between the two: Caffe's strides, padded pool.
- Initialization is that of He et al. (section 4), with fan-out.
"""

from collections.abc import Callable
from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from .layers import GlobalAveragePool, SqueezeExcite, conv_norm, he_normal, stack
from .network import Family, Network, Paper, Spec
from .resnet import BOTTLENECK

FAMILY = Family(
    "senet",
    "SENet",
    Paper(
        "Squeeze-and-Excitation Networks",
        "Hu, Shen, Albanie, Sun, Wu",
        2017,
        "CVPR 2018, arXiv:1709.01507",
    ),
    "Each block weighs its channels by a gate that it computes from their means over the picture.",
    example="seresnet50",
)


class SEBottleneck(nn.Module):
    """1x1 narrow → 3x3 in groups → 1x1 widen → squeeze-and-excite, plus the shortcut (figure 3).

    The 1x1 and the 3x3 have 1/``narrow1`` and 1/``narrow3`` of the output channels. ``strided``
    says which of them halves the resolution, ``projection`` the kernel of the shortcut there.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        *,
        narrow1: int,
        narrow3: int,
        groups: int,
        strided: str = "3x3",
        projection: int = 1,
    ) -> None:
        super().__init__()
        w1, w3 = out_channels // narrow1, out_channels // narrow3
        s1, s3 = (stride, 1) if strided == "1x1" else (1, stride)
        self.conv1 = conv_norm(in_channels, w1, 1, s1)
        self.conv2 = conv_norm(w1, w3, 3, s3, groups=groups)
        self.conv3 = conv_norm(w3, out_channels, 1, activation=None)
        self.se = SqueezeExcite(out_channels, out_channels // 16)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or in_channels != out_channels:
            kernel = projection if stride > 1 else 1
            self.shortcut = conv_norm(in_channels, out_channels, kernel, stride, activation=None)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv3(self.conv2(self.conv1(x)))
        return F.relu(self.se(y) + self.shortcut(x))


# Table 1, and the appendix for SENet-154.
SE_RESNET = partial(SEBottleneck, narrow1=4, narrow3=4, groups=1, strided="1x1")
SE_RESNET_V15 = partial(SEBottleneck, narrow1=4, narrow3=4, groups=1)
SE_RESNEXT_32X4D = partial(SEBottleneck, narrow1=2, narrow3=2, groups=32)
SENET_154 = partial(SEBottleneck, narrow1=2, narrow3=1, groups=64, projection=3)

# Kernel and channels of the convolutions of conv1; the first halves the resolution.
STEM = ((7, 64),)
STEM_154 = ((3, 64), (3, 64), (3, 128))


def senet(
    block: Callable[[int, int, int], nn.Module],
    repeats: tuple[int, ...],
    caffe: bool,
    stem: tuple[tuple[int, int], ...],
    dropout: float,
    num_classes: int = 1000,
    in_channels: int = 3,
) -> Network:
    """A column of table 1."""
    conv1, channels = nn.Sequential(), in_channels
    for i, (kernel, width) in enumerate(stem):
        conv1.append(conv_norm(channels, width, kernel, stride=2 if i == 0 else 1))
        channels = width
    stages: dict[str, nn.Module] = {
        "conv1": conv1,
        "pool1": nn.MaxPool2d(3, 2, ceil_mode=True) if caffe else nn.MaxPool2d(3, 2, padding=1),
    }
    for i, (width, n) in enumerate(zip(BOTTLENECK, repeats, strict=True)):
        stages[f"conv{i + 2}_x"] = stack(block, n, channels, width, stride=1 if i == 0 else 2)
        channels = width
    head = nn.Sequential()
    head.add_module("dropout", nn.Dropout(dropout))
    head.add_module("fc", nn.Linear(channels, num_classes))
    network = Network(stages, GlobalAveragePool(), head)
    network.apply(he_normal)
    return network


def row(
    name: str,
    block: Callable[[int, int, int], nn.Module],
    repeats: tuple[int, ...],
    *aliases: str,
    caffe: bool = True,
    stem: tuple[tuple[int, int], ...] = STEM,
    dropout: float = 0.0,
) -> Spec:
    build = partial(senet, block, repeats, caffe, stem, dropout)
    # Caffe's pool needs a map of 2x2 under it
    return Spec(name, FAMILY, build, 2048, min_size=3 if caffe else 1, aliases=aliases)


# Table 1.
NETWORKS = (
    row("seresnet50", SE_RESNET, (3, 4, 6, 3), "legacy_seresnet50"),
    row("seresnet101", SE_RESNET, (3, 4, 23, 3), "legacy_seresnet101"),
    row("seresnet152", SE_RESNET, (3, 8, 36, 3), "legacy_seresnet152"),
    row("seresnext50_32x4d", SE_RESNEXT_32X4D, (3, 4, 6, 3), "legacy_seresnext50_32x4d"),
    row("seresnext101_32x4d", SE_RESNEXT_32X4D, (3, 4, 23, 3), "legacy_seresnext101_32x4d"),
    row("senet154", SENET_154, (3, 8, 36, 3), "legacy_senet154", stem=STEM_154, dropout=0.2),
    row("seresnet50_v1.5", SE_RESNET_V15, (3, 4, 6, 3), caffe=False),
    row("seresnet101_v1.5", SE_RESNET_V15, (3, 4, 23, 3), caffe=False),
    row("seresnet152_v1.5", SE_RESNET_V15, (3, 8, 36, 3), caffe=False),
    row("seresnext50_32x4d_v1.5", SE_RESNEXT_32X4D, (3, 4, 6, 3), caffe=False),
    row("seresnext101_32x4d_v1.5", SE_RESNEXT_32X4D, (3, 4, 23, 3), caffe=False),
    row("senet154_v1.5", SENET_154, (3, 8, 36, 3), caffe=False, stem=STEM_154, dropout=0.2),
)
