"""DenseNet: every layer sees all layers before it.

Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks, CVPR 2017,
arXiv:1608.06993.
Within a block each layer takes the concatenation of all earlier maps and adds k of its own (the
growth rate), so that features are reused and gradients are short, with few parameters.

    images (N, 3, 224, 224) → conv1 (2k, 112²) → pool1 (56²) → dense1 → transition1 (28²)
    → dense2 → transition2 (14²) → dense3 → transition3 (7²) → dense4 → post_activation
    → embedding (N, 1024 to 2688) → scores

Equation 2 is the last line of ``DenseLayer``. Table 1 is ``NETWORKS``: these are all DenseNet-BC,
with bottlenecks of 4k channels (B) and transitions that halve the channels (C, θ = 0.5). 161 with
k = 48 is in the first versions of the paper and in the authors' code. Names count convolutions
and the classifier; by that count the column that table 1 names 264 has 265.

Where the code differs from the paper
- Section 3 describes a transition as norm → 1x1 → pool; the authors' code has a ReLU after the
  norm, as here, and a norm and ReLU after the last block, which has no transition.
- Initialization is He's (section 4.2), with the classifier's bias at 0, as in the authors' code.
"""

from functools import partial

import torch
from torch import Tensor, nn

from .layers import GlobalAveragePool, conv_norm, he_normal, norm_conv, norm_relu
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "densenet",
    "DenseNet",
    Paper(
        "Densely Connected Convolutional Networks",
        "Huang, Liu, van der Maaten, Weinberger",
        2016,
        "CVPR 2017, arXiv:1608.06993",
    ),
    "Each layer takes the maps of all layers before it and adds a few of its own.",
    example="densenet121",
)


class DenseLayer(nn.Module):
    """BN → ReLU → 1x1 to 4k → BN → ReLU → 3x3 to k, beside its input (DenseNet-B, section 3)."""

    def __init__(self, in_channels: int, growth: int) -> None:
        super().__init__()
        self.conv1 = norm_conv(in_channels, 4 * growth, 1)
        self.conv2 = norm_conv(4 * growth, growth, 3)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((x, self.conv2(self.conv1(x))), dim=1)  # [x0, …, H(x0, …)], equation 2


def dense_block(in_channels: int, layers: int, growth: int) -> nn.Sequential:
    """Layers that each add ``growth`` channels."""
    return nn.Sequential(*(DenseLayer(in_channels + i * growth, growth) for i in range(layers)))


def transition(in_channels: int, out_channels: int) -> nn.Sequential:
    """BN → ReLU → 1x1 → average pool: fewer channels at half the resolution."""
    layers = norm_conv(in_channels, out_channels, 1)
    layers.add_module("pool", nn.AvgPool2d(2))
    return layers


def densenet(
    growth: int, blocks: tuple[int, ...], num_classes: int = 1000, in_channels: int = 3
) -> Network:
    """A column of table 1."""
    channels = 2 * growth
    stages: dict[str, nn.Module] = {
        "conv1": conv_norm(in_channels, channels, 7, 2),
        "pool1": nn.MaxPool2d(3, 2, padding=1),
    }
    for i, layers in enumerate(blocks, start=1):
        stages[f"dense{i}"] = dense_block(channels, layers, growth)
        channels += layers * growth
        if i < len(blocks):
            stages[f"transition{i}"] = transition(channels, channels // 2)
            channels //= 2
    stages["post_activation"] = norm_relu(channels)
    network = Network(stages, GlobalAveragePool(), nn.Linear(channels, num_classes))
    network.apply(he_normal)
    return network


def row(name: str, growth: int, blocks: tuple[int, ...], dim: int) -> Spec:
    # the three transitions halve a map that must have 8x8
    return Spec(name, FAMILY, partial(densenet, growth, blocks), dim, min_size=29)


# Table 1: growth rate k, layers of the four blocks, channels at the end.
NETWORKS = (
    row("densenet121", 32, (6, 12, 24, 16), 1024),
    row("densenet169", 32, (6, 12, 32, 32), 1664),
    row("densenet201", 32, (6, 12, 48, 32), 1920),
    row("densenet161", 48, (6, 12, 36, 24), 2208),
    row("densenet264", 32, (6, 12, 64, 48), 2688),
)
