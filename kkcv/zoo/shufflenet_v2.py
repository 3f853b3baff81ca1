"""ShuffleNet V2: designed for measured speed, not for counted operations.

Ma, Zhang, Zheng, Sun: ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design,
ECCV 2018, arXiv:1807.11164.
Equal widths, no groups, few fragments and few elementwise operations run fast (guidelines G1 to
G4): so half of the channels pass through untouched, and a shuffle mixes the halves.

    images (N, 3, 224, 224) → conv1 (24, 112²) → pool1 (56²) → stage2 (28²) → stage3 (14²)
    → stage4 (7²) → conv5 (1024 or 2048) → embedding (N, 1024 or 2048) → scores

The unit is figure 3 c, with stride figure 3 d; table 5 is ``NETWORKS``. No activation follows the
depthwise convolution, and the shuffle comes after the concatenation.

Where the code differs from the paper
- Initialization is He's; the paper trains as ShuffleNet V1 and does not say.
- Where others differ: pytorchcv's shufflenetv2_* pool without padding and rounded up (the same
  56², half a step elsewhere), and widen conv5 to 1553 at 1.5 and 2153 at 2; its shufflenetv2b_*
  give the left branch of a stride-2 unit as many channels as come in, which is the paper's
  network at 0.5 alone.
"""

from functools import partial

import torch
from torch import Tensor, nn

from .layers import GlobalAveragePool, channel_shuffle, conv_norm, he_normal, stack
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "shufflenet_v2",
    "ShuffleNet V2",
    Paper(
        "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
        "Ma, Zhang, Zheng, Sun",
        2018,
        "ECCV 2018, arXiv:1807.11164",
    ),
    "Half of the channels pass through untouched and a shuffle mixes the halves: "
    "what measured speed, not counted operations, asks for.",
    example="shufflenet_v2_x1.0",
)

REPEATS = (4, 8, 4)  # table 5


class ShuffleUnit(nn.Module):
    """Split in halves, work on the right one, concatenate, shuffle (figure 3 c).

    With stride 2 nothing is split: both branches take all channels (figure 3 d).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        half = out_channels // 2
        self.split = stride == 1
        self.left = nn.Sequential()  # the identity
        if not self.split:
            self.left.append(
                conv_norm(in_channels, in_channels, 3, 2, groups=in_channels, activation=None)
            )
            self.left.append(conv_norm(in_channels, half, 1))
        self.right = nn.Sequential(
            conv_norm(half if self.split else in_channels, half, 1),
            conv_norm(half, half, 3, stride, groups=half, activation=None),
            conv_norm(half, half, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, dim=1) if self.split else (x, x)
        return channel_shuffle(torch.cat((self.left(left), self.right(right)), dim=1), groups=2)


def shufflenet_v2(
    widths: tuple[int, ...], conv5: int, num_classes: int = 1000, in_channels: int = 3
) -> Network:
    """A column of table 5."""
    stages: dict[str, nn.Module] = {
        "conv1": conv_norm(in_channels, 24, 3, 2),
        "pool1": nn.MaxPool2d(3, 2, padding=1),
    }
    channels = 24
    for i, (width, n) in enumerate(zip(widths, REPEATS, strict=True)):
        stages[f"stage{i + 2}"] = stack(ShuffleUnit, n, channels, width, stride=2)
        channels = width
    stages["conv5"] = conv_norm(channels, conv5, 1)
    network = Network(stages, GlobalAveragePool(), nn.Linear(conv5, num_classes))
    network.apply(he_normal)
    return network


def row(name: str, widths: tuple[int, ...], conv5: int, *aliases: str) -> Spec:
    build = partial(shufflenet_v2, widths, conv5)
    return Spec(name, FAMILY, build, conv5, min_size=1, aliases=aliases)


# Table 5: channels of stage2 to stage4, and of conv5.
NETWORKS = (
    row("shufflenet_v2_x0.5", (48, 96, 192), 1024, "shufflenet_v2_x0_5"),
    row("shufflenet_v2_x1.0", (116, 232, 464), 1024, "shufflenet_v2_x1_0", "shufflenet_v2"),
    row("shufflenet_v2_x1.5", (176, 352, 704), 1024, "shufflenet_v2_x1_5"),
    row("shufflenet_v2_x2.0", (244, 488, 976), 2048, "shufflenet_v2_x2_0"),
)
