"""Inception v3, and table 1 of its paper."""

from pathlib import Path

import pytest
import torch
from torch import nn

from kkcv import zoo
from kkcv.errors import WeightsError
from kkcv.zoo.inception_v3 import InceptionA
from kkcv.zoo.network import Network
from kkcv.zoo.registry import create_on_meta

# Table 1: the size of a row's input, which is the output of the row above.
TABLE_1 = {
    "conv1": (32, 149, 149),
    "conv2": (32, 147, 147),
    "conv3": (64, 147, 147),
    "pool1": (64, 73, 73),
    "conv4": (80, 71, 71),
    "conv5": (192, 35, 35),
    "conv6": (288, 35, 35),
    "figure5": (768, 17, 17),
    "figure6": (1280, 8, 8),
    "figure7": (2048, 8, 8),
}


def test_inception_v2_of_the_paper_has_the_maps_of_table_1() -> None:
    network, x = create_on_meta("inception_v2_rethinking"), torch.empty(1, 3, 299, 299).to("meta")

    sizes = {}
    for name, stage in network.stages.named_children():
        x = stage(x)
        sizes[name] = tuple(x.shape[1:])

    assert sizes == TABLE_1


def test_inception_v2_of_the_paper_has_modules_in_threes_fives_and_twos() -> None:
    stages = create_on_meta("inception_v2_rethinking").stages

    assert [len(stages.figure5), len(stages.figure6), len(stages.figure7)] == [3, 5, 2]


def test_figure_5_has_a_3x3_where_the_released_network_has_a_5x5() -> None:
    with torch.device("meta"):
        drawn, released = InceptionA(288, 64, second=3), InceptionA(288, 64)

    assert [name for name, _ in drawn.named_children()] == ["1x1", "3x3", "double_3x3", "pool"]
    assert [name for name, _ in released.named_children()] == ["1x1", "5x5", "double_3x3", "pool"]


def test_the_auxiliary_head_reads_the_last_17x17_map() -> None:
    with torch.device("meta"):
        network = zoo.create("inception_v3", auxiliary=True)

    assert list(network.auxiliary) == ["mixed_6e"]
    assert sum(p.numel() for p in network.parameters()) == 27_161_264


def test_averages_count_the_padding_as_the_public_weights_expect() -> None:
    network = create_on_meta("inception_v3")

    pools = [m for m in network.modules() if isinstance(m, nn.AvgPool2d)]

    assert len(pools) == 9
    assert all(pool.count_include_pad for pool in pools)


@pytest.fixture
def network() -> Network:
    return zoo.create("inception_v3")


def test_a_1x7_is_not_taken_for_a_7x1(network: Network, tmp_path: Path) -> None:
    turned = {
        k: v.transpose(2, 3).contiguous() if "mixed_6b.7x7.1.conv" in k else v
        for k, v in network.state_dict().items()
    }
    torch.save(turned, tmp_path / "turned.pth")

    with pytest.raises(WeightsError, match=r"is \(128, 128, 7, 1\), not \(128, 128, 1, 7\)"):
        zoo.create("inception_v3", weights=tmp_path / "turned.pth")


def test_the_auxiliary_head_starts_as_quiet_as_the_authors() -> None:
    torch.manual_seed(0)

    head = zoo.create("inception_v3", auxiliary=True).auxiliary.mixed_6e

    wide, classes = head.conv2.conv.weight, head.fc.weight
    assert wide.abs().max() <= 0.02
    assert classes.abs().max() <= 0.002
    # a normal distribution that is cut at two deviations has 0.88 of its deviation
    assert wide.std().item() == pytest.approx(0.88 * 0.01, rel=0.01)
    assert classes.std().item() == pytest.approx(0.88 * 0.001, rel=0.01)
    assert not head.fc.bias.any()
