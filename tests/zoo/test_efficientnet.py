"""EfficientNet: what is scaled by which factor, and what the squeeze is of."""

import pytest
import torch
from torch import nn

from kkcv import zoo
from kkcv.zoo.efficientnet import MBConv
from kkcv.zoo.layers import DropPath
from kkcv.zoo.registry import create_on_meta

NAMES = [f"efficientnet_b{i}" for i in range(8)]


def test_b0_is_table_1() -> None:
    stages = create_on_meta("efficientnet_b0").stages
    rows = [stages.get_submodule(f"stage{i}") for i in range(1, 8)]

    assert [len(row) for row in rows] == [1, 2, 2, 3, 3, 4, 1]
    assert [row[0].project.conv.out_channels for row in rows] == [16, 24, 40, 80, 112, 192, 320]
    assert [row[0].depthwise.conv.kernel_size[0] for row in rows] == [3, 3, 5, 3, 5, 5, 3]
    assert [row[0].depthwise.conv.stride[0] for row in rows] == [1, 2, 2, 2, 1, 2, 1]


def test_depth_width_and_resolution_grow_together() -> None:
    deep = [len(create_on_meta(name).stages.stage6) for name in NAMES]
    wide = [zoo.spec(name).embedding_dim for name in NAMES]
    large = [zoo.spec(name).input_size[1] for name in NAMES]

    assert deep == [4, 5, 5, 6, 8, 9, 11, 13]  # 4 · 1, 1.1, 1.2, 1.4, 1.8, 2.2, 2.6, 3.1
    assert wide == [1280, 1280, 1408, 1536, 1792, 2048, 2304, 2560]
    assert large == [224, 240, 260, 300, 380, 456, 528, 600]


def test_the_squeeze_is_a_quarter_of_the_blocks_input_not_of_what_it_was_widened_to() -> None:
    blocks = [m for m in create_on_meta("efficientnet_b0").modules() if isinstance(m, MBConv)]

    for block in blocks[1:]:
        assert block.se.fc1.out_channels == block.expand.conv.in_channels // 4
    assert {type(block.se.act) for block in blocks} == {nn.SiLU}


def test_stochastic_depth_rises_towards_a_survival_of_0_8() -> None:
    rates = [m.rate for m in create_on_meta("efficientnet_b0").modules() if isinstance(m, DropPath)]

    assert rates == pytest.approx([0.2 * i / 16 for i in range(16)])


@pytest.mark.parametrize(
    ("name", "trained_in", "eps"),
    [
        ("efficientnet_b0", "pytorch", 1e-5),
        ("efficientnet_b7", "pytorch", 1e-3),
        ("efficientnet_b7", "timm", 1e-5),
        ("efficientnet_b0", "tensorflow", 1e-3),
    ],
)
def test_norms_have_the_epsilon_of_the_weights_origin(
    name: str, trained_in: str, eps: float
) -> None:
    with torch.device("meta"):
        network = zoo.create(name, trained_in=trained_in)

    assert {m.eps for m in network.modules() if isinstance(m, nn.BatchNorm2d)} == {eps}
