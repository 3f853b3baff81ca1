"""VGG: table 1's columns, and the biases that batch norms make needless."""

import pytest
import torch
from torch import nn

from kkcv import zoo
from kkcv.zoo.loading.conversion import with_our_biases
from kkcv.zoo.registry import create_on_meta

CONVOLUTIONS = {  # table 1: weight layers without the three fully connected ones
    "vgg11": [1, 1, 2, 2, 2],
    "vgg13": [2, 2, 2, 2, 2],
    "vgg16": [2, 2, 3, 3, 3],
    "vgg16_C": [2, 2, 3, 3, 3],
    "vgg19": [2, 2, 4, 4, 4],
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_each_stage_has_the_convolutions_of_its_column(name: str) -> None:
    stages = create_on_meta(name).stages

    counted = [sum(isinstance(m, nn.Conv2d) for m in stage.modules()) for stage in stages]

    assert counted == CONVOLUTIONS[name]


def test_configuration_c_ends_its_last_three_stages_with_a_1x1() -> None:
    stages = create_on_meta("vgg16_C").stages

    kernels = [[m.kernel_size[0] for m in s.modules() if isinstance(m, nn.Conv2d)] for s in stages]

    assert kernels == [[3, 3], [3, 3], [3, 3, 1], [3, 3, 1], [3, 3, 1]]


@pytest.mark.parametrize("name", ["vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"])
def test_a_norm_stands_between_each_convolution_and_its_relu(name: str) -> None:
    plain, normed = create_on_meta(name.removesuffix("_bn")), create_on_meta(name)

    def layers(network: nn.Module) -> list[str]:
        return [type(m).__name__ for m in network.stages.modules() if not list(m.children())]

    assert " ".join(layers(normed)).replace("Conv2d BatchNorm2d", "Conv2d") == " ".join(
        layers(plain)
    )
    assert all(m.bias is not None for m in normed.stages.modules() if isinstance(m, nn.Conv2d))


def test_dropout_is_on_the_outputs_of_the_first_two_fully_connected_layers() -> None:
    network = create_on_meta("vgg16")

    rates = [m.p for m in network.modules() if isinstance(m, nn.Dropout)]

    assert rates == [0, 0.5, 0.5]


def test_initialization_is_glorots() -> None:
    fc6 = zoo.create("vgg11").neck.fc6.weight

    bound = (6 / (512 * 7 * 7 + 4096)) ** 0.5
    assert 0.999 * bound < fc6.abs().max() <= bound


def test_a_bias_before_a_norm_moves_into_its_mean() -> None:
    theirs = {
        "a.conv.weight": torch.ones(2, 1, 1, 1),
        "a.conv.bias": torch.tensor([1.0, 2.0]),
        "a.norm.running_mean": torch.tensor([10.0, 20.0]),
    }
    ours = {k: v for k, v in theirs.items() if k != "a.conv.bias"}

    settled = with_our_biases(theirs, ours)

    assert settled.keys() == ours.keys()
    assert settled["a.norm.running_mean"].tolist() == [9.0, 18.0]
    assert theirs["a.norm.running_mean"].tolist() == [10.0, 20.0]  # a caller's stay as they are


def test_where_a_peer_has_no_biases_before_norms_ours_are_zero() -> None:
    theirs = {"a.conv.weight": torch.ones(2, 1, 1, 1), "a.norm.running_mean": torch.ones(2)}
    ours = theirs | {"a.conv.bias": torch.ones(2)}

    assert with_our_biases(theirs, ours)["a.conv.bias"].tolist() == [0.0, 0.0]


def test_one_missing_bias_among_others_stays_missing() -> None:
    ours = {f"{layer}.norm.running_mean": torch.ones(2) for layer in "ab"}
    ours |= {f"{layer}.conv.bias": torch.ones(2) for layer in "ab"}
    theirs = {k: v for k, v in ours.items() if k != "b.conv.bias"}

    assert with_our_biases(theirs, ours).keys() == theirs.keys()
