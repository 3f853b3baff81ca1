"""MobileNet v4: one universal block, and attention where it pays.

Qin, Leichner, Delakis, Fornoni, Luo, Yang, Wang, Banbury, Ye, Akin, Aggarwal, Zhu, Moro, Howard:
MobileNetV4: Universal Models for the Mobile Ecosystem, ECCV 2024, arXiv:2404.10518.
The universal inverted bottleneck (UIB) is v2's block with two optional depthwise convolutions, so
that a search can choose v2's block, ConvNext's, a feed-forward layer or a new one, ExtraDW; the
hybrids add attention with one key and one value for all heads.

    images (N, 3, 256, 256) → conv1 (32, 128²) → stage1 (48) … stage4 (256, 8²) → conv_last (960)
    → pool → 1280 → embedding (N, 1280) → scores                                      (medium)

Tables 11 to 15 are in ``mobilenet_v4_tables.py``; a stage begins where their stride is 2. Section 4
and figure 4 are the UIB, section 5 is Mobile MQA, table 10 has dropout and stochastic depth.

Where the code differs from the paper
- The tables name no heads: their number, width and the stride of keys and values are the authors'
  code's, and so are GELU in the large hybrid, the norm before the attention, and the layer scale.
  Layer scale starts at 0.00001 on a residual branch; where there is no shortcut, theirs does so
  too and all but erases the signal, ours starts at 1.
- The released medium hybrid is not table 13: ``mobilenet_v4_hybrid_medium`` is the authors' code,
  which the public weights fit, ``mobilenet_v4_hybrid_medium_table13`` what the paper prints.
- In the small network's FusedIB the code has an activation behind the narrowing, and so it is here.
- Table 6 prints 9.2 and 31 million parameters for conv medium and large, 10.5 and 35.9 for the
  hybrids; its own tables 12 and 14, built to the letter, have 9.7 and 32.6.
- Norms have PyTorch's epsilon (0.00001) and momentum (0.1), with which timm's public weights were
  trained. The authors' code has 0.001 and 0.99 (a momentum of 0.01); ``trained_in="tensorflow"``
  puts these back.
- The norm behind the pooling has one number per channel and picture. Of a batch of one picture
  there are no statistics, so that it trains with the running ones.
- The paper gives no initialization: it is He's.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch.nn.functional as F
from torch import Tensor, nn

from . import mobilenet_v4_tables as tables
from .layers import DropPath, GlobalAveragePool, LayerScale, conv_norm, he_normal
from .mobilenet_v4_tables import Heads, Row
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "mobilenet_v4",
    "MobileNet v4",
    Paper(
        "MobileNetV4: Universal Models for the Mobile Ecosystem",
        "Qin, Leichner, Delakis, Fornoni, Luo, Yang, Wang, Banbury, Ye, Akin, Aggarwal, Zhu, "
        "Moro, Howard",
        2024,
        "ECCV 2024, arXiv:2404.10518",
    ),
    "One block with optional depthwise convolutions covers v2's block, ConvNext's and more; "
    "the hybrids add attention whose heads share one key and value.",
    example="mobilenet_v4_hybrid_medium",
)

Activation = Callable[[], nn.Module]


@dataclass(frozen=True)
class Variant:
    """A model of table 6: its table of blocks, and its column of table 10."""

    rows: tuple[Row, ...]
    stem: int
    dropout: float = 0.2
    drop_path: float = 0.0
    activation: Activation = nn.ReLU
    fused_activation: Activation | None = None  # behind the narrowing of FusedIB
    heads: Heads | None = None  # of Mobile MQA; they make it a hybrid


class UniversalInvertedBottleneck(nn.Module):
    """[depthwise k1] → 1x1 widen → [depthwise k2] → 1x1 narrow, plus the input where it fits.

    Figure 4: both depthwise convolutions make it ExtraDW, k2 alone IB (v2's block), k1 alone
    ConvNext, none (a kernel of 0) FFN. k1 has no activation; the stride is k2's, or else k1's.
    """

    def __init__(self, in_channels: int, row: Row, variant: Variant, drop: float) -> None:
        super().__init__()
        conv = partial(conv_norm, activation=variant.activation)
        linear = partial(conv_norm, activation=None)
        c, wide = in_channels, row.expanded
        s1, s2 = (1, row.stride) if row.k2 else (row.stride, 1)
        self.start = linear(c, c, row.k1, s1, groups=c) if row.k1 else nn.Identity()
        self.expand = conv(c, wide, 1)
        self.middle = conv(wide, wide, row.k2, s2, groups=wide) if row.k2 else nn.Identity()
        self.project = linear(wide, row.out, 1)
        self.residual = row.stride == 1 and in_channels == row.out
        self.end = branch_end(row.out, self.residual, variant, drop)

    def forward(self, x: Tensor) -> Tensor:
        y = self.end(self.project(self.middle(self.expand(self.start(x)))))
        return x + y if self.residual else y


class FusedInvertedBottleneck(nn.Module):
    """3x3 widen → 1x1 narrow ("FusedIB"); always strided in the tables, so without a shortcut."""

    def __init__(self, in_channels: int, row: Row, variant: Variant, drop: float) -> None:
        super().__init__()
        conv = partial(conv_norm, activation=variant.activation)
        self.expand = conv(in_channels, row.expanded, row.k2, row.stride)
        self.project = conv(row.expanded, row.out, 1, activation=variant.fused_activation)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.expand(x))


class MobileMQA(nn.Module):
    """Norm → multi-query attention over all pixels → 1x1, plus the input (section 5, equation 2).

    Each head has its query; one key and one value, of the map reduced in size, serve all heads:
    Concat(attention_1, …, attention_n) W^O, where
    attention_j = softmax((X W^Qj) (SR(X) W^K)ᵀ / √d_k) (SR(X) W^V).
    """

    def __init__(self, in_channels: int, row: Row, variant: Variant, drop: float) -> None:
        super().__init__()
        assert variant.heads is not None
        self.heads, width, stride = variant.heads[in_channels]
        self.norm = nn.BatchNorm2d(in_channels)
        self.query = nn.Conv2d(in_channels, self.heads * width, 1, bias=False)
        self.key = reduced(in_channels, width, stride)
        self.value = reduced(in_channels, width, stride)
        self.project = nn.Conv2d(self.heads * width, row.out, 1, bias=False)
        self.end = branch_end(row.out, True, variant, drop)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        q = pixels(self.query(y), self.heads)  # X W^Q: (N, heads, H · W, d)
        k = pixels(self.key(y), 1)  # SR(X) W^K: (N, 1, h · w, d)
        v = pixels(self.value(y), 1)  # SR(X) W^V
        attention = (q @ k.mT / math.sqrt(k.shape[3])).softmax(dim=3) @ v  # (N, heads, H · W, d)
        concat = attention.mT.flatten(1, 2).unflatten(2, x.shape[2:])  # (N, heads · d, H, W)
        return x + self.end(self.project(concat))  # W^O


def pixels(maps: Tensor, heads: int) -> Tensor:
    """A row for each pixel: (N, heads · d, H, W) → (N, heads, H · W, d)."""
    return maps.unflatten(1, (heads, -1)).flatten(3).mT


def reduced(channels: int, width: int, stride: int) -> nn.Sequential:
    """Keys or values: 1x1, behind a depthwise 3x3 that shrinks the map where it is strided."""
    layers = nn.Sequential()
    if stride > 1:
        shrink = conv_norm(channels, channels, 3, stride, groups=channels, activation=None)
        layers.add_module("shrink", shrink)
    layers.add_module("project", nn.Conv2d(channels, width, 1, bias=False))
    return layers


class NeckNorm(nn.BatchNorm1d):
    """Batch norm that trains with its running statistics where there is only one picture."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training and len(x) == 1:
            return F.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        return super().forward(x)


def branch_end(channels: int, residual: bool, variant: Variant, drop: float) -> nn.Sequential:
    """The last step of a block: layer scale in hybrids, stochastic depth on a residual branch."""
    end = nn.Sequential()
    if variant.heads is not None:
        end.add_module("scale", LayerScale(channels, 1e-5 if residual else 1.0))
    if residual:
        end.add_module("drop_path", DropPath(drop))
    return end


BLOCKS: dict[str, Callable[[int, Row, Variant, float], nn.Module]] = {
    "FusedIB": FusedInvertedBottleneck,
    "IB": UniversalInvertedBottleneck,
    "ConvNext": UniversalInvertedBottleneck,
    "FFN": UniversalInvertedBottleneck,
    "ExtraDW": UniversalInvertedBottleneck,
    "MQA": MobileMQA,
}


def mobilenet_v4(variant: Variant, num_classes: int = 1000, in_channels: int = 3) -> Network:
    """One of tables 11 to 15."""
    conv = partial(conv_norm, activation=variant.activation)
    stages: dict[str, nn.Module] = {"conv1": conv(in_channels, variant.stem, 3, 2)}
    stage, channels = nn.Sequential(), variant.stem
    rows = [row for row in variant.rows for _ in range(row.repeats)]
    for i, row in enumerate(rows):
        if row.stride == 2:
            stage = nn.Sequential()
            stages[f"stage{len(stages)}"] = stage
        drop = variant.drop_path * i / len(rows)  # grows from 0 towards the rate of table 10
        stage.append(BLOCKS[row.block](channels, row, variant, drop))
        channels = row.out
    stages["conv_last"] = conv(channels, 960, 1)
    neck, head = nn.Sequential(), nn.Sequential()
    neck.add_module("pool", GlobalAveragePool())
    neck.add_module("fc", nn.Linear(960, 1280, bias=False))
    neck.add_module("norm", NeckNorm(1280))
    neck.add_module("act", variant.activation())
    head.add_module("dropout", nn.Dropout(variant.dropout))
    head.add_module("fc", nn.Linear(1280, num_classes))
    network = Network(stages, neck, head)
    network.apply(he_normal)
    return network


def spec(name: str, variant: Variant, size: int, *aliases: str) -> Spec:
    build = partial(mobilenet_v4, variant)
    return Spec(
        f"mobilenet_v4_{name}", FAMILY, build, 1280, (3, size, size), min_size=1, aliases=aliases
    )


# Table 6, with dropout and stochastic depth of table 10.
SMALL = Variant(tables.CONV_SMALL, 32, dropout=0.3, fused_activation=nn.ReLU)
MEDIUM = Variant(tables.CONV_MEDIUM, 32, drop_path=0.075)
LARGE = Variant(tables.CONV_LARGE, 24, drop_path=0.35)
HYBRID_MEDIUM = Variant(tables.HYBRID_MEDIUM, 32, drop_path=0.075, heads=tables.MEDIUM_HEADS)
HYBRID_LARGE = Variant(
    tables.HYBRID_LARGE, 24, drop_path=0.35, activation=nn.GELU, heads=tables.LARGE_HEADS
)
NETWORKS = (
    spec("conv_small", SMALL, 224, "mobilenetv4_conv_small"),
    spec("conv_medium", MEDIUM, 256, "mobilenetv4_conv_medium"),
    spec("conv_large", LARGE, 384, "mobilenetv4_conv_large"),
    spec("hybrid_medium", HYBRID_MEDIUM, 256, "mobilenetv4_hybrid_medium"),
    spec("hybrid_large", HYBRID_LARGE, 384, "mobilenetv4_hybrid_large"),
    spec("hybrid_medium_table13", replace(HYBRID_MEDIUM, rows=tables.HYBRID_MEDIUM_TABLE_13), 256),
)
