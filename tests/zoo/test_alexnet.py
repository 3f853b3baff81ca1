"""AlexNet: its normalization, its towers, and what sets the three forms apart."""

import pytest
import torch
import torch.nn.functional as F
from pytorchcv.model_provider import get_model
from torch import Tensor, nn

from kkcv import zoo
from kkcv.zoo.alexnet import LocalResponseNorm
from kkcv.zoo.loading.conversion import convert

FORMS = ("alexnet_2012_grouped", "alexnet_2012_ungrouped", "alexnet_owt")


def test_normalization_divides_by_the_sum_over_five_adjacent_maps() -> None:
    a = torch.rand(2, 9, 3, 4) * 100

    b = LocalResponseNorm()(a)

    for i in range(9):  # section 3.3, in the paper's letters
        sum_of_squares = a[:, max(0, i - 2) : min(8, i + 2) + 1].square().sum(dim=1)
        expected = a[:, i] / (2 + 1e-4 * sum_of_squares) ** 0.75
        torch.testing.assert_close(b[:, i], expected)


def test_pytorchs_normalization_is_the_same_with_five_times_alpha() -> None:
    a = torch.randn(2, 96, 5, 5) * 100

    torch.testing.assert_close(
        LocalResponseNorm()(a), F.local_response_norm(a, 5, alpha=5e-4, beta=0.75, k=2)
    )


@pytest.mark.parametrize("form", FORMS[:2])
def test_normalization_comes_after_relu_and_before_the_pool(form: str) -> None:
    stages = zoo.create(form).stages

    layers = [type(m).__name__ for m in stages.modules() if not list(m.children())]

    assert layers[:8] == ["Conv2d", "ReLU", "LocalResponseNorm", "MaxPool2d"] * 2
    assert "LocalResponseNorm" not in layers[8:]


def test_the_towers_meet_in_conv3_alone() -> None:
    stages = zoo.create("alexnet_2012_grouped").stages

    def sees_the_other_tower(name: str) -> bool:
        conv = dict(stages.named_children())[name].conv
        x = torch.randn(1, conv.in_channels, 5, 5, requires_grad=True)
        first_half = conv(x)[:, : conv.out_channels // 2]
        (reached,) = torch.autograd.grad(first_half.sum(), x)
        return bool(reached[:, conv.in_channels // 2 :].any())

    assert [n for n in ("conv2", "conv3", "conv4", "conv5") if sees_the_other_tower(n)] == ["conv3"]


def test_biases_begin_at_one_where_the_paper_says_so() -> None:
    network = zoo.create("alexnet_2012_grouped")

    ones = [k for k, p in network.named_parameters() if k.endswith("bias") and (p == 1).all()]
    zeros = [k for k, p in network.named_parameters() if k.endswith("bias") and (p == 0).all()]

    assert ones == [
        "stages.conv2.conv.bias",
        "stages.conv4.conv.bias",
        "stages.conv5.conv.bias",
        "neck.fc6.bias",
        "neck.fc7.bias",
    ]
    assert zeros == ["stages.conv1.conv.bias", "stages.conv3.conv.bias", "head.fc.bias"]
    assert network.stages.conv3.conv.weight.std().item() == pytest.approx(0.01, rel=0.01)


@pytest.mark.parametrize(
    ("form", "after"),
    [("alexnet_2012_grouped", ["fc6", "fc7"]), ("alexnet_owt", ["pool5", "fc6"])],
)
def test_dropout_follows_fc6_and_fc7_or_precedes_them(form: str, after: list[str]) -> None:
    with torch.device("meta"):
        network = zoo.create(form)

    last, dropped = "pool5", []
    for name, module in [*network.neck.named_children(), *network.head.named_children()]:
        if isinstance(module, nn.Dropout) and module.p:
            assert module.p == 0.5
            dropped.append(last)
        elif isinstance(module, nn.Linear):
            last = name

    assert dropped == after


@pytest.mark.parametrize("form", FORMS)
def test_larger_and_oblong_pictures_have_embeddings_of_the_same_length(form: str) -> None:
    with torch.device("meta"):
        network = zoo.create(form)

    assert network.embedding(torch.empty(1, 3, 300, 400, device="meta")).shape == (1, 4096)


def test_pytorchcvs_network_differs_by_its_normalization_alone(photographs: Tensor) -> None:
    theirs = get_model("alexnet").eval()
    ours = zoo.create("alexnet_2012_ungrouped")
    ours.load_state_dict(convert(theirs.state_dict(), ours, "alexnet"))
    for module in ours.modules():
        if isinstance(module, LocalResponseNorm):
            module.alpha = 1e-4 / 5  # the mean over the maps in place of the sum
    images = photographs[:2, :, :227, :227]

    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images), rtol=1e-4, atol=1e-4)
