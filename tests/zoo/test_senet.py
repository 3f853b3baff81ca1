"""SENet: where the gate stands, and Caffe's pool."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kkcv import zoo
from kkcv.zoo.parity import TOLERANCE, adopt, difference, drawn
from kkcv.zoo.peers import Peer
from kkcv.zoo.registry import create_on_meta
from kkcv.zoo.senet import SE_RESNET


@pytest.fixture
def pictures() -> Tensor:
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def apart(ours: nn.Module, theirs: nn.Module, pictures: Tensor) -> float:
    with torch.no_grad():
        return difference(ours(pictures), theirs(pictures))


def test_the_gate_scales_the_residual_branch_before_the_addition() -> None:
    torch.manual_seed(0)
    block, x = SE_RESNET(64, 64, 1).eval(), torch.randn(2, 64, 5, 5)

    branch = block.conv3(block.conv2(block.conv1(x)))
    squeezed = branch.mean(dim=(2, 3), keepdim=True)
    gate = torch.sigmoid(block.se.fc2(F.relu(block.se.fc1(squeezed))))

    torch.testing.assert_close(block(x), F.relu(x + gate * branch))


@pytest.mark.parametrize("name", zoo.names("se*net*"))
def test_every_gate_squeezes_the_channels_of_its_blocks_output_by_16(name: str) -> None:
    network = create_on_meta(name)

    for stage, channels in (("conv2_x", 256), ("conv3_x", 512), ("conv4_x", 1024)):
        for block in network.stages.get_submodule(stage).children():
            assert block.se.fc1.weight.shape[:2] == (channels // 16, channels)
            assert block.se.fc1.bias is not None
            assert block.se.fc2.bias is not None


def test_caffes_pool_looks_half_a_step_further_than_a_padded_one() -> None:
    row = torch.arange(8.0).reshape(1, 1, 1, 8).expand(1, 1, 8, 8)
    caffe, later = create_on_meta("seresnet50"), create_on_meta("seresnet50_v1.5")

    assert caffe.stages.pool1(row)[0, 0, 0].tolist() == [2, 4, 6, 7]
    assert later.stages.pool1(row)[0, 0, 0].tolist() == [1, 3, 5, 7]


def test_pytorchcvs_plain_seresnet50_differs_from_caffes_by_the_pool_alone(
    pictures: Tensor,
) -> None:
    peer = Peer("seresnet50", "pytorchcv:seresnet50", {}, "", "")
    theirs = drawn(peer, pictures)
    ours = adopt(theirs, peer)
    assert apart(ours, theirs, pictures) > TOLERANCE

    ours.stages.pool1 = nn.MaxPool2d(3, 2, padding=1)

    assert apart(ours, theirs, pictures) <= TOLERANCE


def test_senet154_projects_with_3x3_where_it_halves_and_with_1x1_where_it_does_not() -> None:
    network = create_on_meta("senet154")

    kernels = [
        network.stages.get_submodule(f"conv{i}_x.0").shortcut.conv.kernel_size for i in range(2, 6)
    ]

    assert kernels == [(1, 1), (3, 3), (3, 3), (3, 3)]


def test_senet154_counts_its_layers_as_its_name_says() -> None:
    network = create_on_meta("senet154")

    blocks = [len(network.stages.get_submodule(f"conv{i}_x")) for i in range(2, 6)]

    assert 3 * sum(blocks) + len(network.stages.conv1) + 1 == 154
