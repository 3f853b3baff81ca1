"""ConvNeXt: a ResNet brought up to what transformers do.

Liu, Mao, Wu, Feichtenhofer, Darrell, Xie: A ConvNet for the 2020s, CVPR 2022, arXiv:2201.03545.
Step by step a ResNet-50 takes over the choices of Swin Transformers (patches, depthwise 7x7, wide
inner layers, layer norm, GELU, few of either) and becomes as good as they are, without attention.

    images (N, 3, 224, 224) → stem (96, 56²) → res2 → downsample3 (192, 28²) → res3
    → downsample4 (384, 14²) → res4 → downsample5 (768, 7²) → res5
    → embedding (N, 768 or 1024) → scores

Table 9 is ``NETWORKS``; figure 4 is ``ConvNeXtBlock``.

Where the code differs from the paper
- The 1x1 convolutions are linear layers over the channels, as in the authors' code: the same sums.
- A norm follows the pooling, before the classifier: the authors' code. The embedding is behind it,
  as torchvision and timm have it.
- Initialization is normal with deviation 0.02 cut at two units, biases zero: the authors' code.
  Table 5 prints 0.2. Layer scale begins at 1e-6 (table 5).
"""

from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from .layers import DropPath, GlobalAveragePool, LayerScale
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "convnext",
    "ConvNeXt",
    Paper(
        "A ConvNet for the 2020s",
        "Liu, Mao, Wu, Feichtenhofer, Darrell, Xie",
        2022,
        "CVPR 2022, arXiv:2201.03545",
    ),
    "A ResNet with the design of transformers: patches, depthwise 7x7 windows, wide inner layers, "
    "layer norm.",
    example="convnext_tiny",
)
EPS = 1e-6  # of layer norms
SCALE = 1e-6  # where layer scale begins (table 5)


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels at each position: (N, C, H, W) → the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        x = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, EPS)
        return x.permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    """Depthwise 7x7 → norm → 1x1 widen by 4 → GELU → 1x1 narrow → scale, plus the input.

    Figure 4, right.
    """

    def __init__(self, channels: int, drop: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=EPS)
        self.widen = nn.Linear(channels, 4 * channels)
        self.act = nn.GELU()
        self.narrow = nn.Linear(4 * channels, channels)
        self.scale = LayerScale(channels, SCALE)
        self.drop_path = DropPath(drop)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.depthwise(x).permute(0, 2, 3, 1))  # channels last, for the linear layers
        y = self.narrow(self.act(self.widen(y))).permute(0, 3, 1, 2)
        return x + self.drop_path(self.scale(y))


def stem(in_channels: int, channels: int) -> nn.Sequential:
    """4x4 patches → norm: a quarter of the resolution."""
    layers = nn.Sequential()
    layers.add_module("conv", nn.Conv2d(in_channels, channels, 4, 4))
    layers.add_module("norm", ChannelNorm(channels))
    return layers


def downsample(in_channels: int, out_channels: int) -> nn.Sequential:
    """Norm → 2x2 patches: half the resolution."""
    layers = nn.Sequential()
    layers.add_module("norm", ChannelNorm(in_channels))
    layers.add_module("conv", nn.Conv2d(in_channels, out_channels, 2, 2))
    return layers


def convnext(
    widths: tuple[int, ...],
    repeats: tuple[int, ...],
    drop_path: float,
    num_classes: int = 1000,
    in_channels: int = 3,
) -> Network:
    """A row of section 3: channels and blocks of res2 to res5, and the last block's drop rate."""
    stages: dict[str, nn.Module] = {"stem": stem(in_channels, widths[0])}
    total, done, channels = sum(repeats), 0, widths[0]
    for i, (width, n) in enumerate(zip(widths, repeats, strict=True), start=2):
        if width != channels:
            stages[f"downsample{i}"] = downsample(channels, width)
        rates = (drop_path * (done + j) / (total - 1) for j in range(n))
        stages[f"res{i}"] = nn.Sequential(*(ConvNeXtBlock(width, rate) for rate in rates))
        done, channels = done + n, width
    neck = nn.Sequential()
    neck.add_module("pool", GlobalAveragePool())
    neck.add_module("norm", nn.LayerNorm(channels, eps=EPS))
    network = Network(stages, neck, nn.Linear(channels, num_classes))
    network.apply(initialize)
    return network


def initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        assert module.bias is not None
        nn.init.zeros_(module.bias)


def row(name: str, widths: tuple[int, ...], repeats: tuple[int, ...], drop_path: float) -> Spec:
    build = partial(convnext, widths, repeats, drop_path)
    return Spec(f"convnext_{name}", FAMILY, build, widths[-1], min_size=32)


# Section 3: channels C, blocks B; table 5: stochastic depth.
NETWORKS = (
    row("tiny", (96, 192, 384, 768), (3, 3, 9, 3), 0.1),
    row("small", (96, 192, 384, 768), (3, 3, 27, 3), 0.4),
    row("base", (128, 256, 512, 1024), (3, 3, 27, 3), 0.5),
)
