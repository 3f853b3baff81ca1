"""EfficientNetV2: where blocks are fused."""

import torch
from torch import nn

from kkcv.zoo.efficientnet import MBConv
from kkcv.zoo.efficientnet_v2 import FusedMBConv
from kkcv.zoo.registry import create_on_meta


def test_the_stages_with_large_maps_are_fused_and_have_no_squeeze() -> None:
    stages = create_on_meta("efficientnet_v2_s").stages

    kinds = [{type(block) for block in stages.get_submodule(f"stage{i}")} for i in range(1, 7)]

    assert kinds == [{FusedMBConv}] * 3 + [{MBConv}] * 3


def test_the_blocks_are_those_of_table_4() -> None:
    stages = create_on_meta("efficientnet_v2_s").stages
    rows = [stages.get_submodule(f"stage{i}") for i in range(1, 7)]

    assert [len(row) for row in rows] == [2, 4, 4, 6, 9, 15]
    assert stages.conv_head.conv.out_channels == 1280


def test_a_fused_block_widens_with_a_3x3_and_narrows_with_a_1x1() -> None:
    torch.manual_seed(0)

    def conv(a: int, b: int, k: int, s: int = 1, **_: object) -> nn.Module:
        return nn.Conv2d(a, b, k, s, k // 2)

    block, x = FusedMBConv(4, 4, 4, 1, 0.0, conv).eval(), torch.randn(1, 4, 6, 6)

    assert (block.expand.kernel_size, block.expand.out_channels) == ((3, 3), 16)
    assert (block.project.kernel_size, block.project.out_channels) == ((1, 1), 4)
    torch.testing.assert_close(block(x), x + block.project(block.expand(x)))


def test_where_nothing_is_widened_one_convolution_is_the_block() -> None:
    first = create_on_meta("efficientnet_v2_s").stages.stage1[0]

    assert isinstance(first.project, nn.Identity)
    assert first.expand.conv.kernel_size == (3, 3)
