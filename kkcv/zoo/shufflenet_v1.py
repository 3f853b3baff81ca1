"""ShuffleNet: grouped 1x1 convolutions, and a shuffle of channels between them.

Zhang, Zhou, Lin, Sun: ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile
Devices, CVPR 2018, arXiv:1707.01083.
In small networks the 1x1 convolutions are most of the cost; in g groups they cost 1/g. A shuffle
of the channels lets each group of the next convolution see all groups of the last.

    images (N, 3, 224, 224) → conv1 (24, 112²) → pool1 (56²) → stage2 (28²) → stage3 (14²)
    → stage4 (7²) → embedding (N, 144 to 3072) → scores

The unit is figure 2 b, with stride figure 2 c; table 1 is ``STAGE2`` and ``REPEATS``; the scales
s of table 2 multiply every width. No activation follows the depthwise convolution (section 3.2),
and the first 1x1 of stage2 is not grouped, for its few input channels (table 1).

Where the code differs from the paper
- Whether conv1 scales is not said. For 0.5 to 2 the widths are those of the authors' later code;
  for 0.25 those that fit the printed 13 MFLOPs. pytorchcv scales it plainly (6 at 0.25, 36 at 1.5),
  so its state dicts of those scales do not fit.
- Table 2 also has g = 2 and 4 at 0.5 and 0.25, whose widths do not divide by g; how they were
  rounded is not said, and nobody has released them. They are left out.
- The shuffle is the paper's, (g, n) → (n, g). The authors' later code does the inverse, after the
  depthwise convolution: equal to train, but its weights do not fit.
- A stride-2 unit concatenates the branch before the pooled input, as pytorchcv; the paper does
  not say which is first.
- Initialization is He's, as in the ResNeXt code whose settings the paper takes (section 4).
"""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import GlobalAveragePool, channel_shuffle, conv_norm, he_normal
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "shufflenet_v1",
    "ShuffleNet",
    Paper(
        "ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices",
        "Zhang, Zhou, Lin, Sun",
        2017,
        "CVPR 2018, arXiv:1707.01083",
    ),
    "Grouped 1x1 convolutions save most of the cost; "
    "a shuffle of channels lets the groups exchange what they found.",
    example="shufflenet_v1_g3_x1",
)

# Table 1: output channels of stage2 by number of groups; stage3 and stage4 double them.
STAGE2 = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}
REPEATS = (4, 8, 4)


class ShuffleUnit(nn.Module):
    """1x1 in groups → shuffle → 3x3 depthwise → 1x1 in groups, plus the shortcut (figure 2 b).

    With stride 2 the shortcut is an average pool, concatenated instead of added (figure 2 c).
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, groups: int, first_groups: int
    ) -> None:
        super().__init__()
        width = out_channels // 4
        added = out_channels - in_channels if stride == 2 else out_channels
        self.stride, self.groups = stride, groups
        self.gconv1 = conv_norm(in_channels, width, 1, groups=first_groups)
        self.dwconv = conv_norm(width, width, 3, stride, groups=width, activation=None)
        self.gconv2 = conv_norm(width, added, 1, groups=groups, activation=None)
        self.shortcut = nn.AvgPool2d(3, 2, padding=1) if stride == 2 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = channel_shuffle(self.gconv1(x), self.groups)
        y = self.gconv2(self.dwconv(y))
        shortcut = self.shortcut(x)
        return F.relu(y + shortcut if self.stride == 1 else torch.cat((y, shortcut), dim=1))


def shufflenet_v1(
    groups: int, scale: float, conv1: int, num_classes: int = 1000, in_channels: int = 3
) -> Network:
    """A column of table 1, its widths times ``scale``."""
    stages: dict[str, nn.Module] = {
        "conv1": conv_norm(in_channels, conv1, 3, 2),
        "pool1": nn.MaxPool2d(3, 2, padding=1),
    }
    channels, width = conv1, int(STAGE2[groups] * scale)
    for i, n in enumerate(REPEATS):
        first = ShuffleUnit(channels, width, 2, groups, first_groups=1 if i == 0 else groups)
        rest = (ShuffleUnit(width, width, 1, groups, groups) for _ in range(1, n))
        stages[f"stage{i + 2}"] = nn.Sequential(first, *rest)
        channels, width = width, 2 * width
    network = Network(stages, GlobalAveragePool(), nn.Linear(channels, num_classes))
    network.apply(he_normal)
    return network


def row(groups: int, scale: float, conv1: int, *aliases: str) -> Spec:
    build = partial(shufflenet_v1, groups, scale, conv1)
    dim = int(4 * STAGE2[groups] * scale)
    name = f"shufflenet_v1_g{groups}_x{scale:g}"
    return Spec(name, FAMILY, build, dim, min_size=1, aliases=aliases)


# Table 2 and table 5: groups, scale, channels of conv1.
NETWORKS = (
    row(1, 1, 24, "shufflenet_g1"),
    row(2, 1, 24, "shufflenet_g2"),
    row(3, 1, 24, "shufflenet_g3", "shufflenet", "shufflenet_v1"),
    row(4, 1, 24, "shufflenet_g4"),
    row(8, 1, 24, "shufflenet_g8"),
    row(1, 0.5, 12),
    row(3, 0.5, 12),
    row(8, 0.5, 16),
    row(1, 0.25, 12),
    row(3, 0.25, 12),
    row(8, 0.25, 8),
    row(3, 1.5, 24),
    row(3, 2, 48),
    row(8, 1.5, 24),
    row(8, 2, 48),
)
