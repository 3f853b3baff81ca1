"""VGG 11, 13, 16 and 19: depth from small convolutions.

Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition,
ICLR 2015, arXiv:1409.1556.
Two 3x3 convolutions see as much as one 5x5, with fewer weights and one more nonlinearity, so
networks become deep by stacking them; the width doubles when the resolution halves.

    images (N, 3, 224, 224) → conv1 (64, 112²) → conv2 (128, 56²) → conv3 (256, 28²)
    → conv4 (512, 14²) → conv5 (512, 7²) → fc6 → fc7: embedding (N, 4096) → scores

``CONFIGURATIONS`` are the columns of table 1; a stage is what stands between two of its lines, the
max pool included. Convolutions have stride 1, padding 1 and biases (section 2.1).

Where the code differs from the paper
- Configuration A-LRN is left out: the paper found that its normalization does not help.
- The ``_bn`` networks, with a batch norm after each convolution, are younger than the paper. They
  keep the convolutions' biases, as torchvision's do (and pytorchcv's names with "b").
- The paper starts deeper networks from a trained A, with weights of variance 1e-2 (a deviation of
  0.1, which is often misread as 0.01). Ours start from Glorot's initialization, of which a note
  in section 3.1 says that it makes this unnecessary.
- An adaptive average pool before fc6 lets other sizes through (as in torchvision); at 224x224 it
  changes nothing. The paper instead slides fc6 to fc8 over larger pictures as convolutions
  (section 3.2), and its accuracies are of that, not of one center crop.
"""

from functools import partial

from torch import nn

from .alexnet import fully_connected
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "vgg",
    "VGG",
    Paper(
        "Very Deep Convolutional Networks for Large-Scale Image Recognition",
        "Simonyan, Zisserman",
        2014,
        "ICLR 2015, arXiv:1409.1556",
    ),
    "Stacks of 3x3 convolutions see as far as large ones, with fewer weights and more depth.",
    example="vgg16",
)

# Table 1: kernels of the convolutions of each stage.
CONFIGURATIONS = {
    "A": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "B": ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3)),
    "C": ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),
    "D": ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),
    "E": ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3)),
}
WIDTHS = (64, 128, 256, 512, 512)


def vgg(configuration: str, norm: bool, num_classes: int = 1000, in_channels: int = 3) -> Network:
    """A column of table 1."""
    stages: dict[str, nn.Module] = {}
    channels = in_channels
    table = zip(CONFIGURATIONS[configuration], WIDTHS, strict=True)
    for i, (kernels, width) in enumerate(table, start=1):
        stage = nn.Sequential()
        for kernel in kernels:
            stage.append(convolution(channels, width, kernel, norm))
            channels = width
        stage.add_module("pool", nn.MaxPool2d(2))
        stages[f"conv{i}"] = stage
    network = Network(stages, *fully_connected(channels, 7, (0, 0.5, 0.5), num_classes))
    network.apply(initialize)
    return network


def convolution(in_channels: int, out_channels: int, kernel: int, norm: bool) -> nn.Sequential:
    """Convolution with bias → batch norm if asked for → ReLU."""
    layers = nn.Sequential()
    layers.add_module("conv", nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2))
    if norm:
        layers.add_module("norm", nn.BatchNorm2d(out_channels))
    layers.add_module("act", nn.ReLU())
    return layers


def initialize(module: nn.Module) -> None:
    """Glorot & Bengio 2010, biases 0 (section 3.1)."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        assert module.bias is not None
        nn.init.zeros_(module.bias)


def row(name: str, configuration: str, norm: bool, *aliases: str) -> Spec:
    return Spec(name, FAMILY, partial(vgg, configuration, norm), 4096, aliases=aliases)


NETWORKS = (
    row("vgg11", "A", False),
    row("vgg11_bn", "A", True),
    row("vgg13", "B", False),
    row("vgg13_bn", "B", True),
    row("vgg16", "D", False),
    row("vgg16_bn", "D", True),
    row("vgg19", "E", False),
    row("vgg19_bn", "E", True),
    row("vgg16_C", "C", False),
)
