"""ShuffleNet: the unit against its figure, and which convolutions are grouped."""

import pytest
import torch
import torch.nn.functional as F

from kkcv import zoo
from kkcv.zoo.registry import create_on_meta
from kkcv.zoo.shufflenet_v1 import ShuffleUnit


def test_a_unit_shuffles_before_the_depthwise_convolution_and_adds_its_input() -> None:
    torch.manual_seed(0)
    unit, x = ShuffleUnit(24, 24, 1, groups=3, first_groups=3).eval(), torch.randn(2, 24, 5, 5)

    y = unit.gconv1(x)[:, [0, 2, 4, 1, 3, 5]]  # the shuffle of six channels in three groups

    torch.testing.assert_close(unit(x), F.relu(x + unit.gconv2(unit.dwconv(y))))


def test_no_activation_follows_the_depthwise_convolution() -> None:
    torch.manual_seed(0)
    unit = ShuffleUnit(24, 24, 1, groups=3, first_groups=3).eval()

    assert (unit.dwconv(torch.randn(2, 6, 5, 5)) < 0).any()


def test_a_strided_unit_sets_its_pooled_input_beside_the_branch() -> None:
    torch.manual_seed(0)
    unit, x = ShuffleUnit(24, 48, 2, groups=3, first_groups=3).eval(), torch.randn(2, 24, 6, 6)

    y = unit(x)

    assert y.shape == (2, 48, 3, 3)
    torch.testing.assert_close(y[:, 24:], F.relu(F.avg_pool2d(x, 3, 2, padding=1)))


@pytest.mark.parametrize("groups", [2, 3, 4, 8])
def test_every_1x1_is_grouped_but_the_first(groups: int) -> None:
    network = create_on_meta(f"shufflenet_v1_g{groups}_x1")
    units = [unit for i in (2, 3, 4) for unit in network.stages.get_submodule(f"stage{i}")]

    first = [unit.gconv1.conv.groups for unit in units]
    second = [unit.gconv2.conv.groups for unit in units]

    assert first == [1] + [groups] * 15
    assert second == [groups] * 16


@pytest.mark.parametrize("name", zoo.names("shufflenet_v1_*"))
def test_a_bottleneck_has_a_quarter_of_the_units_channels(name: str) -> None:
    network = create_on_meta(name)

    assert zoo.spec(name).embedding_dim == 4 * network.stages.stage4[0].gconv1.conv.out_channels
