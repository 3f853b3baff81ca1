"""Inception v4: uniform Inception modules in a deeper network.

Szegedy, Ioffe, Vanhoucke, Alemi: Inception-v4, Inception-ResNet and the Impact of Residual
Connections on Learning, AAAI 2017, arXiv:1602.07261.
Without the limits of earlier hardware, all modules of a grid size are the same, and there are more
of them than in Inception v3.

    images (N, 3, 299, 299) → stem (384, 35²) → 4 × Inception-A → Reduction-A (1024, 17²)
    → 7 × Inception-B → Reduction-B (1536, 8²) → 3 × Inception-C → embedding (N, 1536) → scores

Figure 9 is the whole, figure 3 the stem (conv1 to mixed_5a here; ``padding=0`` is its "V"),
figures 4, 5 and 6 are Inception-A, B and C, figure 7 with table 1 is Reduction-A, figure 8
Reduction-B.

Where the code differs from the paper
- Figure 5 draws both long branches of Inception-B differently: a second 1x7 where the released
  network has a 7x1, and 1x7 before 7x1 where it has 7x1 first. The code follows the released
  network, as timm and pytorchcv do. Figure 3 omits the stride of 2 of its last convolution.
- Figure 6 draws the 1x3 (448) before the 3x1 (512); the released network has them the other way
  around, and so it is here.
- The released network has an auxiliary head on the last Inception-B, as Inception v3 has; the paper
  draws none. ``auxiliary=True`` builds it, for training at the full size.
- Dropout keeps 0.8, so its rate is 0.2. Averages leave the padding out, as TensorFlow does.
- Initialization is that of the authors' code, He's by fan-in; the paper gives none. Norms have the
  authors' epsilon, 0.001; their decay of 0.9997 is a momentum of 0.0003, ours is PyTorch's 0.1.
"""

from torch import nn

from .inception import (
    AUXILIARY_MIN_SIZE,
    AuxiliaryNetwork,
    FilterConcat,
    auxiliary_head,
    chain,
    conv,
    he_fan_in,
)
from .layers import GlobalAveragePool
from .network import Family, Paper, Spec

FAMILY = Family(
    "inception_v4",
    "Inception v4",
    Paper(
        "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
        "Szegedy, Ioffe, Vanhoucke, Alemi",
        2016,
        "AAAI 2017, arXiv:1602.07261",
    ),
    "One uniform Inception module for each grid size, and more of them.",
    example="inception_v4",
)
ROW, COLUMN = (1, 7), (7, 1)


def average(in_channels: int, projection: int) -> nn.Sequential:
    """3x3 average pool, without the padding in its averages → 1x1."""
    pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    return nn.Sequential(pool, conv(in_channels, projection, 1))


def split(in_channels: int) -> FilterConcat:
    """1x3 | 3x1, each to 256 (figure 6)."""
    return FilterConcat(
        {"1x3": conv(in_channels, 256, (1, 3)), "3x1": conv(in_channels, 256, (3, 1))}
    )


class InceptionA(FilterConcat):
    """At 35x35: 1x1 | 1x1 → 3x3 | 1x1 → 3x3 → 3x3 | pool → 1x1 (figure 4)."""

    def __init__(self) -> None:
        super().__init__(
            {
                "1x1": conv(384, 96, 1),
                "3x3": chain(384, (64, 1), (96, 3)),
                "double_3x3": chain(384, (64, 1), (96, 3), (96, 3)),
                "pool": average(384, 96),
            }
        )


class ReductionA(FilterConcat):
    """From 35x35 to 17x17: 3x3/2 | 1x1 → 3x3 → 3x3/2 | max pool/2 (figure 7).

    Table 1: k, l, m, n are 192, 224, 256, 384.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "3x3": conv(384, 384, 3, 2),
                "double_3x3": chain(384, (192, 1), (224, 3), (256, 3, 2)),
                "pool": nn.MaxPool2d(3, 2),
            }
        )


class InceptionB(FilterConcat):
    """At 17x17: 1x1 | 1x1 → 7x7 | 1x1 → 7x7 → 7x7 | pool → 1x1, each 7x7 factorized (figure 5)."""

    def __init__(self) -> None:
        super().__init__(
            {
                "1x1": conv(1024, 384, 1),
                "7x7": chain(1024, (192, 1), (224, ROW), (256, COLUMN)),
                "double_7x7": chain(
                    1024, (192, 1), (192, COLUMN), (224, ROW), (224, COLUMN), (256, ROW)
                ),
                "pool": average(1024, 128),
            }
        )


class ReductionB(FilterConcat):
    """From 17x17 to 8x8: 1x1 → 3x3/2 | 1x1 → 7x7 → 3x3/2 | max pool/2 (figure 8)."""

    def __init__(self) -> None:
        super().__init__(
            {
                "3x3": chain(1024, (192, 1), (192, 3, 2)),
                "7x7_3x3": chain(1024, (256, 1), (256, ROW), (320, COLUMN), (320, 3, 2)),
                "pool": nn.MaxPool2d(3, 2),
            }
        )


class InceptionC(FilterConcat):
    """At 8x8: 1x1 | 1x1 → split | 1x1 → 3x1 → 1x3 → split | pool → 1x1 (figure 6)."""

    def __init__(self) -> None:
        super().__init__(
            {
                "1x1": conv(1536, 256, 1),
                "3x3": chain(1536, (384, 1)).append(split(384)),
                "double_3x3": chain(1536, (384, 1), (448, (3, 1)), (512, (1, 3))).append(
                    split(512)
                ),
                "pool": average(1536, 256),
            }
        )


def stem(in_channels: int) -> dict[str, nn.Module]:
    """(N, 3, 299, 299) → (N, 384, 35, 35) (figure 3)."""
    short = nn.Sequential(conv(160, 64, 1), conv(64, 96, 3, padding=0))
    long = chain(160, (64, 1), (64, ROW), (64, COLUMN)).append(conv(64, 96, 3, padding=0))
    return {
        "conv1": conv(in_channels, 32, 3, 2),
        "conv2": conv(32, 32, 3, padding=0),
        "conv3": conv(32, 64, 3),
        "mixed_3a": FilterConcat({"pool": nn.MaxPool2d(3, 2), "3x3": conv(64, 96, 3, 2)}),
        "mixed_4a": FilterConcat({"3x3": short, "7x7_3x3": long}),
        "mixed_5a": FilterConcat({"3x3": conv(192, 192, 3, 2), "pool": nn.MaxPool2d(3, 2)}),
    }


def inception_v4(
    num_classes: int = 1000, in_channels: int = 3, auxiliary: bool = False
) -> AuxiliaryNetwork:
    """Figure 9, with the released auxiliary head if asked for."""
    stages = stem(in_channels) | {
        "inception_a": nn.Sequential(*(InceptionA() for _ in range(4))),
        "reduction_a": ReductionA(),
        "inception_b": nn.Sequential(*(InceptionB() for _ in range(7))),
        "reduction_b": ReductionB(),
        "inception_c": nn.Sequential(*(InceptionC() for _ in range(3))),
    }
    head = nn.Sequential()
    head.add_module("dropout", nn.Dropout(0.2))
    head.add_module("fc", nn.Linear(1536, num_classes))
    heads = {"inception_b": auxiliary_head(1024, num_classes)} if auxiliary else {}
    network = AuxiliaryNetwork(stages, GlobalAveragePool(), head, heads, AUXILIARY_MIN_SIZE)
    network.apply(he_fan_in)
    return network


NETWORKS = (
    Spec(
        "inception_v4",
        FAMILY,
        inception_v4,
        1536,
        (3, 299, 299),
        75,
        aliases=("inceptionv4",),
        auxiliary=True,
    ),
)
