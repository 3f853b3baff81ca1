"""ResNeXt: many paths that are one grouped convolution."""

import torch
import torch.nn.functional as F
from torch import nn

from kkcv import zoo
from kkcv.zoo.costs import cost
from kkcv.zoo.registry import create_on_meta
from kkcv.zoo.resnext import AggregatedBottleneck


def test_a_block_is_the_sum_of_its_paths() -> None:
    """Equation 3 and figure 3, a: each path narrows, looks and widens by itself."""
    torch.manual_seed(0)
    block, x = (
        AggregatedBottleneck(256, 256, 1, cardinality=4, width=2).eval(),
        torch.randn(1, 256, 5, 5),
    )
    total = torch.zeros(1, 256, 5, 5)

    for path in range(4):
        mine = slice(2 * path, 2 * path + 2)
        y = block.conv1(x)[:, mine]
        y = F.relu(
            block.conv2.norm(
                F.pad(
                    F.conv2d(y, block.conv2.conv.weight[mine], padding=1),
                    (0, 0, 0, 0, 2 * path, 6 - 2 * path),
                )
            )[:, mine]
        )
        total = total + F.conv2d(y, block.conv3.conv.weight[:, mine])

    torch.testing.assert_close(block(x), F.relu(block.conv3.norm(total) + x), atol=1e-5, rtol=1e-4)


def test_the_name_says_the_paths_and_the_width_of_each_in_conv2() -> None:
    for name in zoo.names("resnext*"):
        cardinality, width = name.rpartition("_")[2].removesuffix("d").split("x")

        inner = create_on_meta(name).stages.conv2_x[0].conv2.conv

        assert inner.groups == int(cardinality)
        assert inner.out_channels == int(cardinality) * int(width)


def test_width_doubles_where_the_resolution_halves() -> None:
    stages = create_on_meta("resnext50_32x4d").stages

    inner = [stages.get_submodule(f"conv{i}_x")[0].conv2.conv for i in (2, 3, 4, 5)]

    assert [conv.out_channels for conv in inner] == [128, 256, 512, 1024]
    assert [conv.stride for conv in inner] == [(1, 1), (2, 2), (2, 2), (2, 2)]


def test_more_paths_cost_no_more_than_resnets_one_wide_path() -> None:
    assert cost("resnext50_32x4d").macs < 1.05 * cost("resnet50").macs
    assert cost("resnext50_32x4d").parameters < cost("resnet50").parameters


def test_all_but_the_blocks_is_resnet() -> None:
    ours, resnet = create_on_meta("resnext50_32x4d"), create_on_meta("resnet50")

    assert [name for name, _ in ours.stages.named_children()] == [
        name for name, _ in resnet.stages.named_children()
    ]
    assert isinstance(ours.stages.pool1, nn.MaxPool2d)
    assert [len(s) for s in ours.stages[2:]] == [len(s) for s in resnet.stages[2:]]
