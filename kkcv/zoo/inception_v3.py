"""Inception v3, and the Inception v2 of the same paper.

Szegedy, Vanhoucke, Ioffe, Shlens, Wojna: Rethinking the Inception Architecture for Computer
Vision, CVPR 2016, arXiv:1512.00567.
Large convolutions are factorized, 5x5 into two 3x3 and 7x7 into 1x7 and 7x1, which buys depth and
width for the same cost; resolution is halved by convolutions and a pool side by side.

    images (N, 3, 299, 299) → conv1 (32, 149²) … pool2 (192, 35²) → mixed_5b … 5d (288)
    → mixed_6a … 6e (768, 17²) → mixed_7a … 7c (2048, 8²) → embedding (N, 2048) → scores

The modules are figures 5, 6 and 7, those that halve the resolution figure 10, the auxiliary head
figure 8. It reads the last 17x17 map and is built on demand (``auxiliary=True``), for training at
the full size only; its loss counts 0.4 in the authors' code.

Where ``inception_v3`` differs from the paper
- It is the network that the authors released, not table 1: after the first pool come a 1x1 to 80,
  a 3x3 to 192 and a pool, and mixed_5b widens to 256; figure 5's second branch is a 1x1 to 48 and
  a 5x5. Module names are the released ones.
- Figure 8 has a layer of 1024 in the auxiliary head; the released one a 5x5 to 768. Its batch
  norm is what table 3 calls "BN auxiliary".
- Average pools count the padding, as in torchvision, timm and pytorchcv; TensorFlow does not.
  torchvision's weights want pixels normalized with mean and deviation 0.5 (``transform_input``).
- Dropout, of which the paper does not speak, keeps 0.8 in the authors' code, so its rate is 0.2;
  torchvision drops 0.5.
- Initialization is that of the authors' code, He's by fan-in, and in the auxiliary head normal with
  a deviation of 0.01 (5x5) and 0.001 (classes); the paper gives none. Norms have the authors'
  epsilon, 0.001; their decay of 0.9997 is a momentum of 0.0003, ours is PyTorch's 0.1.

``inception_v2_rethinking`` is table 1, which the paper calls Inception-v2, as far as it goes. The
paper leaves the widths inside the modules to a file that cannot be found, so there are no counts
and no peers to prove it against. Our reading:
- of each row of modules the last one halves the resolution: 2 + 1, 4 + 1 and 2;
- widths inside are those of Inception v3, whose sums are table 1's 288, 768, 1280 and 2048;
- figure 5's second branch is 1x1 and 3x3, as drawn.
That makes 24.0 million parameters and 5.6 billion multiply-adds. Table 3 prints 3.8 billion, and
4.8 with the factorized 7x7 that table 1 already shows, as for Inception v3, which needs 5.7.
"""

from torch import Tensor, nn

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
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "inception_v3",
    "Inception v3",
    Paper(
        "Rethinking the Inception Architecture for Computer Vision",
        "Szegedy, Vanhoucke, Ioffe, Shlens, Wojna",
        2015,
        "CVPR 2016, arXiv:1512.00567",
    ),
    "Large convolutions are factorized into small and one-dimensional ones, "
    "which buys depth and width for the same cost.",
    example="inception_v3",
)


def average(in_channels: int, projection: int) -> nn.Sequential:
    """3x3 average pool → 1x1."""
    return nn.Sequential(nn.AvgPool2d(3, 1, 1), conv(in_channels, projection, 1))


class InceptionA(FilterConcat):
    """At 35x35: 1x1 | 1x1 → ``second`` | 1x1 → 3x3 → 3x3 | pool → 1x1 (figure 5)."""

    def __init__(self, in_channels: int, projection: int, second: int = 5) -> None:
        super().__init__(
            {
                "1x1": conv(in_channels, 64, 1),
                f"{second}x{second}": chain(in_channels, (48, 1), (64, second)),
                "double_3x3": chain(in_channels, (64, 1), (96, 3), (96, 3)),
                "pool": average(in_channels, projection),
            }
        )


class ReductionA(FilterConcat):
    """From 35x35 to 17x17: 3x3/2 | 1x1 → 3x3 → 3x3/2 | max pool/2 (figure 10)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__(
            {
                "3x3": conv(in_channels, 384, 3, 2),
                "double_3x3": chain(in_channels, (64, 1), (96, 3), (96, 3, 2)),
                "pool": nn.MaxPool2d(3, 2),
            }
        )


class InceptionB(FilterConcat):
    """At 17x17: 1x1 | 1x1 → 7x7 | 1x1 → 7x7 → 7x7 | pool → 1x1, each 7x7 factorized (figure 6)."""

    def __init__(self, in_channels: int, width: int) -> None:
        row, column = (1, 7), (7, 1)
        w = width
        super().__init__(
            {
                "1x1": conv(in_channels, 192, 1),
                "7x7": chain(in_channels, (w, 1), (w, row), (192, column)),
                # columns first, unlike the branch above: so in the released network
                "double_7x7": chain(
                    in_channels, (w, 1), (w, column), (w, row), (w, column), (192, row)
                ),
                "pool": average(in_channels, 192),
            }
        )


class ReductionB(FilterConcat):
    """From 17x17 to 8x8: 1x1 → 3x3/2 | 1x1 → 7x7 → 3x3/2 | max pool/2."""

    def __init__(self, in_channels: int) -> None:
        super().__init__(
            {
                "3x3": chain(in_channels, (192, 1), (320, 3, 2)),
                "7x7_3x3": chain(in_channels, (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2)),
                "pool": nn.MaxPool2d(3, 2),
            }
        )


class InceptionC(FilterConcat):
    """At 8x8: 1x1 | 1x1 → split | 1x1 → 3x3 → split | pool → 1x1 (figure 7)."""

    def __init__(self, in_channels: int) -> None:
        super().__init__(
            {
                "1x1": conv(in_channels, 320, 1),
                "3x3": chain(in_channels, (384, 1)).append(split(384)),
                "double_3x3": chain(in_channels, (448, 1), (384, 3)).append(split(384)),
                "pool": average(in_channels, 192),
            }
        )


def split(channels: int) -> FilterConcat:
    """1x3 | 3x1: twice the channels, a high-dimensional representation (figure 7)."""
    return FilterConcat(
        {"1x3": conv(channels, channels, (1, 3)), "3x1": conv(channels, channels, (3, 1))}
    )


def inception_v3(
    num_classes: int = 1000, in_channels: int = 3, auxiliary: bool = False
) -> AuxiliaryNetwork:
    """The released network."""
    stages = {
        "conv1": conv(in_channels, 32, 3, 2),
        "conv2": conv(32, 32, 3, padding=0),
        "conv3": conv(32, 64, 3),
        "pool1": nn.MaxPool2d(3, 2),
        "conv4": conv(64, 80, 1),
        "conv5": conv(80, 192, 3, padding=0),
        "pool2": nn.MaxPool2d(3, 2),
        "mixed_5b": InceptionA(192, 32),
        "mixed_5c": InceptionA(256, 64),
        "mixed_5d": InceptionA(288, 64),
        "mixed_6a": ReductionA(288),
        "mixed_6b": InceptionB(768, 128),
        "mixed_6c": InceptionB(768, 160),
        "mixed_6d": InceptionB(768, 160),
        "mixed_6e": InceptionB(768, 192),
        "mixed_7a": ReductionB(768),
        "mixed_7b": InceptionC(1280),
        "mixed_7c": InceptionC(2048),
    }
    heads = {"mixed_6e": auxiliary_head(768, num_classes)} if auxiliary else {}
    network = AuxiliaryNetwork(
        stages, GlobalAveragePool(), classifier(num_classes), heads, AUXILIARY_MIN_SIZE
    )
    network.apply(he_fan_in)
    for name, weight in network.auxiliary.named_parameters():
        if name.endswith(("conv2.conv.weight", "fc.weight")):
            truncated_normal(weight, 0.01 if "conv2" in name else 0.001)
    return network


def truncated_normal(weight: Tensor, std: float) -> None:
    """Draw as TensorFlow does: what is farther than two deviations from 0 is drawn again."""
    nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)


def inception_v2_rethinking(num_classes: int = 1000, in_channels: int = 3) -> Network:
    """Table 1, a stage a row."""
    stages = {
        "conv1": conv(in_channels, 32, 3, 2),
        "conv2": conv(32, 32, 3, padding=0),
        "conv3": conv(32, 64, 3),
        "pool1": nn.MaxPool2d(3, 2),
        "conv4": conv(64, 80, 3, padding=0),
        "conv5": conv(80, 192, 3, 2),
        "conv6": conv(192, 288, 3),
        "figure5": nn.Sequential(
            InceptionA(288, 64, second=3), InceptionA(288, 64, second=3), ReductionA(288)
        ),
        "figure6": nn.Sequential(
            InceptionB(768, 128),
            InceptionB(768, 160),
            InceptionB(768, 160),
            InceptionB(768, 192),
            ReductionB(768),
        ),
        "figure7": nn.Sequential(InceptionC(1280), InceptionC(2048)),
    }
    network = Network(stages, GlobalAveragePool(), classifier(num_classes))
    network.apply(he_fan_in)
    return network


def classifier(num_classes: int) -> nn.Sequential:
    head = nn.Sequential()
    head.add_module("dropout", nn.Dropout(0.2))
    head.add_module("fc", nn.Linear(2048, num_classes))
    return head


NETWORKS = (
    Spec(
        "inception_v3",
        FAMILY,
        inception_v3,
        2048,
        (3, 299, 299),
        75,
        aliases=("inceptionv3",),
        auxiliary=True,
    ),
    Spec("inception_v2_rethinking", FAMILY, inception_v2_rethinking, 2048, (3, 299, 299), 75),
)
