"""MobileNet v3: searched, with squeeze-and-excite and h-swish.

Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam: Searching for
MobileNetV3, ICCV 2019, arXiv:1905.02244.
The v2 block gains squeeze-and-excite and h-swish; a search chooses kernels, widths and where to use
them, and the expensive last layer moves behind the pooling (figure 5).

    images (N, 3, 224, 224) → conv1 (16, 112²) → bneck1 … bneck15 (160, 7²) → conv_last (960, 7²)
    → pool → 1280 → embedding (N, 1280) → scores              (small: 11 bnecks, 96, 576, 1024)

Tables 1 and 2 are ``LARGE`` and ``SMALL``, a row a stage; figure 4 is the block; section 5.2 has
h-swish, section 5.3 the squeeze.

Where the code differs from the paper
- Table 2 marks squeeze-and-excite on the last 576 convolution; the authors' code, torchvision and
  timm have none there, and only so the small network has the 2.5 million parameters of table 3.
  pytorchcv has it, and 1280 for 1024 behind the pooling, without a bias.
- The squeeze is a quarter of the expansion (section 5.3), to a multiple of 8 as in the code.
- Widths other than 1 scale every layer but the 1280 (1024) behind the pooling, and expand by the
  ratio of the table's row, as the authors' code: only so 0.75 has table 3's 4.0 (2.0) million.
  torchvision scales that layer too, and the expansion directly; timm's small 0.5 keeps 16 channels
  in the first layer: those are other networks.
- "Minimalistic" is not in the paper but in the authors' code: the same widths without h-swish,
  squeeze-and-excite and 5x5 kernels.
- Dropout of 0.8 in section 6.1.1 is the share that is kept. Norms have the epsilon of the authors
  and torchvision, 0.001; timm's own trainings have 0.00001 (``FAMILY.trained_in``).
- The paper gives no initialization: it is He's.
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from .layers import GlobalAveragePool, SqueezeExcite, conv_norm, he_normal, make_divisible
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "mobilenet_v3",
    "MobileNet v3",
    Paper(
        "Searching for MobileNetV3",
        "Howard, Sandler, Chu, Chen, Chen, Tan, Wang, Zhu, Pang, Vasudevan, Le, Adam",
        2019,
        "ICCV 2019, arXiv:1905.02244",
    ),
    "A search places squeeze-and-excite, h-swish and larger kernels in the blocks of v2, "
    "and the last layer works behind the pooling.",
    trained_in={"timm": {"eps": 1e-5}},
    example="mobilenet_v3_large_1.0",
)

# k: kernel, exp: expanded channels, out: output channels, SE: squeeze-and-excite,
# NL: nonlinearity (ReLU or h-swish), s: stride.
Row = tuple[int, int, int, bool, str, int]

# Table 1, the bneck rows.
LARGE: tuple[Row, ...] = (
    # k, exp, out, SE, NL, s
    (3, 16, 16, False, "RE", 1),
    (3, 64, 24, False, "RE", 2),
    (3, 72, 24, False, "RE", 1),
    (5, 72, 40, True, "RE", 2),
    (5, 120, 40, True, "RE", 1),
    (5, 120, 40, True, "RE", 1),
    (3, 240, 80, False, "HS", 2),
    (3, 200, 80, False, "HS", 1),
    (3, 184, 80, False, "HS", 1),
    (3, 184, 80, False, "HS", 1),
    (3, 480, 112, True, "HS", 1),
    (3, 672, 112, True, "HS", 1),
    (5, 672, 160, True, "HS", 2),
    (5, 960, 160, True, "HS", 1),
    (5, 960, 160, True, "HS", 1),
)
# Table 2.
SMALL: tuple[Row, ...] = (
    # k, exp, out, SE, NL, s
    (3, 16, 16, True, "RE", 2),
    (3, 72, 24, False, "RE", 2),
    (3, 88, 24, False, "RE", 1),
    (5, 96, 40, True, "HS", 2),
    (5, 240, 40, True, "HS", 1),
    (5, 240, 40, True, "HS", 1),
    (5, 120, 48, True, "HS", 1),
    (5, 144, 48, True, "HS", 1),
    (5, 288, 96, True, "HS", 2),
    (5, 576, 96, True, "HS", 1),
    (5, 576, 96, True, "HS", 1),
)
# h-swish x · ReLU6(x + 3) / 6 (section 5.2).
NONLINEARITIES: dict[str, Callable[[], nn.Module]] = {"RE": nn.ReLU, "HS": nn.Hardswish}


class Bneck(nn.Module):
    """1x1 widen → depthwise → squeeze-and-excite → 1x1 narrow, plus the input where it fits.

    Figure 4. The gate is the hard sigmoid (section 5.2). Where nothing is widened, the first
    convolution falls away.
    """

    def __init__(
        self,
        in_channels: int,
        expanded: int,
        out_channels: int,
        kernel: int,
        stride: int,
        squeeze: bool,
        conv: Callable[..., nn.Module],
    ) -> None:
        super().__init__()
        self.expand = conv(in_channels, expanded, 1) if expanded != in_channels else nn.Identity()
        self.depthwise = conv(expanded, expanded, kernel, stride, groups=expanded)
        squeezed = make_divisible(expanded / 4)
        self.se = SqueezeExcite(expanded, squeezed, nn.Hardsigmoid) if squeeze else nn.Identity()
        self.project = conv(expanded, out_channels, 1, activation=None)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.se(self.depthwise(self.expand(x))))
        return x + y if self.residual else y


def mobilenet_v3(
    rows: tuple[Row, ...],
    last: tuple[int, int],
    width: float,
    num_classes: int = 1000,
    in_channels: int = 3,
    eps: float = 1e-3,
) -> Network:
    """Table 1 or 2; ``last`` are the layers before and behind the pooling."""
    conv = partial(conv_norm, eps=eps, momentum=0.01)  # the decay of 0.99 of section 6.1.1
    act = NONLINEARITIES[rows[-1][4]]
    channels, table_channels = make_divisible(16 * width), 16
    stages: dict[str, nn.Module] = {"conv1": conv(in_channels, channels, 3, 2, activation=act)}
    for i, (k, exp, out, squeeze, nonlinearity, s) in enumerate(rows):
        expanded = make_divisible(channels * exp / table_channels)
        activated = partial(conv, activation=NONLINEARITIES[nonlinearity])
        c = make_divisible(out * width)
        stages[f"bneck{i + 1}"] = Bneck(channels, expanded, c, k, s, squeeze, activated)
        channels, table_channels = c, out
    before, behind = make_divisible(last[0] * width), last[1]
    stages["conv_last"] = conv(channels, before, 1, activation=act)
    neck, head = nn.Sequential(), nn.Sequential()
    neck.add_module("pool", GlobalAveragePool())
    neck.add_module("fc", nn.Linear(before, behind))  # no norm: "NBN" in the tables
    neck.add_module("act", act())
    head.add_module("dropout", nn.Dropout(0.2))
    head.add_module("fc", nn.Linear(behind, num_classes))
    network = Network(stages, neck, head)
    network.apply(he_normal)
    return network


def minimalistic(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """The rows without 5x5 kernels, squeeze-and-excite and h-swish."""
    return tuple((3, exp, out, False, "RE", s) for _, exp, out, _, _, s in rows)


def row(
    name: str, rows: tuple[Row, ...], last: tuple[int, int], width: float, *aliases: str
) -> Spec:
    build = partial(mobilenet_v3, rows, last, width)
    return Spec(f"mobilenet_v3_{name}", FAMILY, build, last[1], min_size=1, aliases=aliases)


# Tables 1 and 2 with the multipliers of figure 2.
NETWORKS = (
    row("large_1.0", LARGE, (960, 1280), 1.0, "mobilenet_v3_large", "mobilenetv3_large_100"),
    row("small_1.0", SMALL, (576, 1024), 1.0, "mobilenet_v3_small", "mobilenetv3_small_100"),
    row("large_1.25", LARGE, (960, 1280), 1.25),
    row("large_0.75", LARGE, (960, 1280), 0.75, "mobilenetv3_large_075"),
    row("large_0.5", LARGE, (960, 1280), 0.5),
    row("large_0.35", LARGE, (960, 1280), 0.35),
    row("small_1.25", SMALL, (576, 1024), 1.25),
    row("small_0.75", SMALL, (576, 1024), 0.75, "mobilenetv3_small_075"),
    row("small_0.5", SMALL, (576, 1024), 0.5),
    row("small_0.35", SMALL, (576, 1024), 0.35),
    row("large_minimalistic", minimalistic(LARGE), (960, 1280), 1.0),
    row("small_minimalistic", minimalistic(SMALL), (576, 1024), 1.0),
)
