"""EfficientNetV2: searched for speed of training.

Tan, Le: EfficientNetV2: Smaller Models and Faster Training, ICML 2021, arXiv:2104.00298.
Depthwise convolutions are slow where maps are large: there the fused block has a plain 3x3 in
place of the widening and the depthwise one. Training begins with small pictures.

    images (N, 3, 384, 384) → stem (24, 192²) → stage1 (24) → stage2 (48, 96²) → stage3 (64, 48²)
    → stage4 (128, 24²) → stage5 (160) → stage6 (256, 12²) → conv_head (1280)
    → embedding (N, 1280) → scores

Table 4 is ``STAGES``, figure 2 shows both blocks.

Where the code differs from the paper
- Where nothing is widened, the fused block is one 3x3 convolution: so in the authors' code.
- It was trained with pictures of up to 300 pixels, and its figures are of 384.
- Padding is symmetric; for the authors' own weights, ``tensorflow.py`` puts back their "SAME".
- Norms have the authors' epsilon, 0.001, as torchvision's; timm's model without "tf" has PyTorch's
  (``FAMILY.trained_in``).
- Initialization is EfficientNet's.
"""

from functools import partial

from torch import Tensor, nn

from .efficientnet import LAST, Conv, MBConv, classifier, drop_path_rates
from .layers import DropPath, conv_norm
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "efficientnet_v2",
    "EfficientNetV2",
    Paper(
        "EfficientNetV2: Smaller Models and Faster Training",
        "Tan, Le",
        2021,
        "ICML 2021, arXiv:2104.00298",
    ),
    "Where maps are large, one plain 3x3 convolution trains faster than a 1x1 and a depthwise one.",
    trained_in={"timm": {"eps": 1e-5}},
    example="efficientnet_v2_s",
)

# Table 4 (S). Fused or not, t: expansion, c: output channels, n: repeats, s: stride of the first.
# All kernels are 3x3; the blocks that are not fused squeeze to a quarter of their input.
STAGES = (
    # fused, t,  c, n, s
    (True, 1, 24, 2, 1),
    (True, 4, 48, 4, 2),
    (True, 4, 64, 4, 2),
    (False, 4, 128, 6, 2),
    (False, 6, 160, 9, 1),
    (False, 6, 256, 15, 2),
)


class FusedMBConv(nn.Module):
    """3x3 widen → 1x1 narrow, plus the input where it fits (figure 2, right).

    Where nothing is widened, a 3x3 convolution alone.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        expansion: int,
        stride: int,
        drop: float,
        conv: Conv,
    ) -> None:
        super().__init__()
        wide = in_channels * expansion if expansion > 1 else out_channels
        self.expand = conv(in_channels, wide, 3, stride)
        self.project: nn.Module = nn.Identity()
        if expansion > 1:
            self.project = conv(wide, out_channels, 1, activation=None)
        self.residual = stride == 1 and in_channels == out_channels
        self.drop_path = DropPath(drop)

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.expand(x))
        return x + self.drop_path(y) if self.residual else y


def efficientnet_v2(num_classes: int = 1000, in_channels: int = 3, eps: float = 1e-3) -> Network:
    """Table 4."""
    conv = partial(conv_norm, eps=eps, momentum=0.01, activation=nn.SiLU)  # decay 0.99
    drop = drop_path_rates(sum(n for _, _, _, n, _ in STAGES))
    channels = STAGES[0][2]
    stages: dict[str, nn.Module] = {"stem": conv(in_channels, channels, 3, 2)}
    for i, (fused, t, c, n, s) in enumerate(STAGES, start=1):
        stage = nn.Sequential()
        for j in range(n):
            stride, rate = s if j == 0 else 1, next(drop)
            stage.append(
                FusedMBConv(channels, c, t, stride, rate, conv)
                if fused
                else MBConv(channels, c, t, stride, 3, rate, conv)
            )
            channels = c
        stages[f"stage{i}"] = stage
    stages["conv_head"] = conv(channels, LAST, 1)
    return classifier(stages, LAST, 0.2, num_classes)


NETWORKS = (Spec("efficientnet_v2_s", FAMILY, efficientnet_v2, LAST, (3, 384, 384), min_size=1),)
