"""EfficientNet-Lite 0 to 4: EfficientNet for integer hardware.

Liu, EfficientNet-Lite, TensorFlow TPU repository, 2020 (a README and code; the base is Tan & Le:
EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, arXiv:1905.11946).
EfficientNet's blocks without squeeze-and-excite and with ReLU6 for swish, so that 8-bit weights
lose little; depth, width and resolution grow together, but stem, head and end stages stay.

    images (N, 3, 224, 224) → stem (32, 112²) → stage1 (16) … stage7 (320, 7²) → conv_head (1280)
    → embedding (N, 1280) → scores

Table 1 of the EfficientNet paper is ``STAGES`` in efficientnet.py; ``SCALES`` is the README's
table of scales.

Where the code differs from the source
- Padding is symmetric and norms have PyTorch's epsilon, as in timm's training of lite0; for the
  authors' own weights, ``tensorflow.py`` puts back their "SAME" padding and their epsilon.
- Input sizes are those of the authors' code. timm gives 300 and 380 for lite3 and lite4, and with
  these, not with 280 and 300, it measures the accuracies that the README prints.
- Initialization is the authors' code's: He's with fan-out, the classifier's uniform.
"""

import math
from collections.abc import Iterator
from functools import partial

from torch import Tensor, nn

from .efficientnet import STAGES, initialize
from .layers import DropPath, GlobalAveragePool, conv_norm, make_divisible
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "efficientnet_lite",
    "EfficientNet-Lite",
    Paper(
        "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
        "Tan, Le; Lite by Liu",
        2020,
        "ICML 2019, arXiv:1905.11946; EfficientNet-Lite README, tensorflow/tpu",
    ),
    "Depth, width and resolution grow together; "
    "no squeeze-and-excite and no swish, so that it survives 8-bit quantization.",
    example="efficientnet_lite0",
)

conv = partial(conv_norm, activation=nn.ReLU6)


class MBConv(nn.Module):
    """1x1 widen → depthwise kxk → 1x1 narrow without activation, plus the input where it fits."""

    def __init__(
        self, in_channels: int, out_channels: int, expansion: int, stride: int, k: int, drop: float
    ) -> None:
        super().__init__()
        wide = in_channels * expansion
        self.expand = conv(in_channels, wide, 1) if expansion > 1 else nn.Identity()
        self.depthwise = conv(wide, wide, k, stride, groups=wide)
        self.project = conv(wide, out_channels, 1, activation=None)
        self.residual = stride == 1 and in_channels == out_channels
        self.drop_path = DropPath(drop)

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + self.drop_path(y) if self.residual else y


def efficientnet_lite(
    width: float, depth: float, dropout: float, num_classes: int = 1000, in_channels: int = 3
) -> Network:
    """A row of the table of scales."""
    stages: dict[str, nn.Module] = {"stem": conv(in_channels, 32, 3, 2)}
    channels, drop = 32, drop_path_rates(depth)
    for i, (t, c, n, s, k) in enumerate(STAGES):
        c, stage = make_divisible(c * width), nn.Sequential()
        for j in range(repeats(i, n, depth)):
            stage.append(MBConv(channels, c, t, s if j == 0 else 1, k, next(drop)))
            channels = c
        stages[f"stage{i + 1}"] = stage
    stages["conv_head"] = conv(channels, 1280, 1)
    head = nn.Sequential()
    head.add_module("dropout", nn.Dropout(dropout))
    head.add_module("fc", nn.Linear(1280, num_classes))
    network = Network(stages, GlobalAveragePool(), head)
    network.apply(initialize)
    return network


def repeats(i: int, n: int, depth: float) -> int:
    """Blocks of stage ``i``: scaled up, but the first and the last stage stay as they are."""
    return n if i in (0, len(STAGES) - 1) else math.ceil(n * depth)


def drop_path_rates(depth: float) -> Iterator[float]:
    """From 0 in the first block up towards 0.2 (stochastic depth, survival 0.8)."""
    total = sum(repeats(i, n, depth) for i, (_, _, n, _, _) in enumerate(STAGES))
    return (0.2 * i / total for i in range(total))


def row(lite: int, width: float, depth: float, size: int, dropout: float) -> Spec:
    build = partial(efficientnet_lite, width, depth, dropout)
    return Spec(f"efficientnet_lite{lite}", FAMILY, build, 1280, (3, size, size), min_size=1)


# The table of the README.
SCALES = (
    # lite, width, depth, resolution, dropout
    (0, 1.0, 1.0, 224, 0.2),
    (1, 1.0, 1.1, 240, 0.2),
    (2, 1.1, 1.2, 260, 0.3),
    (3, 1.2, 1.4, 280, 0.3),
    (4, 1.4, 1.8, 300, 0.3),
)
NETWORKS = tuple(row(*scale) for scale in SCALES)
