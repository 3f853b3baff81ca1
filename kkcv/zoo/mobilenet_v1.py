"""MobileNet v1: every convolution in two steps.

Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam: MobileNets: Efficient Convolutional
Neural Networks for Mobile Vision Applications, 2017, arXiv:1704.04861.
A 3x3 convolution becomes a depthwise 3x3, which filters each channel for itself, and a pointwise
1x1, which combines them: 8 to 9 times less work (section 3.1). A width multiplier thins all layers.

    images (N, 3, 224, 224) → conv1 (32, 112²) → separable1 (64) … separable9 (1024, 7²)
    → embedding (N, 1024) → scores

Table 1 is ``BODY``, two of its rows (depthwise, pointwise) a stage; figure 3 (right) is the block;
the width multiplier of section 3.3 is a column of ``NETWORKS``. The resolution multiplier of
section 3.4 is just a smaller input: 224, 192, 160 or 128 pixels.

Where the code differs from the paper
- The last depthwise row of table 1 prints stride 2, but its sizes (7² in, 7² out) fit stride 1.
- The paper has ReLU (section 3.2) and so has this file; the authors' code, and with it the public
  trainings in TensorFlow and timm, has ReLU6: ``FAMILY.trained_in`` puts it back for their weights.
- Of the peers, pytorchcv's ``mobilenetb_*`` has no norm and no ReLU after the depthwise step.
- Norms have PyTorch's epsilon (0.00001) and momentum (0.1), with which the public weights of timm
  and pytorchcv were trained. The authors' code has 0.001 and a decay of 0.9997 (a momentum of
  0.0003), and a dropout that keeps 0.999, which is left out; ``trained_in="tensorflow"`` puts their
  epsilon back.
- The paper gives no initialization: it is He's.
"""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from .layers import GlobalAveragePool, conv_norm, he_normal, stack
from .network import Family, Network, Paper, Spec

FAMILY = Family(
    "mobilenet_v1",
    "MobileNet v1",
    Paper(
        "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
        "Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam",
        2017,
        "arXiv:1704.04861",
    ),
    "A depthwise convolution filters each channel, a pointwise one combines them: "
    "8 to 9 times less work than doing both at once.",
    trained_in={"tensorflow": {"activation": nn.ReLU6}, "timm": {"activation": nn.ReLU6}},
    example="mobilenet_v1_1.0",
)

# Table 1. c: output channels, n: repeats, s: stride of the first.
BODY = (
    # c, n, s
    (64, 1, 1),
    (128, 1, 2),
    (128, 1, 1),
    (256, 1, 2),
    (256, 1, 1),
    (512, 1, 2),
    (512, 5, 1),
    (1024, 1, 2),
    (1024, 1, 1),
)


class DepthwiseSeparable(nn.Module):
    """3x3 depthwise → 1x1 pointwise, each with its norm and activation (figure 3, right)."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, activation: Callable[[], nn.Module]
    ) -> None:
        super().__init__()
        conv = partial(conv_norm, activation=activation)
        self.depthwise = conv(in_channels, in_channels, 3, stride, groups=in_channels)
        self.pointwise = conv(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise(self.depthwise(x))


def mobilenet_v1(
    width: float,
    num_classes: int = 1000,
    in_channels: int = 3,
    activation: Callable[[], nn.Module] = nn.ReLU,
) -> Network:
    """Table 1 with all layers thinned by ``width``, α of section 3.3."""
    block = partial(DepthwiseSeparable, activation=activation)
    channels = int(32 * width)
    stages: dict[str, nn.Module] = {
        "conv1": conv_norm(in_channels, channels, 3, 2, activation=activation)
    }
    for i, (c, n, s) in enumerate(BODY):
        stages[f"separable{i + 1}"] = stack(block, n, channels, int(c * width), s)
        channels = int(c * width)
    network = Network(stages, GlobalAveragePool(), nn.Linear(channels, num_classes))
    network.apply(he_normal)
    return network


def row(width: float, *aliases: str) -> Spec:
    build = partial(mobilenet_v1, width)
    return Spec(
        f"mobilenet_v1_{width}", FAMILY, build, int(1024 * width), min_size=1, aliases=aliases
    )


# Table 6.
NETWORKS = (
    row(1.0, "mobilenet_v1", "mobilenetv1_100"),
    row(0.75, "mobilenetv1_075"),
    row(0.5, "mobilenetv1_050"),
    row(0.25, "mobilenetv1_025"),
)
