"""Inception-ResNet v1, as in the paper's figures, and v2, as released.

Szegedy, Ioffe, Vanhoucke, Alemi: Inception-v4, Inception-ResNet and the Impact of Residual
Connections on Learning, AAAI 2017, arXiv:1602.07261.
Inception modules learn a difference to their input: branches, a linear 1x1 to the input's width,
scaled down, added. They train faster than without the addition, to about the same accuracy.

    images (N, 3, 299, 299) → stem (35²) → A modules → Reduction-A (17²) → B modules
    → Reduction-B (8²) → C modules → embedding (N, 1792 or 1536) → scores

``V1`` holds figures 10, 11 and 13 (modules) and 7 with table 1, 12 (reductions); ``V2`` 16, 17 and
19, 7 and 18. Figure 14 is the stem of v1, figure 15 the whole, figure 20 the scaled residual.

Where the code differs from the paper
- ``inception_resnet_v1`` differs only in its scales, for which the paper says 0.1 to 0.3 (section
  3.3): they are those of the released v2. pytorchcv's v1 (23,995,624 parameters) is facenet's: a
  sixth C module and a layer of 512 before the classifier. Everything before its last module is the
  same.
- ``inception_resnet_v2`` is the network that the authors released and everybody uses: a stem like
  that of Inception v3, widths 320, 1088 and 2080 for the figures' 384, 1152 and 2144, 10, 20 and
  10 modules for 5, 10 and 5, a last module without scale and ReLU, and a 1x1 to 1536. It has
  55,843,464 parameters; the figures' would have 32,433,928.
- Misprints: 1154 in figure 17 must be 1152, 2048 in figure 19 must be 2144, for the addition to
  be possible; figure 18 is of v2, not v1.
- The released v2 has an auxiliary head on its last B module, as Inception v3 has; the paper draws
  none. ``auxiliary=True`` builds it, for training at the full size.
- Dropout keeps 0.8, so its rate is 0.2. Initialization is He's by fan-in; the paper gives none.
  Norms have the authors' epsilon, 0.001; their decay of 0.9997 is a momentum of 0.0003, ours is
  PyTorch's 0.1.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from .inception import (
    AUXILIARY_MIN_SIZE,
    AuxiliaryNetwork,
    FilterConcat,
    Link,
    auxiliary_head,
    chain,
    conv,
    he_fan_in,
)
from .inception_v4 import average
from .layers import GlobalAveragePool
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "inception_resnet",
    "Inception-ResNet",
    Paper(
        "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
        "Szegedy, Ioffe, Vanhoucke, Alemi",
        2016,
        "AAAI 2017, arXiv:1602.07261",
    ),
    "Inception modules that learn a scaled-down difference to their input, and train faster so.",
    example="inception_resnet_v2",
)

ROW7, COLUMN7, ROW3, COLUMN3 = (1, 7), (7, 1), (1, 3), (3, 1)
Branches = tuple[tuple[Link, ...], ...]
Table = dict[str, Branches]

# A line is a branch; a convolution is (output channels, kernel), halving ones have a stride of 2.
V1: Table = {
    "A": (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (32, 3), (32, 3))),
    "Reduction-A": (((384, 3, 2),), ((192, 1), (192, 3), (256, 3, 2))),
    "B": (((128, 1),), ((128, 1), (128, ROW7), (128, COLUMN7))),
    "Reduction-B": (
        ((256, 1), (384, 3, 2)),
        ((256, 1), (256, 3, 2)),
        ((256, 1), (256, 3), (256, 3, 2)),
    ),
    "C": (((192, 1),), ((192, 1), (192, ROW3), (192, COLUMN3))),
}
V2: Table = {
    "A": (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))),
    "Reduction-A": (((384, 3, 2),), ((256, 1), (256, 3), (384, 3, 2))),
    "B": (((192, 1),), ((128, 1), (160, ROW7), (192, COLUMN7))),
    "Reduction-B": (
        ((256, 1), (384, 3, 2)),
        ((256, 1), (288, 3, 2)),
        ((256, 1), (288, 3), (320, 3, 2)),
    ),
    "C": (((192, 1),), ((192, 1), (224, ROW3), (256, COLUMN3))),
}
SCALES = {"A": 0.17, "B": 0.10, "C": 0.20}


def concat(in_channels: int, branches: Branches) -> FilterConcat:
    return FilterConcat(
        {f"branch{i}": chain(in_channels, *links) for i, links in enumerate(branches)}
    )


def width(branches: Branches) -> int:
    """Channels of the branches side by side."""
    return sum(links[-1][0] for links in branches)


class InceptionResNet(nn.Module):
    """Branches → linear 1x1 → scaled, plus the input → ReLU (figure 20)."""

    def __init__(
        self, channels: int, branches: Branches, scale: float, activation: bool = True
    ) -> None:
        super().__init__()
        self.branches = concat(channels, branches)
        self.linear = nn.Conv2d(width(branches), channels, 1)  # with bias, no norm after it
        self.scale = scale
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        y = x + self.scale * self.linear(self.branches(x))
        return F.relu(y) if self.activation else y

    def extra_repr(self) -> str:
        return f"scale={self.scale}, activation={self.activation}"


def reduction(in_channels: int, branches: Branches) -> FilterConcat:
    """Halving branches | max pool/2 (figures 7, 12 and 18)."""
    module = concat(in_channels, branches)
    module.add_module("pool", nn.MaxPool2d(3, 2))
    return module


def stem(in_channels: int) -> OrderedDict[str, nn.Module]:
    """(N, 3, 299, 299) → (N, 192, 71, 71): what both networks begin with (figure 14)."""
    return OrderedDict(
        conv1=conv(in_channels, 32, 3, 2),
        conv2=conv(32, 32, 3, padding=0),
        conv3=conv(32, 64, 3),
        pool1=nn.MaxPool2d(3, 2),
        conv4=conv(64, 80, 1),
        conv5=conv(80, 192, 3, padding=0),
    )


def mixed_5b() -> FilterConcat:
    """1x1 | 1x1 → 5x5 | 1x1 → 3x3 → 3x3 | pool → 1x1: 192 → 320 channels."""
    return FilterConcat(
        {
            "1x1": conv(192, 96, 1),
            "5x5": chain(192, (48, 1), (64, 5)),
            "double_3x3": chain(192, (64, 1), (96, 3), (96, 3)),
            "pool": average(192, 64),
        }
    )


def modules(kind: str, repeats: int, channels: int, table: Table) -> nn.Sequential:
    return nn.Sequential(
        *(InceptionResNet(channels, table[kind], SCALES[kind]) for _ in range(repeats))
    )


def inception_resnet_v1(num_classes: int = 1000, in_channels: int = 3) -> AuxiliaryNetwork:
    """Figure 15 with the modules of v1."""
    stages = {
        "stem": nn.Sequential(stem(in_channels) | {"conv6": conv(192, 256, 3, 2)}),
        "inception_resnet_a": modules("A", 5, 256, V1),
        "reduction_a": reduction(256, V1["Reduction-A"]),
        "inception_resnet_b": modules("B", 10, 896, V1),
        "reduction_b": reduction(896, V1["Reduction-B"]),
        "inception_resnet_c": modules("C", 5, 1792, V1),
    }
    return network(stages, 1792, num_classes, {})


def inception_resnet_v2(
    num_classes: int = 1000, in_channels: int = 3, auxiliary: bool = False
) -> AuxiliaryNetwork:
    """The released network, with its auxiliary head if asked for."""
    last = InceptionResNet(2080, V2["C"], scale=1.0, activation=False)
    stages = stem(in_channels) | {
        "pool2": nn.MaxPool2d(3, 2),
        "mixed_5b": mixed_5b(),
        "inception_resnet_a": modules("A", 10, 320, V2),
        "reduction_a": reduction(320, V2["Reduction-A"]),
        "inception_resnet_b": modules("B", 20, 1088, V2),
        "reduction_b": reduction(1088, V2["Reduction-B"]),
        "inception_resnet_c": modules("C", 9, 2080, V2).append(last),
        "conv_7b": conv(2080, 1536, 1),
    }
    heads = {"inception_resnet_b": auxiliary_head(1088, num_classes)} if auxiliary else {}
    return network(stages, 1536, num_classes, heads)


def network(
    stages: Mapping[str, nn.Module], channels: int, num_classes: int, heads: Mapping[str, nn.Module]
) -> AuxiliaryNetwork:
    head = nn.Sequential()
    head.add_module("dropout", nn.Dropout(0.2))
    head.add_module("fc", nn.Linear(channels, num_classes))
    built = AuxiliaryNetwork(stages, GlobalAveragePool(), head, heads, AUXILIARY_MIN_SIZE)
    built.apply(he_fan_in)
    return built


def row(name: str, build: Callable[..., Network], dim: int, alias: str, auxiliary: bool) -> Spec:
    size = (3, 299, 299)
    return Spec(name, FAMILY, build, dim, size, 75, aliases=(alias,), auxiliary=auxiliary)


NETWORKS = (
    row("inception_resnet_v1", inception_resnet_v1, 1792, "inceptionresnetv1", auxiliary=False),
    row("inception_resnet_v2", inception_resnet_v2, 1536, "inceptionresnetv2", auxiliary=True),
)
