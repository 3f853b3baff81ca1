"""EfficientNet: depth, width and resolution grown together.

Tan, Le: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, ICML 2019,
arXiv:1905.11946.
A search finds a small network of MobileNet's blocks with squeeze-and-excite; larger ones are the
same with all three sizes multiplied by constants, since one alone soon gives no more.

    images (N, 3, 224, 224) → stem (32, 112²) → stage1 (16) … stage7 (320, 7²) → conv_head (1280)
    → embedding (N, 1280 to 2560) → scores

Table 1 is ``STAGES``. Section 3.3 scales by depth α^φ, width β^φ and resolution γ^φ with α = 1.2,
β = 1.1, γ = 1.15; the rounded factors of B0 to B7 are in the authors' code: ``NETWORKS``.

Where the code differs from the paper
- The squeeze is to a quarter of the block's input, before it is widened: so in the authors' code.
- Padding is symmetric; for the authors' own weights, ``tensorflow.py`` puts back their "SAME".
- Norms of B0 to B4 have PyTorch's epsilon, of B5 to B7 the authors' 0.001, as torchvision's weights
  were trained; timm's own trainings have PyTorch's throughout (``FAMILY.trained_in``).
- Initialization is the authors' code's: He's with fan-out, the classifier's uniform.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial

from torch import Tensor, nn

from .layers import DropPath, GlobalAveragePool, SqueezeExcite, conv_norm, he_normal, make_divisible
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "efficientnet",
    "EfficientNet",
    Paper(
        "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
        "Tan, Le",
        2019,
        "ICML 2019, arXiv:1905.11946",
    ),
    "A small network is searched for; larger ones multiply its depth, width and resolution "
    "by constants.",
    trained_in={"timm": {"eps": 1e-5}},
    example="efficientnet_b0",
)

# Table 1 (B0). t: expansion, c: output channels, n: repeats, s: stride of the first, k: kernel.
STAGES = (
    # t,   c, n, s, k
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
STEM, LAST = 32, 1280  # channels of the first and of the last convolution
SURVIVAL = 0.8  # of the last block, when training (section 5.2)
Conv = Callable[..., nn.Module]


class MBConv(nn.Module):
    """1x1 widen → depthwise → squeeze-and-excite → 1x1 narrow, plus the input where it fits."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        expansion: int,
        stride: int,
        kernel: int,
        drop: float,
        conv: Conv,
    ) -> None:
        super().__init__()
        wide = in_channels * expansion
        self.expand = conv(in_channels, wide, 1) if expansion > 1 else nn.Identity()
        self.depthwise = conv(wide, wide, kernel, stride, groups=wide)
        self.se = SqueezeExcite(wide, in_channels // 4, activation=nn.SiLU)
        self.project = conv(wide, out_channels, 1, activation=None)
        self.residual = stride == 1 and in_channels == out_channels
        self.drop_path = DropPath(drop)

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.se(self.depthwise(self.expand(x))))
        return x + self.drop_path(y) if self.residual else y


def efficientnet(
    width: float,
    depth: float,
    dropout: float,
    num_classes: int = 1000,
    in_channels: int = 3,
    eps: float = 1e-5,
) -> Network:
    """Table 1, its channels multiplied by ``width`` and its repeats by ``depth``."""
    conv = partial(conv_norm, eps=eps, momentum=0.01, activation=nn.SiLU)  # decay 0.99, section 5.2
    repeats = [math.ceil(n * depth) for _, _, n, _, _ in STAGES]
    drop = drop_path_rates(sum(repeats))
    channels = make_divisible(STEM * width)
    stages: dict[str, nn.Module] = {"stem": conv(in_channels, channels, 3, 2)}
    for i, ((t, c, _, s, k), n) in enumerate(zip(STAGES, repeats, strict=True), start=1):
        c, stage = make_divisible(c * width), nn.Sequential()
        for j in range(n):
            stage.append(MBConv(channels, c, t, s if j == 0 else 1, k, next(drop), conv))
            channels = c
        stages[f"stage{i}"] = stage
    last = make_divisible(LAST * width)
    stages["conv_head"] = conv(channels, last, 1)
    return classifier(stages, last, dropout, num_classes)


def classifier(
    stages: dict[str, nn.Module], channels: int, dropout: float, num_classes: int
) -> Network:
    """The stages under an average, dropout and a linear classifier, initialized."""
    head = nn.Sequential()
    head.add_module("dropout", nn.Dropout(dropout))
    head.add_module("fc", nn.Linear(channels, num_classes))
    network = Network(stages, GlobalAveragePool(), head)
    network.apply(initialize)
    return network


def drop_path_rates(blocks: int) -> Iterator[float]:
    """From 0 in the first block up towards 0.2 (stochastic depth)."""
    return ((1 - SURVIVAL) * i / blocks for i in range(blocks))


def initialize(module: nn.Module) -> None:
    he_normal(module)
    if isinstance(module, nn.Linear):
        bound = 1 / math.sqrt(module.out_features)
        nn.init.uniform_(module.weight, -bound, bound)
        nn.init.zeros_(module.bias)


def row(b: int, width: float, depth: float, size: int, dropout: float, eps: float = 1e-5) -> Spec:
    build = partial(efficientnet, width, depth, dropout, eps=eps)
    dim = make_divisible(LAST * width)
    return Spec(f"efficientnet_b{b}", FAMILY, build, dim, (3, size, size), min_size=1)


# The authors' code: width, depth, resolution, dropout.
NETWORKS = (
    row(0, 1.0, 1.0, 224, 0.2),
    row(1, 1.0, 1.1, 240, 0.2),
    row(2, 1.1, 1.2, 260, 0.3),
    row(3, 1.2, 1.4, 300, 0.3),
    row(4, 1.4, 1.8, 380, 0.4),
    row(5, 1.6, 2.2, 456, 0.4, eps=1e-3),
    row(6, 1.8, 2.6, 528, 0.5, eps=1e-3),
    row(7, 2.0, 3.1, 600, 0.5, eps=1e-3),
)
