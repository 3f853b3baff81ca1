"""GoogLeNet, also called Inception v1: as printed, and torchvision's port with batch norm.

Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich: Going Deeper with
Convolutions, CVPR 2015, arXiv:1409.4842.
Each module looks at its input through 1x1, 3x3 and 5x5 windows at once, and 1x1 convolutions in
front of the large windows keep that cheap: a twelfth of AlexNet's parameters.

    images (N, 3, 224, 224) → conv1 (64, 112²) → pool1 (56²) → conv2 (192) → pool2 (28²)
    → 3a, 3b (480) → pool3 (14²) → 4a … 4e (832) → pool4 (7²) → 5a, 5b (1024)
    → embedding (N, 1024) → scores

``INCEPTION`` is table 1; the module is figure 2 b; figure 3 has the local response norms and the
two auxiliary classifiers, on 4a and 4d, which section 5 describes. They are built on demand
(``zoo.create("googlenet_paper", auxiliary=True)``) and work only in training, where their losses
count 0.3 each. Sizes are rounded up in pools, as the maps of table 1 need.

Where ``googlenet_paper`` differs from the paper
- Parameters: 6,998,552, or 13,378,280 with the auxiliary heads. Table 1 counts in units of 1024;
  its row of conv1 is that of a separable convolution; its rows 4c, 4d and 5a do not add up.
- The paper gives neither initialization nor the constants of its response norm. Both are those of
  the released Caffe network, BVLC GoogLeNet: Glorot's initialization with biases of 0.2 (0 in the
  classifiers), and a norm with k = 1 and α = 2e-5 over the sum, where AlexNet has 2 and 1e-4.
- Pictures of other sizes work. Auxiliary heads then average their 5x5 pool to 4x4.

``googlenet_bn_torchvision`` is what torchvision, after TensorFlow's port, calls GoogLeNet, and what
``googlenet`` alone means here, as it has public weights. Batch norm (epsilon 1e-3) replaces biases
and local response norms, a 3x3 the 5x5 (a known bug of theirs, kept for the weights), pool4 is 2x2,
dropout is 0.2, and the auxiliary pool is adaptive. Its public weights want pixels normalized with
mean and deviation 0.5 (``transform_input`` in torchvision).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import nn

from .alexnet import LocalResponseNorm
from .inception import AuxiliaryNetwork, FilterConcat, chain
from .layers import GlobalAveragePool, conv_norm, conv_relu
from .network import Family, Paper, Spec

FAMILY = Family(
    "googlenet",
    "GoogLeNet (Inception v1)",
    Paper(
        "Going Deeper with Convolutions",
        "Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich",
        2014,
        "CVPR 2015, arXiv:1409.4842",
    ),
    "Modules look through 1x1, 3x3 and 5x5 windows at once; 1x1 convolutions keep that cheap.",
    example="googlenet_paper",
)

# Table 1. Output channels of each convolution of a module, "r" those of the 1x1 in front of it.
INCEPTION = {
    # 1x1, 3x3r, 3x3, 5x5r, 5x5, pool
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
Conv = Callable[..., nn.Sequential]


@dataclass(frozen=True)
class Form:
    """The differences between the two networks."""

    conv: Conv
    norm: Callable[[], nn.Module]  # in the stem
    large: int  # the kernel of the "5x5"
    pool4: int  # the kernel
    auxiliary_pool: Callable[[], nn.Module]
    auxiliary_min_size: int
    dropout: float


PAPER = Form(
    conv=conv_relu,
    norm=partial(LocalResponseNorm, k=1, alpha=2e-5),
    large=5,
    pool4=3,
    auxiliary_pool=lambda: nn.Sequential(nn.AvgPool2d(5, 3), nn.AdaptiveAvgPool2d(4)),
    auxiliary_min_size=79,
    dropout=0.4,
)
TORCHVISION = Form(
    conv=partial(conv_norm, eps=1e-3),
    norm=nn.Identity,
    large=3,
    pool4=2,
    auxiliary_pool=lambda: nn.AdaptiveAvgPool2d(4),
    auxiliary_min_size=15,
    dropout=0.2,
)


class Inception(FilterConcat):
    """1x1 | 1x1 → 3x3 | 1x1 → 5x5 | max pool → 1x1, side by side (figure 2 b)."""

    def __init__(self, in_channels: int, row: tuple[int, ...], form: Form) -> None:
        c1, r3, c3, r5, c5, pool = row
        super().__init__(
            {
                "1x1": form.conv(in_channels, c1, 1),
                "3x3": chain(in_channels, (r3, 1), (c3, 3), conv=form.conv),
                "5x5": chain(in_channels, (r5, 1), (c5, form.large), conv=form.conv),
                "pool": nn.Sequential(nn.MaxPool2d(3, 1, 1), form.conv(in_channels, pool, 1)),
            }
        )


def googlenet(
    form: Form, num_classes: int = 1000, in_channels: int = 3, auxiliary: bool = False
) -> AuxiliaryNetwork:
    """Table 1, with figure 3's auxiliary heads if asked for."""
    pool = partial(nn.MaxPool2d, stride=2, ceil_mode=True)
    stages: dict[str, nn.Module] = {
        "conv1": form.conv(in_channels, 64, 7, 2),
        "pool1": nn.Sequential(pool(3), form.norm()),
        "conv2_reduce": form.conv(64, 64, 1),
        "conv2": form.conv(64, 192, 3).append(form.norm()),
        "pool2": pool(3),
    }
    channels, heads = 192, {}
    for name, row in INCEPTION.items():
        if name in ("4a", "5a"):
            stages[f"pool{int(name[0]) - 1}"] = pool(3 if name == "4a" else form.pool4)
        stages[f"inception{name}"] = Inception(channels, row, form)
        channels = row[0] + row[2] + row[4] + row[5]
        if auxiliary and name in ("4a", "4d"):
            heads[f"inception{name}"] = auxiliary_head(channels, num_classes, form)
    head = nn.Sequential()
    head.add_module("dropout", nn.Dropout(form.dropout))
    head.add_module("fc", nn.Linear(channels, num_classes))
    network = AuxiliaryNetwork(stages, GlobalAveragePool(), head, heads, form.auxiliary_min_size)
    for name, module in network.named_modules():
        initialize(name, module)
    return network


def auxiliary_head(in_channels: int, num_classes: int, form: Form) -> nn.Sequential:
    """5x5 average pool to 4x4 → 1x1 to 128 → fc 1024 → dropout of 70% → classes (section 5)."""
    head = nn.Sequential()
    head.add_module("pool", form.auxiliary_pool())
    head.add_module("conv", form.conv(in_channels, 128, 1))
    head.add_module("flatten", nn.Flatten())
    head.add_module("fc1", nn.Linear(128 * 4 * 4, 1024))
    head.add_module("relu", nn.ReLU())
    head.add_module("dropout", nn.Dropout(0.7))
    head.add_module("fc2", nn.Linear(1024, num_classes))
    return head


def initialize(name: str, module: nn.Module) -> None:
    """Glorot & Bengio 2010, biases 0.2, in the classifiers 0."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.constant_(module.bias, 0.0 if name.endswith(("head.fc", "fc2")) else 0.2)


def row(name: str, form: Form, min_size: int, *aliases: str) -> Spec:
    build = partial(googlenet, form)
    return Spec(name, FAMILY, build, 1024, min_size=min_size, aliases=aliases, auxiliary=True)


NETWORKS = (
    row("googlenet_paper", PAPER, 31, "inception_v1"),
    row("googlenet_bn_torchvision", TORCHVISION, 15, "googlenet", "googlenet_bn"),
)
