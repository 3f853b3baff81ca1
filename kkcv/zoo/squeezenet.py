"""SqueezeNet: AlexNet's accuracy with a fiftieth of its parameters.

Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer: SqueezeNet: AlexNet-level accuracy with 50x fewer
parameters and <0.5MB model size, 2016, arXiv:1602.07360.
A fire module squeezes its input to few channels by 1x1 convolutions and expands these by 1x1 and
3x3 convolutions side by side, so that the costly 3x3 see few channels; pools come late, so that
maps stay large.

    images (N, 3, 224, 224) → conv1 (96, 109²) → pool1 (54²) → fire2 … fire4 (256) → pool4 (27²)
    → fire5 … fire8 (512) → pool8 (13²) → fire9 (512, 13²) → conv10 at every position (1000, 13²)
    → mean: scores                                          embedding (N, 512): the mean of fire9

Table 1 is ``V1_0``; figure 1 is ``Fire``. ``V1_1`` is the authors' later release: a smaller first
convolution and earlier pools, 2.4 times less work, the same accuracy.

Where the code differs from the paper
- There is no vector under the classifier: conv10 classifies every position of the map, and the
  scores are the mean of its rectified answers. The embedding is the mean of the map below.
- Table 1 prints maps of 111, 55, 27 and 13 pixels from pictures of 224; with the unpadded first
  convolution that takes the 227 of the released model. torchvision uses 224: 109, 54, 27 and 13.
- The released v1.0 pads the 1x1 convolution conv10 by one, which adds a frame of rectified biases
  to its map; the paper does not say so, and torchvision and pytorchcv do not do so.
- The bypass connections of section 6 and deep compression (section 4.2) are other networks.
- Initialization is the release's: uniform by fan-in (Caffe's "xavier"), conv10 normal with 0.01.
"""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import GlobalAveragePool, conv_relu
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "squeezenet",
    "SqueezeNet",
    Paper(
        "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
        "Iandola, Han, Moskewicz, Ashraf, Dally, Keutzer",
        2016,
        "arXiv:1602.07360",
    ),
    "Modules squeeze their input to few channels before they look at it with 3x3 windows.",
    example="squeezenet1_0",
)

# s: 1x1 filters that squeeze, e1, e3: 1x1 and 3x3 filters that expand, then whether a pool follows.
Row = tuple[int, int, int, bool]

# Table 1, fire2 to fire9; the first convolution is 7x7 with 96 channels.
V1_0: tuple[Row, ...] = (
    # s,  e1,  e3
    (16, 64, 64, False),
    (16, 64, 64, False),
    (32, 128, 128, True),
    (32, 128, 128, False),
    (48, 192, 192, False),
    (48, 192, 192, False),
    (64, 256, 256, True),
    (64, 256, 256, False),
)
# The release of v1.1; the first convolution is 3x3 with 64 channels.
V1_1: tuple[Row, ...] = (
    (16, 64, 64, False),
    (16, 64, 64, True),
    (32, 128, 128, False),
    (32, 128, 128, True),
    (48, 192, 192, False),
    (48, 192, 192, False),
    (64, 256, 256, False),
    (64, 256, 256, False),
)


class Fire(nn.Module):
    """1x1 squeeze → 1x1 and 3x3 expand, side by side (figure 1)."""

    def __init__(self, in_channels: int, squeeze: int, expand1: int, expand3: int) -> None:
        super().__init__()
        self.squeeze = conv_relu(in_channels, squeeze, 1)
        self.expand1x1 = conv_relu(squeeze, expand1, 1)
        self.expand3x3 = conv_relu(squeeze, expand3, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x)
        return torch.cat((self.expand1x1(x), self.expand3x3(x)), dim=1)


class ClassMaps(nn.Module):
    """A map of answers for each class, and their mean: (N, C, H, W) → (N, num_classes)."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.conv10 = nn.Conv2d(in_channels, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv10(self.dropout(x))).mean(dim=(2, 3))


class SqueezeNet(Network):
    """A network that classifies the positions of its last map, not its embedding."""

    classifies_map = True


def squeezenet(
    kernel: int, channels: int, rows: tuple[Row, ...], num_classes: int = 1000, in_channels: int = 3
) -> Network:
    """Table 1: a convolution of this kernel and so many channels, then the fire modules."""
    stages: dict[str, nn.Module] = {
        "conv1": conv_relu(in_channels, channels, kernel, 2, padding=0),
        "pool1": nn.MaxPool2d(3, 2, ceil_mode=True),
    }
    for i, (squeeze, expand1, expand3, pool) in enumerate(rows, start=2):
        stages[f"fire{i}"] = Fire(channels, squeeze, expand1, expand3)
        channels = expand1 + expand3
        if pool:
            stages[f"pool{i}"] = nn.MaxPool2d(3, 2, ceil_mode=True)
    network = SqueezeNet(stages, GlobalAveragePool(), ClassMaps(channels, num_classes))
    for name, module in network.named_modules():
        initialize(name, module)
    return network


def initialize(name: str, module: nn.Module) -> None:
    """Initialize as the released ``train_val.prototxt`` does."""
    if isinstance(module, nn.Conv2d):
        assert module.bias is not None
        nn.init.zeros_(module.bias)
        if name == "head.conv10":
            nn.init.normal_(module.weight, std=0.01)
        else:
            bound = math.sqrt(3 / module.weight[0].numel())
            nn.init.uniform_(module.weight, -bound, bound)


def row(name: str, kernel: int, channels: int, rows: tuple[Row, ...], min_size: int) -> Spec:
    return Spec(name, FAMILY, partial(squeezenet, kernel, channels, rows), 512, min_size=min_size)


NETWORKS = (row("squeezenet1_0", 7, 96, V1_0, 21), row("squeezenet1_1", 3, 64, V1_1, 17))
