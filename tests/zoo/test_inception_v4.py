"""Inception v4: figure 9, and where the released network leaves figure 5."""

import pytest
import torch
from torch import nn

from kkcv.zoo.network import Network
from kkcv.zoo.registry import create_on_meta


@pytest.fixture
def network() -> Network:
    return create_on_meta("inception_v4")


def kernels(module: nn.Module) -> list[tuple[int, ...]]:
    return [m.kernel_size for m in module.modules() if isinstance(m, nn.Conv2d)]


def widths(module: nn.Module) -> list[int]:
    return [m.out_channels for m in module.modules() if isinstance(m, nn.Conv2d)]


def test_there_are_four_seven_and_three_modules(network: Network) -> None:
    stages = network.stages

    assert [len(stages.inception_a), len(stages.inception_b), len(stages.inception_c)] == [4, 7, 3]


def test_reduction_a_has_the_widths_of_table_1(network: Network) -> None:
    branches = dict(network.stages.reduction_a.named_children())

    k, l, m = widths(branches["double_3x3"])  # noqa: E741  # the paper's letters
    (n,) = widths(branches["3x3"])

    assert (k, l, m, n) == (192, 224, 256, 384)


def test_long_branches_turn_as_in_the_released_network(network: Network) -> None:
    branches = dict(network.stages.inception_b[0].named_children())

    assert kernels(branches["7x7"]) == [(1, 1), (1, 7), (7, 1)]
    assert kernels(branches["double_7x7"]) == [(1, 1), (7, 1), (1, 7), (7, 1), (1, 7)]


def test_averages_leave_the_padding_out(network: Network) -> None:
    pool = next(m for m in network.modules() if isinstance(m, nn.AvgPool2d))

    assert torch.equal(pool(torch.ones(1, 1, 4, 4)), torch.ones(1, 1, 4, 4))


def test_the_long_branch_of_inception_c_is_that_of_the_released_network(network: Network) -> None:
    branches = dict(network.stages.inception_c[0].named_children())

    long = branches["double_3x3"]

    assert kernels(long) == [(1, 1), (3, 1), (1, 3), (1, 3), (3, 1)]
    assert widths(long) == [384, 448, 512, 256, 256]
