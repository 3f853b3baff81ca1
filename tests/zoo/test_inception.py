"""The shared parts of the Inception networks: branches, chains, auxiliary heads."""

import pytest
import torch
from torch import nn

from kkcv import zoo
from kkcv.errors import InputShapeError
from kkcv.zoo.inception import AuxiliaryNetwork, FilterConcat, chain
from kkcv.zoo.network import TrainingScores


class Add(nn.Module):
    def __init__(self, number: float) -> None:
        super().__init__()
        self.number = number

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.number


def test_branches_see_the_same_input_and_stand_in_their_order() -> None:
    module = FilterConcat({"1x1": Add(1), "3x3": nn.Identity(), "pool": Add(5)})

    y = module(torch.tensor([10.0, 20.0]).view(1, 2, 1, 1))

    assert y.flatten().tolist() == [11, 21, 10, 20, 15, 25]


def test_a_chain_hands_its_channels_on_and_halves_without_padding() -> None:
    layers = chain(8, (4, 1), (6, (1, 7)), (5, 3, 2))

    shapes = []
    x = torch.randn(2, 8, 9, 9)
    for layer in layers:
        x = layer(x)
        shapes.append(tuple(x.shape[1:]))

    assert shapes == [(4, 9, 9), (6, 9, 9), (5, 4, 4)]


@pytest.fixture
def network() -> AuxiliaryNetwork:
    """Stages that add 1, 10 and 100; heads that show what they were given."""
    return AuxiliaryNetwork(
        {"one": Add(1), "ten": Add(10), "hundred": Add(100)},
        nn.Flatten(),
        nn.Identity(),
        {"one": nn.Flatten(), "ten": nn.Flatten()},
        auxiliary_min_size=2,
    )


def test_an_auxiliary_head_reads_the_output_of_its_stage(network: AuxiliaryNetwork) -> None:
    answer = network.train()(torch.zeros(1, 1, 1, 1))

    assert isinstance(answer, TrainingScores)
    assert answer.scores.item() == 111
    assert [scores.item() for scores in answer.auxiliary] == [1, 11]  # nearest to the input first


def test_auxiliary_heads_are_silent_in_evaluation(network: AuxiliaryNetwork) -> None:
    assert network.eval()(torch.zeros(1, 1, 1, 1)).item() == 111


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("googlenet_paper", 79),
        ("googlenet_bn_torchvision", 15),
        ("inception_v3", 299),
        ("inception_v4", 299),
        ("inception_resnet_v2", 299),
    ],
)
def test_the_least_size_for_training_auxiliary_heads_is_the_least_that_works(
    name: str, least: int
) -> None:
    with torch.device("meta"):
        network = zoo.create(name, auxiliary=True).train()
        assert isinstance(network(torch.empty(2, 3, least, least)), TrainingScores)

        with pytest.raises(InputShapeError, match=f"at least {least}x{least} pixels"):
            network(torch.empty(2, 3, least - 1, least))
        network.spec = None  # which would check the size
        with pytest.raises(RuntimeError):
            network(torch.empty(2, 3, least - 1, least - 1))


def test_a_picture_too_small_for_the_heads_is_fine_without_them() -> None:
    with torch.device("meta"):
        network = zoo.create("inception_v3", auxiliary=True)
        small = torch.empty(2, 3, 96, 96)

        assert network.eval()(small).shape == (2, 1000)
        with pytest.raises(
            InputShapeError,
            match=r"^inception_v3 takes pictures of at least 299x299 pixels while its "
            r"auxiliary heads train, got 96x96$",
        ):
            network.train()(small)


@pytest.mark.parametrize(
    ("name", "stage", "channels"),
    [
        ("inception_v3", "mixed_6e", 768),
        ("inception_v4", "inception_b", 1024),
        ("inception_resnet_v2", "inception_resnet_b", 1088),
    ],
)
def test_the_released_auxiliary_head_reads_the_last_17x17_map(
    name: str, stage: str, channels: int
) -> None:
    with torch.device("meta"):
        network = zoo.create(name, auxiliary=True)
        head = network.auxiliary[stage]

        pooled = head.pool(torch.empty(1, channels, 17, 17))
        wide = head.conv2(head.conv1(pooled))

    assert list(network.auxiliary) == [stage]
    assert pooled.shape == (1, channels, 5, 5)
    assert wide.shape == (1, 768, 1, 1)
    assert head.fc.in_features == 768


@pytest.mark.parametrize("name", ["inception_v3", "inception_v4", "inception_resnet_v2"])
def test_dropout_keeps_what_the_authors_keep(name: str) -> None:
    with torch.device("meta"):
        network = zoo.create(name)

    assert network.head.dropout.p == pytest.approx(1 - 0.8)
