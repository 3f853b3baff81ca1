"""Inception v2, also called BN-Inception: the network that batch normalization was shown on.

Ioffe, Szegedy: Batch Normalization: Accelerating Deep Network Training by Reducing Internal
Covariate Shift, ICML 2015, arXiv:1502.03167.
Each convolution's output is normalized over the batch before its nonlinearity, so that training
allows high learning rates; dropout and local response norms become unnecessary. The 5x5
convolutions of GoogLeNet become two 3x3.

    images (N, 3, 224, 224) → conv1 (64, 112²) → pool1 (56²) → conv2 (192) → pool2 (28²)
    → 3a, 3b (320), 3c (576, 14²) → 4a … 4d (608), 4e (1056, 7²) → 5a, 5b (1024)
    → embedding (N, 1024) → scores

``INCEPTION`` is figure 5 of the appendix; modules 3c and 4e have stride 2, no 1x1 and a pool
without projection.

Where the code differs from the paper
- Figure 5 says that 4c and 4d have 576 channels, but its own columns add up to 608. We follow the
  columns, as the SENet authors' Caffe network and pytorchcv do. TF-Slim reads the projections as
  96, which gives 576 (and 11,194,984 parameters; ours has 11,285,224).
- conv1 is a plain 7x7; the authors' was separable, with a depth multiplier of 8.
- Convolutions have no biases, since the norm would take them away; pytorchcv's have (11,295,240
  parameters): converting folds them into the norms' means, so that the scores are the same.
- Pools are those of pytorchcv and Caffe: rounded up, padding counted in averages; where the size
  is odd, halving ones are padded, so that they fit the convolutions beside them. Initialization is
  He's; the paper gives none.

"Inception v2" means this network, as in TF-Slim. The one of that name in Rethinking the Inception
Architecture is ``inception_v2_rethinking``, in ``inception_v3.py``.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from .inception import FilterConcat, chain, he_fan_in
from .layers import GlobalAveragePool, conv_norm
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "inception_v2",
    "Inception v2 (BN-Inception)",
    Paper(
        "Batch Normalization: Accelerating Deep Network Training by Reducing Internal "
        "Covariate Shift",
        "Ioffe, Szegedy",
        2015,
        "ICML 2015, arXiv:1502.03167",
    ),
    "Normalizing each layer's input over the batch allows high learning rates "
    "and makes dropout unnecessary.",
    example="bn_inception",
)

# Figure 5. Output channels of each convolution of a module, "r" those of the 1x1 in front of it.
INCEPTION = {
    # 1x1, 3x3r, 3x3, double 3x3r, double 3x3, pool, projection
    "3a": (64, 64, 64, 64, 96, "avg", 32),
    "3b": (64, 64, 96, 64, 96, "avg", 64),
    "3c": (0, 128, 160, 64, 96, "max", 0),
    "4a": (224, 64, 96, 96, 128, "avg", 128),
    "4b": (192, 96, 128, 96, 128, "avg", 128),
    "4c": (160, 128, 160, 128, 160, "avg", 128),
    "4d": (96, 128, 192, 160, 192, "avg", 128),
    "4e": (0, 128, 192, 192, 256, "max", 0),
    "5a": (352, 192, 320, 160, 224, "avg", 128),
    "5b": (352, 192, 320, 192, 224, "max", 128),
}
Row = tuple[int, int, int, int, int, str, int]


class HalvingPool(nn.Module):
    """3x3/2 max pool to half the size, rounded up, as the convolutions beside it halve."""

    def forward(self, x: Tensor) -> Tensor:
        odd = (x.shape[2] % 2, x.shape[3] % 2)
        return F.max_pool2d(x, 3, 2, padding=odd, ceil_mode=True)


class Inception(FilterConcat):
    """1x1 | 1x1 → 3x3 | 1x1 → 3x3 → 3x3 | pool → 1x1, side by side."""

    def __init__(self, in_channels: int, row: Row) -> None:
        c1, r3, c3, rd, cd, pool, projection = row
        pooling = nn.AvgPool2d(3, 1, 1) if pool == "avg" else nn.MaxPool2d(3, 1, 1)
        super().__init__(
            {
                "1x1": conv_norm(in_channels, c1, 1),
                "3x3": chain(in_channels, (r3, 1), (c3, 3), conv=conv_norm),
                "double_3x3": chain(in_channels, (rd, 1), (cd, 3), (cd, 3), conv=conv_norm),
                "pool": nn.Sequential(pooling, conv_norm(in_channels, projection, 1)),
            }
        )


class Reduction(FilterConcat):
    """1x1 → 3x3/2 | 1x1 → 3x3 → 3x3/2 | max pool/2, side by side (modules 3c and 4e)."""

    def __init__(self, in_channels: int, row: Row) -> None:
        _, r3, c3, rd, cd, _, _ = row
        super().__init__(
            {
                "3x3": chain(in_channels, (r3, 1), (c3, 3, 2), conv=conv_norm),
                "double_3x3": chain(in_channels, (rd, 1), (cd, 3), (cd, 3, 2), conv=conv_norm),
                "pool": HalvingPool(),
            }
        )


def bn_inception(num_classes: int = 1000, in_channels: int = 3) -> Network:
    """Figure 5."""
    stages: dict[str, nn.Module] = {
        "conv1": conv_norm(in_channels, 64, 7, 2),
        "pool1": HalvingPool(),
        "conv2_reduce": conv_norm(64, 64, 1),
        "conv2": conv_norm(64, 192, 3),
        "pool2": HalvingPool(),
    }
    channels = 192
    for name, row in INCEPTION.items():
        c1, _, c3, _, cd, _, projection = row
        module = Inception if c1 else Reduction
        stages[f"inception{name}"] = module(channels, row)
        channels = c1 + c3 + cd + (projection if c1 else channels)
    network = Network(stages, GlobalAveragePool(), nn.Linear(channels, num_classes))
    network.apply(he_fan_in)
    return network


NETWORKS = (
    Spec(
        "bn_inception",
        FAMILY,
        bn_inception,
        1024,
        min_size=1,
        aliases=("inception_v2", "bninception"),
    ),
)
