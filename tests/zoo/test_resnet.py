"""ResNet: where the shortcut projects and where the resolution is halved."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kkcv import zoo
from kkcv.zoo.resnet import BasicBlock


def normed(x: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    mean, var = norm.running_mean, norm.running_var
    return F.batch_norm(x, mean, var, norm.weight, norm.bias, eps=norm.eps)


def test_a_block_adds_its_input_before_the_last_activation() -> None:
    torch.manual_seed(0)
    block, x = BasicBlock(4, 8, stride=2).eval(), torch.randn(2, 4, 6, 6)
    first, second, projection = block.conv1, block.conv2, block.shortcut

    y = F.relu(normed(F.conv2d(x, first.conv.weight, stride=2, padding=1), first.norm))
    y = normed(F.conv2d(y, second.conv.weight, padding=1), second.norm)
    shortcut = normed(F.conv2d(x, projection.conv.weight, stride=2), projection.norm)

    torch.testing.assert_close(block(x), F.relu(y + shortcut))


@pytest.mark.parametrize(("name", "stages"), [("resnet18", "345"), ("resnet50", "2345")])
def test_a_shortcut_projects_only_where_the_shape_changes(name: str, stages: str) -> None:
    with torch.device("meta"):
        network = zoo.create(name)

    projections = [
        f"conv{i}_x.{j}"
        for i in range(2, 6)
        for j, block in enumerate(network.stages.get_submodule(f"conv{i}_x").children())
        if not isinstance(block.shortcut, nn.Identity)
    ]

    assert projections == [f"conv{i}_x.0" for i in stages]


def test_v1_and_v1_5_take_the_same_weights_and_answer_differently() -> None:
    torch.manual_seed(0)
    v1, v15 = zoo.create("resnet50_v1"), zoo.create("resnet50_v1.5")
    pictures = torch.randn(1, 3, 64, 64)

    v15.load_state_dict(v1.state_dict())

    assert v1.features(pictures).shape == v15.features(pictures).shape
    assert (v1(pictures) - v15(pictures)).abs().max() > 0.01


def test_resnet50_is_the_form_whose_weights_are_public() -> None:
    assert zoo.spec("resnet50").name == "resnet50_v1.5"
