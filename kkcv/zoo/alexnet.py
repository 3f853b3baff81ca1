"""AlexNet: the two-tower network of 2012, its ungrouped reading, and the one-tower form.

Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks,
NIPS 2012. The one-tower form: Krizhevsky, One weird trick for parallelizing convolutional neural
networks, arXiv:1404.5997.
Rectified units, dropout and two GPUs let a large convolutional network train on ImageNet at all.

    images (N, 3, 227, 227) → conv1 (96, 55²) → pool1 (27²) → conv2 (256) → pool2 (13²) → conv3
    → conv4 → conv5 (256) → pool5 (6²) → fc6 → fc7: embedding (N, 4096) → scores

Section 3.5 and figure 2 are the tables below; 3.1 is ReLU, 3.2 the two towers (groups = 2 in
conv2, conv4 and conv5), 3.3 the normalization, 3.4 the overlapping pools, 4.2 dropout.

Where the code differs from the paper
- The paper says 224x224, but 55x55 maps of an unpadded 11x11 with stride 4 need 227x227.
- An adaptive average pool before fc6 lets pictures of other sizes through (as in torchvision); at
  the published size it changes nothing.
- ``alexnet_2012_ungrouped`` joins the towers: every convolution sees every map (62.4M parameters).
- ``alexnet_owt`` is torchvision's: one narrower tower, no normalization, input of 224x224 padded
  by 2, dropout before fc6 and fc7 instead of after. Its weights are public. It is initialized as
  the 2012 network.
- Figure 2 prints 253,440 neurons for conv1; 55·55·96 is 290,400.

Common mistakes elsewhere: α = 1e-4 in PyTorch's and Caffe's normalization, which divide it by n = 5
(pytorchcv's ``alexnet`` does, so it computes other scores from the same weights; it also leaves
224x224 unpadded and rounds pools up, which changes nothing at 227x227); normalization after the
pool or before ReLU; k = 1.
"""

from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from .layers import conv_relu
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "alexnet",
    "AlexNet",
    Paper(
        "ImageNet Classification with Deep Convolutional Neural Networks",
        "Krizhevsky, Sutskever, Hinton",
        2012,
        "NIPS 2012",
    ),
    "Rectified units, dropout and two GPUs let a large network train on ImageNet at all.",
    example="alexnet_2012_grouped",
)

# Section 3.5. c: output channels, k: kernel, s: stride, p: padding, g: groups (towers), then what
# follows: N normalization, P pool.
TWO_TOWERS = (
    # c,   k, s, p, g
    (96, 11, 4, 0, 1, "NP"),
    (256, 5, 1, 2, 2, "NP"),
    (384, 3, 1, 1, 1, ""),
    (384, 3, 1, 1, 2, ""),
    (256, 3, 1, 1, 2, "P"),
)
UNGROUPED = tuple((c, k, s, p, 1, after) for c, k, s, p, _, after in TWO_TOWERS)
ONE_TOWER = (
    (64, 11, 4, 2, 1, "P"),
    (192, 5, 1, 2, 1, "P"),
    (384, 3, 1, 1, 1, ""),
    (256, 3, 1, 1, 1, ""),
    (256, 3, 1, 1, 1, "P"),
)
Table = tuple[tuple[int, int, int, int, int, str], ...]
Dropout = tuple[float, float, float]  # rates before fc6, fc7 and fc8


class LocalResponseNorm(nn.Module):
    """b = a / (k + α Σ a²)^β, the sum over n adjacent maps (section 3.3)."""

    n, beta = 5, 0.75

    def __init__(self, k: float = 2, alpha: float = 1e-4) -> None:
        super().__init__()
        self.k, self.alpha = k, alpha

    def forward(self, a: Tensor) -> Tensor:
        maps, reach = a.shape[1], self.n // 2
        # not F.local_response_norm, which divides α by n; maps beyond the ends count as 0
        squares = F.pad(a.square(), (0, 0, 0, 0, reach, reach))
        total = squares[:, :maps]
        for i in range(1, self.n):
            total = total + squares[:, i : i + maps]
        return a / (self.k + self.alpha * total) ** self.beta


def alexnet(
    table: Table, dropout: Dropout, num_classes: int = 1000, in_channels: int = 3
) -> Network:
    """Five convolutions and three fully connected layers (figure 2)."""
    stages: dict[str, nn.Module] = {}
    channels = in_channels
    for i, (c, k, s, p, g, after) in enumerate(table, start=1):
        stages[f"conv{i}"] = conv_relu(channels, c, k, s, padding=p, groups=g)
        if "N" in after:
            stages[f"conv{i}"].add_module("lrn", LocalResponseNorm())
        if "P" in after:
            stages[f"pool{i}"] = nn.MaxPool2d(3, 2)  # overlapping: 3 wide every 2 (section 3.4)
        channels = c
    network = Network(stages, *fully_connected(channels, 6, dropout, num_classes))
    for name, module in network.named_modules():
        initialize(name, module)
    return network


def fully_connected(
    channels: int, side: int, dropout: Dropout, num_classes: int
) -> tuple[nn.Sequential, nn.Sequential]:
    """Neck and head: a map (N, channels, side, side) → fc6 → fc7, and fc8, each after its dropout.

    Maps of another side are averaged to that first.
    """
    neck = nn.Sequential()
    neck.add_module("pool", nn.AdaptiveAvgPool2d(side))
    neck.add_module("flatten", nn.Flatten())
    neck.add_module("drop6", nn.Dropout(dropout[0]))
    neck.add_module("fc6", nn.Linear(channels * side * side, 4096))
    neck.add_module("relu6", nn.ReLU())
    neck.add_module("drop7", nn.Dropout(dropout[1]))
    neck.add_module("fc7", nn.Linear(4096, 4096))
    neck.add_module("relu7", nn.ReLU())
    head = nn.Sequential()
    head.add_module("dropout", nn.Dropout(dropout[2]))
    head.add_module("fc", nn.Linear(4096, num_classes))
    return neck, head


def initialize(name: str, module: nn.Module) -> None:
    """Normal with deviation 0.01; biases 1 in conv2, conv4, conv5, fc6 and fc7 (section 5)."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.normal_(module.weight, std=0.01)
        assert module.bias is not None
        ones = ("stages.conv2", "stages.conv4", "stages.conv5", "neck.fc6", "neck.fc7")
        nn.init.constant_(module.bias, 1.0 if name.startswith(ones) else 0.0)


def row(name: str, table: Table, dropout: Dropout, size: int, min_size: int, *aliases: str) -> Spec:
    build = partial(alexnet, table, dropout)
    return Spec(name, FAMILY, build, 4096, (3, size, size), min_size, aliases=aliases)


NETWORKS = (
    row("alexnet_2012_grouped", TWO_TOWERS, (0, 0.5, 0.5), 227, 67, "alexnet_2012"),
    row("alexnet_2012_ungrouped", UNGROUPED, (0, 0.5, 0.5), 227, 67),
    row("alexnet_owt", ONE_TOWER, (0.5, 0.5, 0), 224, 63, "alexnet"),
)
