"""ShuffleNet V2: the unit against its figure, and the pool of others."""

import pytest
import torch
from torch import Tensor, nn

from kkcv.zoo.parity import TOLERANCE, adopt, difference, drawn
from kkcv.zoo.peers import Peer
from kkcv.zoo.shufflenet_v2 import ShuffleUnit


@pytest.fixture
def pictures() -> Tensor:
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def apart(ours: nn.Module, theirs: nn.Module, pictures: Tensor) -> float:
    with torch.no_grad():
        return difference(ours(pictures), theirs(pictures))


def test_half_of_the_channels_pass_through_untouched_and_are_interleaved() -> None:
    torch.manual_seed(0)
    unit, x = ShuffleUnit(8, 8, 1).eval(), torch.randn(2, 8, 5, 5)

    y = unit(x)

    assert torch.equal(y[:, 0::2], x[:, :4])
    assert torch.equal(y[:, 1::2], unit.right(x[:, 4:]))


def test_with_stride_2_both_branches_take_all_channels() -> None:
    torch.manual_seed(0)
    unit, x = ShuffleUnit(8, 20, 2).eval(), torch.randn(2, 8, 6, 6)

    y = unit(x)

    assert y.shape == (2, 20, 3, 3)
    assert torch.equal(y[:, 0::2], unit.left(x))
    assert torch.equal(y[:, 1::2], unit.right(x))


@pytest.mark.parametrize("scale", ["0.5", "1.0"])
def test_pytorchcvs_networks_differ_by_the_pool_alone(scale: str, pictures: Tensor) -> None:
    call = {"0.5": "pytorchcv:shufflenetv2_wd2", "1.0": "pytorchcv:shufflenetv2_w1"}[scale]
    peer = Peer(f"shufflenet_v2_x{scale}", call, {}, "", "")
    theirs = drawn(peer, pictures)
    ours = adopt(theirs, peer)
    assert apart(ours, theirs, pictures) > TOLERANCE

    ours.stages.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)

    assert apart(ours, theirs, pictures) <= TOLERANCE
