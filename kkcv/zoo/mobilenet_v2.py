"""MobileNet v2: residuals between thin layers.

Sandler, Howard, Zhu, Zhmoginov, Chen: MobileNetV2: Inverted Residuals and Linear Bottlenecks,
CVPR 2018, arXiv:1801.04381.
A block widens a thin map, filters it depthwise, and narrows it again; the shortcut joins the thin
ends, and the narrowing is linear, because a ReLU in few channels loses information (section 3.2).

    images (N, 3, 224, 224) → conv1 (32, 112²) → bottleneck1 (16) … bottleneck7 (320, 7²)
    → conv_last (1280, 7²) → embedding (N, 1280) → scores

Table 2 is ``BOTTLENECKS``, a row a stage; table 1 and figure 4d are the block.

Where the code differs from the paper
- Section 4 speaks of 19 residual layers, table 2 has 17; the code is the table.
- Channels are scaled to multiples of 8 (the authors' code), the last 1280 only by multipliers above
  1 (section 4). So 1.4 has 6.1 million parameters; no public implementation has table 4's 6.9.
- The first block, with t = 1, has no widening convolution, as in the authors' code. Of the peers,
  pytorchcv's ``mobilenetv2_w*`` has one, its ``mobilenetv2b_*`` has none; both scale without
  rounding (other widths than 1 differ in shape) and have no bias in the classifier.
- Norms have PyTorch's epsilon (0.00001) and momentum (0.1), with which the public weights of
  torchvision and timm were trained. The authors' code has 0.001 and a decay of 0.997;
  ``trained_in="tensorflow"`` puts their epsilon back.
- Dropout of 0.2 is the authors' code's; the paper gives no initialization: it is He's.
"""

from functools import partial

from torch import Tensor, nn

from .layers import GlobalAveragePool, conv_norm, he_normal, make_divisible, stack
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "mobilenet_v2",
    "MobileNet v2",
    Paper(
        "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
        "Sandler, Howard, Zhu, Zhmoginov, Chen",
        2018,
        "CVPR 2018, arXiv:1801.04381",
    ),
    "Shortcuts join thin linear layers; between them a block widens, filters and narrows again.",
    example="mobilenet_v2_1.0",
)

# Table 2. t: expansion, c: output channels, n: repeats, s: stride of the first.
BOTTLENECKS = (
    # t, c, n, s
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
conv = partial(conv_norm, activation=nn.ReLU6)


class Bottleneck(nn.Module):
    """1x1 widen → 3x3 depthwise → 1x1 narrow, linear, plus the input where it fits (table 1)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = in_channels * expansion
        self.expand = conv(in_channels, wide, 1) if expansion > 1 else nn.Identity()
        self.depthwise = conv(wide, wide, 3, stride, groups=wide)
        self.project = conv(wide, out_channels, 1, activation=None)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


def mobilenet_v2(width: float, num_classes: int = 1000, in_channels: int = 3) -> Network:
    """Table 2 with all layers scaled by the width multiplier."""
    channels, last = make_divisible(32 * width), make_divisible(1280 * max(1, width))
    stages: dict[str, nn.Module] = {"conv1": conv(in_channels, channels, 3, 2)}
    for i, (t, c, n, s) in enumerate(BOTTLENECKS):
        c = make_divisible(c * width)
        stages[f"bottleneck{i + 1}"] = stack(partial(Bottleneck, expansion=t), n, channels, c, s)
        channels = c
    stages["conv_last"] = conv(channels, last, 1)
    head = nn.Sequential()
    head.add_module("dropout", nn.Dropout(0.2))
    head.add_module("fc", nn.Linear(last, num_classes))
    network = Network(stages, GlobalAveragePool(), head)
    network.apply(he_normal)
    return network


def row(width: float, *aliases: str) -> Spec:
    dim, build = make_divisible(1280 * max(1, width)), partial(mobilenet_v2, width)
    return Spec(f"mobilenet_v2_{width}", FAMILY, build, dim, min_size=1, aliases=aliases)


# Section 4 and table 4; 0.35 and 1.3 are the authors' released checkpoints.
NETWORKS = (
    row(1.0, "mobilenet_v2", "mobilenetv2_100"),
    row(1.4, "mobilenetv2_140"),
    row(1.3, "mobilenetv2_130"),
    row(0.75, "mobilenetv2_075"),
    row(0.5, "mobilenetv2_050"),
    row(0.35, "mobilenetv2_035"),
)
