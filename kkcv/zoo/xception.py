"""Xception: Inception taken to its extreme, a path for each channel.

Chollet: Xception: Deep Learning with Depthwise Separable Convolutions, CVPR 2017,
arXiv:1610.02357.
An Inception module looks for patterns across channels (1x1) and in space (3x3) apart; with a path
for each channel that is a depthwise convolution and a 1x1. A network of nothing else, with
shortcuts, beats Inception v3 with as many parameters.

    images (N, 3, 299, 299) → conv1 (32, 149²) → conv2 (64, 147²) → entry1 (128, 74²)
    → entry2 (256, 37²) → entry3 (728, 19²) → middle, 8 times (728) → exit (1024, 10²)
    → separable1 (1536) → separable2 (2048) → embedding (N, 2048) → scores

Figure 5 is ``ENTRY``, ``MIDDLE``, ``EXIT`` and ``LAST``. There is no nonlinearity between the two
parts of a separable convolution (section 4.7).

Where the code differs from the paper
- The depthwise convolution comes first, as in all frameworks; section 3 says that the order
  does not matter.
- Padding is symmetric, and norms have PyTorch's epsilon (Keras' is 0.001), as in the weights that
  timm has from the author's; Keras pads the pools' even maps at the far side alone.
- The paper gives no initialization: it is He's.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from .layers import GlobalAveragePool, conv_norm, he_normal
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "xception",
    "Xception",
    Paper(
        "Xception: Deep Learning with Depthwise Separable Convolutions",
        "Chollet",
        2016,
        "CVPR 2017, arXiv:1610.02357",
    ),
    "Separable convolutions are Inception modules with a path for each channel, "
    "and a network needs no others.",
    example="xception",
)

# Figure 5: the channels of each separable convolution of a block.
ENTRY = ((128, 128), (256, 256), (728, 728))
MIDDLE = (728, 728, 728)  # 8 times
EXIT = (728, 1024)
LAST = (1536, 2048)


def separable(in_channels: int, out_channels: int) -> nn.Sequential:
    """Depthwise 3x3 → 1x1 → batch norm."""
    layers = nn.Sequential()
    layers.add_module(
        "depthwise",
        nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False),
    )
    layers.add_module("pointwise", nn.Conv2d(in_channels, out_channels, 1, bias=False))
    layers.add_module("norm", nn.BatchNorm2d(out_channels))
    return layers


class XceptionBlock(nn.Module):
    """ReLU → separable convolution, two or three times, then a pool where the resolution halves.

    Plus the shortcut (figure 5). ``widths`` are the channels of each; the very first block has no
    ReLU in front, for its input is activated already.
    """

    def __init__(
        self, in_channels: int, widths: tuple[int, ...], stride: int, relu_first: bool = True
    ) -> None:
        super().__init__()
        self.relu_first = relu_first
        self.separable = nn.ModuleList()
        channels = in_channels
        for width in widths:
            self.separable.append(separable(channels, width))
            channels = width
        self.pool = nn.MaxPool2d(3, stride, padding=1) if stride > 1 else nn.Identity()
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1:
            self.shortcut = conv_norm(in_channels, channels, 1, stride, activation=None)

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for i, layer in enumerate(self.separable):
            y = layer(F.relu(y) if i or self.relu_first else y)
        return self.pool(y) + self.shortcut(x)


def activated(in_channels: int, out_channels: int) -> nn.Sequential:
    """A separable convolution → ReLU."""
    layers = separable(in_channels, out_channels)
    layers.add_module("act", nn.ReLU())
    return layers


def xception(num_classes: int = 1000, in_channels: int = 3) -> Network:
    """Figure 5."""
    stages: dict[str, nn.Module] = {
        "conv1": conv_norm(in_channels, 32, 3, 2, padding=0),
        "conv2": conv_norm(32, 64, 3, padding=0),
    }
    channels = 64
    for i, widths in enumerate(ENTRY, start=1):
        stages[f"entry{i}"] = XceptionBlock(channels, widths, 2, relu_first=i > 1)
        channels = widths[-1]
    stages["middle"] = nn.Sequential(*(XceptionBlock(channels, MIDDLE, 1) for _ in range(8)))
    stages["exit"] = XceptionBlock(channels, EXIT, 2)
    channels = EXIT[-1]
    for i, width in enumerate(LAST, start=1):
        stages[f"separable{i}"] = activated(channels, width)
        channels = width
    head = nn.Sequential()
    head.add_module("dropout", nn.Dropout(0.5))  # section 4.3
    head.add_module("fc", nn.Linear(channels, num_classes))
    network = Network(stages, GlobalAveragePool(), head)
    network.apply(he_normal)
    return network


NETWORKS = (
    Spec("xception", FAMILY, xception, 2048, (3, 299, 299), 7, aliases=("legacy_xception",)),
)
