"""LeNet-5: as printed in 1998, and the modern form of it.

LeCun, Bottou, Bengio, Haffner: Gradient-Based Learning Applied to Document Recognition,
Proceedings of the IEEE 86(11), 1998.
Local receptive fields, shared weights and subsampling let one network learn everything from
pixels to digits by gradient descent.

    digits (N, 1, 32, 32) → C1 (6, 28²) → S2 (14²) → C3 (16, 10²) → S4 (5²) → C5 (120, 1²)
    → F6 embedding (N, 84) → scores

Section II-B describes each layer, figure 2 draws them, and table 1 is ``C3_INPUTS``. Trainable
parameters: 156, 12, 1516, 32, 48120, 10164, together 60,000 as printed. The paper prints 156,000
connections for C3, though 10·10·1516 is 151,600. Inputs have background -0.1 and ink 1.175.

Where ``lenet5_1998`` differs from the paper
- Scores are the negated outputs of the RBF units, so that the largest is the best: the paper's
  outputs are penalties (squared distances), of which the smallest is. Cross-entropy of these
  scores is equation 9 without its constant j.
- Figure 3 prints its 7x12 bitmaps too coarsely to copy. ``BITMAPS`` are digits of our own in that
  manner, not the paper's pixels. For other than ten classes there are no bitmaps: the codes are
  random, +1 and -1 with equal probability, which section II-B names as an alternative.

``lenet5_modern`` is what most code calls LeNet-5 (61,706 parameters): a dense C3 (2416), max
pooling, ReLU, and a linear layer in place of the RBF units (850).
"""

import random
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "lenet",
    "LeNet-5",
    Paper(
        "Gradient-Based Learning Applied to Document Recognition",
        "LeCun, Bottou, Bengio, Haffner",
        1998,
        "Proceedings of the IEEE 86(11)",
    ),
    "Shared local weights and subsampling learn everything from pixels to digits.",
    example="lenet5_1998",
)

# Table 1. A row is a map of S2, a column one of the 16 maps of C3.
C3_INPUTS = """
    X...XXX..XXXX.XX
    XX...XXX..XXXX.X
    XXX...XXX..X.XXX
    .XXX..XXXX..X.XX
    ..XXX..XXXX.XX.X
    ...XXX..XXXX.XXX
"""

# In the style of figure 3: the digits 0 to 9, 7 wide and 12 high.
BITMAPS = """
    ....... ....... ....... ....... ....... ....... ....... ....... ....... .......
    ..###.. ...##.. .#####. .#####. ....##. ####### ..####. ####### .#####. .#####.
    .##.##. ..###.. ##...## ##...## ...###. ##..... .##.... ##...## ##...## ##...##
    ##...## .####.. ##...## .....## ..####. ##..... ##..... .....## ##...## ##...##
    ##...## ...##.. .....## .....## .##.##. ######. ##..... ....##. ##...## ##...##
    ##...## ...##.. ....##. ..####. ##..##. ##...## ######. ....##. .#####. ##...##
    ##...## ...##.. ...##.. .....## ####### .....## ##...## ...##.. ##...## .######
    ##...## ...##.. ..##... .....## ....##. .....## ##...## ...##.. ##...## .....##
    ##...## ...##.. .##.... .....## ....##. .....## ##...## ..##... ##...## .....##
    .##.##. ...##.. ##..... ##...## ....##. ##...## ##...## ..##... ##...## ....##.
    ..###.. .###### ####### .#####. ....##. .#####. .#####. ..##... .#####. .####..
    ....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""


class Squash(nn.Module):
    """f(a) = A tanh(S a), so that f(1) = 1 and f(-1) = -1 (equation 6, appendix A)."""

    def forward(self, a: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(a * (2 / 3))


class Subsampling(nn.Module):
    """The sum of each 2x2, times a coefficient, plus a bias, both trained, one a map (S2, S4)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.empty(channels, 1, 1))
        self.bias = nn.Parameter(torch.empty(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        # a sum of four is four times their mean
        return 4 * F.avg_pool2d(x, 2) * self.coefficient + self.bias


class SparseConvolution(nn.Module):
    """C3: each of its maps sees only the maps of S2 that table 1 marks, which breaks symmetry.

    The maps with three inputs come first, then those with four, then the one with all six: one
    grouped convolution for each.
    """

    def __init__(self) -> None:
        super().__init__()
        seen = [
            [i for i, mark in enumerate(m) if mark == "X"]
            for m in zip(*C3_INPUTS.split(), strict=True)
        ]
        self.inputs = [
            [i for inputs in seen if len(inputs) == fan_in for i in inputs] for fan_in in (3, 4, 6)
        ]
        self.three = nn.Conv2d(18, 6, 5, groups=6)
        self.four = nn.Conv2d(36, 9, 5, groups=9)
        self.six = nn.Conv2d(6, 1, 5)

    def forward(self, x: Tensor) -> Tensor:
        convs = (self.three, self.four, self.six)
        maps = [conv(x[:, i]) for conv, i in zip(convs, self.inputs, strict=True)]
        return torch.cat(maps, dim=1)


class RadialBasis(nn.Module):
    """Euclidean RBF units: minus y_i = Σ_j (x_j - w_ij)² (equation 7), (N, 84) → (N, classes)."""

    codes: Tensor

    def __init__(self, codes: list[list[float]]) -> None:
        super().__init__()
        self.register_buffer("codes", torch.tensor(codes))  # fixed, not trained

    def forward(self, x: Tensor) -> Tensor:
        return -(x[:, None] - self.codes).square().sum(dim=2)


def codes(num_classes: int) -> list[list[float]]:
    """84 times +1 or -1 a class: the bitmaps of the ten digits, or random codes."""
    if num_classes != 10:
        coin = random.Random(1998)
        return [coin.choices((-1.0, 1.0), k=84) for _ in range(num_classes)]
    pixels = ["".join(BITMAPS.split()[digit::10]) for digit in range(10)]
    return [[1.0 if pixel == "#" else -1.0 for pixel in bitmap] for bitmap in pixels]


def lenet5_1998(num_classes: int = 10, in_channels: int = 1) -> Network:
    """Figure 2, with fixed codes at the output."""
    stages = {
        "C1": nn.Sequential(nn.Conv2d(in_channels, 6, 5), Squash()),
        "S2": nn.Sequential(Subsampling(6), Squash()),
        "C3": nn.Sequential(SparseConvolution(), Squash()),
        "S4": nn.Sequential(Subsampling(16), Squash()),
        "C5": nn.Sequential(nn.Conv2d(16, 120, 5), Squash()),
    }
    neck = OrderedDict(flatten=nn.Flatten(), F6=nn.Linear(120, 84), squash=Squash())
    network = Network(stages, nn.Sequential(neck), RadialBasis(codes(num_classes)))
    network.apply(initialize)
    return network


def lenet5_modern(num_classes: int = 10, in_channels: int = 1) -> Network:
    """The same layers as of today, with PyTorch's own initialization."""
    stages = {
        "C1": nn.Sequential(nn.Conv2d(in_channels, 6, 5), nn.ReLU()),
        "S2": nn.MaxPool2d(2),
        "C3": nn.Sequential(nn.Conv2d(6, 16, 5), nn.ReLU()),
        "S4": nn.MaxPool2d(2),
        "C5": nn.Sequential(nn.Conv2d(16, 120, 5), nn.ReLU()),
    }
    neck = OrderedDict(flatten=nn.Flatten(), F6=nn.Linear(120, 84), relu=nn.ReLU())
    return Network(stages, nn.Sequential(neck), nn.Linear(84, num_classes))


def initialize(module: nn.Module) -> None:
    """Uniform in ±2.4 / fan-in, the number of inputs of a unit (appendix A)."""
    fan_in = 4 if isinstance(module, Subsampling) else 0
    if isinstance(module, nn.Conv2d | nn.Linear):
        fan_in = module.weight[0].numel()
    if fan_in:
        for parameter in module.parameters():
            nn.init.uniform_(parameter, -2.4 / fan_in, 2.4 / fan_in)


# Both compute one C5 unit from the whole of S4, so the size is fixed.
NETWORKS = (
    Spec("lenet5_1998", FAMILY, lenet5_1998, 84, (1, 32, 32), 32, True, 10),
    Spec(
        "lenet5_modern", FAMILY, lenet5_modern, 84, (1, 32, 32), 32, True, 10, ("lenet5", "lenet")
    ),
)
