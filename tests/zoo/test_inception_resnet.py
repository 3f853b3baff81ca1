"""Inception-ResNet: the scaled residual, and the two networks' widths."""

import pytest
import torch
from pytorchcv.model_provider import get_model
from torch import Tensor

from kkcv import zoo
from kkcv.zoo.inception_resnet import SCALES, V1, V2, InceptionResNet, Table, width
from kkcv.zoo.loading.conversion import convert
from kkcv.zoo.registry import create_on_meta


@pytest.mark.parametrize("activation", [True, False])
def test_a_module_adds_a_scaled_difference_to_its_input(activation: bool) -> None:
    module = InceptionResNet(256, V1["A"], scale=0.17, activation=activation).eval()
    x = torch.randn(2, 256, 9, 9)

    with torch.no_grad():
        y = module(x)
        difference = module.linear(
            torch.cat([branch(x) for branch in module.branches.children()], dim=1)
        )

    expected = x + 0.17 * difference
    torch.testing.assert_close(y, expected.relu() if activation else expected)


@pytest.mark.parametrize(
    ("table", "start", "widths"), [(V1, 256, (896, 1792)), (V2, 320, (1088, 2080))]
)
def test_a_reduction_adds_the_channels_of_its_branches(
    table: Table, start: int, widths: tuple[int, int]
) -> None:
    after_a = start + width(table["Reduction-A"])

    assert (after_a, after_a + width(table["Reduction-B"])) == widths


@pytest.mark.parametrize(
    ("name", "repeats"),
    [("inception_resnet_v1", (5, 10, 5)), ("inception_resnet_v2", (10, 20, 10))],
)
def test_the_modules_of_each_kind_are_as_many_and_as_scaled_as_published(
    name: str, repeats: tuple[int, int, int]
) -> None:
    stages = dict(create_on_meta(name).stages.named_children())
    kinds = {kind: stages[f"inception_resnet_{kind.lower()}"] for kind in "ABC"}

    assert tuple(len(modules) for modules in kinds.values()) == repeats
    for kind, modules in kinds.items():
        last = [1.0] if (name, kind) == ("inception_resnet_v2", "C") else [SCALES[kind]]
        assert [m.scale for m in modules] == [SCALES[kind]] * (len(modules) - 1) + last


def test_the_linear_convolutions_have_biases_and_no_norm() -> None:
    network = create_on_meta("inception_resnet_v1")

    modules = [m for m in network.modules() if isinstance(m, InceptionResNet)]

    assert len(modules) == 20
    assert all(m.linear.bias is not None for m in modules)


def test_pytorchcvs_v1_is_ours_up_to_its_sixth_c_module(photographs: Tensor) -> None:
    theirs = get_model("inceptionresnetv1").eval()
    ours = zoo.create("inception_resnet_v1")
    images = photographs[:2, :, :75, :75]
    state = convert(theirs.state_dict(), ours, "inception_resnet")
    foreign = state.keys() - ours.state_dict().keys()
    assert all(k.startswith(("stages.inception_resnet_c.5.", "head.")) for k in foreign)

    ours.load_state_dict({k: v for k, v in state.items() if k not in foreign}, strict=False)

    maps = theirs.features[:-1]  # without the pool
    maps[-1] = maps[-1][:-1]  # and without the last module
    with torch.no_grad():
        torch.testing.assert_close(ours.features(images), maps(images), rtol=1e-4, atol=1e-4)
