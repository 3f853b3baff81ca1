"""Xception: separable convolutions, and where a ReLU stands."""

import torch
import torch.nn.functional as F
from torch import nn

from kkcv import zoo
from kkcv.zoo.registry import create_on_meta
from kkcv.zoo.xception import XceptionBlock, separable


def test_nothing_stands_between_the_two_parts_of_a_separable_convolution() -> None:
    torch.manual_seed(0)
    layers, x = separable(4, 6).eval(), torch.randn(2, 4, 5, 5)

    y = F.conv2d(x, layers.depthwise.weight, padding=1, groups=4)

    torch.testing.assert_close(layers(x), layers.norm(F.conv2d(y, layers.pointwise.weight)))


def test_a_block_activates_before_each_convolution_and_adds_its_input_unchanged() -> None:
    torch.manual_seed(0)
    block, x = XceptionBlock(4, (4, 4, 4), 1).eval(), torch.randn(2, 4, 5, 5)

    y = x
    for layer in block.separable:
        y = layer(F.relu(y))

    torch.testing.assert_close(block(x), x + y)


def test_the_first_block_begins_without_a_relu() -> None:
    blocks = [m for m in create_on_meta("xception").modules() if isinstance(m, XceptionBlock)]

    assert [block.relu_first for block in blocks] == [False] + [True] * 11


def test_figure_5_has_36_convolutions_in_14_modules() -> None:
    """Section 4: 36 convolutions in 14 modules, with shortcuts but around the first and last."""
    network = create_on_meta("xception")
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    depthwise = [m for m in convolutions if m.groups > 1]
    blocks = [m for m in network.modules() if isinstance(m, XceptionBlock)]

    assert 2 + len(depthwise) == 36  # conv1 and conv2, then a separable one each
    assert len(blocks) == 12
    assert sum(not isinstance(block.shortcut, nn.Identity) for block in blocks) == 4


def test_it_has_both_names_of_timm() -> None:
    assert zoo.spec("legacy_xception").name == "xception"
