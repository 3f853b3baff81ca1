"""ResNet v2: the pre-activated unit, and the three places of the first activation."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kkcv import zoo
from kkcv.zoo.parity import TOLERANCE, adopt, difference, drawn
from kkcv.zoo.peers import Peer
from kkcv.zoo.registry import create_on_meta
from kkcv.zoo.resnet import BOTTLENECK
from kkcv.zoo.resnet_v2 import PAPER, TWICE, PreActivationUnit, bottleneck, resnet_v2


@pytest.fixture
def pictures() -> Tensor:
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def apart(ours: nn.Module, theirs: nn.Module, pictures: Tensor) -> float:
    with torch.no_grad():
        return difference(ours(pictures), theirs(pictures))


def activated(x: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    mean, var = norm.running_mean, norm.running_var
    return F.relu(F.batch_norm(x, mean, var, norm.weight, norm.bias, eps=norm.eps))


def residual(unit: PreActivationUnit, a: Tensor, stride: int) -> Tensor:
    f = unit.residual
    y = F.conv2d(a, f.conv1.weight)
    y = F.conv2d(activated(y, f.conv2.norm), f.conv2.conv.weight, stride=stride, padding=1)
    return F.conv2d(activated(y, f.conv3.norm), f.conv3.conv.weight)


def test_a_unit_adds_its_raw_input_and_activates_nothing_after() -> None:
    torch.manual_seed(0)
    unit, x = PreActivationUnit(8, 8, 1, bottleneck).eval(), torch.randn(2, 8, 6, 6)

    y = unit(x)

    torch.testing.assert_close(y, x + residual(unit, activated(x, unit.activation.norm), 1))
    assert (y < 0).any()


def test_a_projection_starts_from_the_activated_input() -> None:
    torch.manual_seed(0)
    unit, x = PreActivationUnit(8, 16, 2, bottleneck).eval(), torch.randn(2, 8, 6, 6)

    a = activated(x, unit.activation.norm)

    shortcut = F.conv2d(a, unit.projection.weight, stride=2)
    torch.testing.assert_close(unit(x), shortcut + residual(unit, a, 2))


def test_the_last_map_is_activated(pictures: Tensor) -> None:
    assert (zoo.create("preresnet18").features(pictures) >= 0).all()


def test_the_second_activation_of_pytorchcv_costs_128_parameters() -> None:
    twice, paper, timm = (
        sum(p.numel() for p in create_on_meta(name).parameters())
        for name in ("preresnet152", "preresnet152_paper", "resnetv2_152")
    )

    assert twice - paper == twice - timm == 128


def test_the_papers_form_is_the_common_one_with_an_idle_norm_in_the_first_unit(
    pictures: Tensor,
) -> None:
    torch.manual_seed(0)
    common, paper = (
        resnet_v2(bottleneck, BOTTLENECK, (2, 1, 1, 1), first).eval() for first in (TWICE, PAPER)
    )
    weights = common.state_dict()

    common.stages.conv2_x[0].activation.norm = nn.Identity()  # ReLU of ReLU is ReLU
    paper.load_state_dict({k: v for k, v in weights.items() if k in paper.state_dict()})

    torch.testing.assert_close(paper(pictures), common(pictures))


def test_pytorchcvs_plain_names_differ_by_the_place_of_the_stride_alone(pictures: Tensor) -> None:
    peer = Peer("preresnet50", "pytorchcv:preresnet50", {}, "", "")
    theirs = drawn(peer, pictures)
    ours = adopt(theirs, peer)
    assert apart(ours, theirs, pictures) > TOLERANCE

    for stage in (ours.stages.conv3_x, ours.stages.conv4_x, ours.stages.conv5_x):
        stage[0].residual.conv1.stride = (2, 2)
        stage[0].residual.conv2.conv.stride = (1, 1)

    assert apart(ours, theirs, pictures) <= TOLERANCE
