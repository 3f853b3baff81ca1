"""Frozen layers stay as they are, and the others learn at their own rates."""

import pytest
import torch

from kkcv import zoo
from kkcv.errors import TrainingError
from kkcv.training.fit.freezing import depths, freeze, layers, parameter_groups, training_mode
from kkcv.training.recipe import Recipe
from kkcv.zoo.registry import FAMILIES, create_on_meta
from tests.training.conftest import fitted

FIRST_OF_FAMILIES = [family.NETWORKS[0].name for family in FAMILIES]


def learns(network):
    return {
        name.split(".")[1] if name.startswith("stages.") else name.split(".")[0]
        for name, p in network.named_parameters()
        if p.requires_grad
    }


def test_stages_are_unfrozen_from_the_last_one_on():
    network = create_on_meta("resnet18")

    freeze(network, 0)
    head_only = learns(network)
    freeze(network, 2)
    two = learns(network)
    freeze(network, -1)

    assert head_only == {"head"}
    assert two == {"head", "conv5_x", "conv4_x"}
    assert learns(network) == {"head", "conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x"}


@pytest.mark.parametrize("name", FIRST_OF_FAMILIES)
def test_every_parameter_of_every_family_is_in_one_group(name):
    network = create_on_meta(name)
    freeze(network, -1)

    groups = parameter_groups(layers(network), 1.0, 0.5, 0.1)

    grouped = [id(p) for group in groups for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in network.parameters())


def test_rates_fall_from_the_head_down_and_norms_do_not_decay():
    network = create_on_meta("resnet18")
    freeze(network, 2)

    groups = parameter_groups(layers(network), 0.1, 0.5, 0.01)

    assert [(g["name"], g["lr"], g["weight_decay"]) for g in groups] == [
        ("head", 0.1, 0.01),
        ("head, norms and biases", 0.1, 0.0),
        ("conv5_x", 0.05, 0.01),
        ("conv5_x, norms and biases", 0.05, 0.0),
        ("conv4_x", 0.025, 0.01),
        ("conv4_x, norms and biases", 0.025, 0.0),
    ]


def statistics(network):
    return {k: v.clone() for k, v in network.state_dict().items() if "running" in k}


def moved(network, **mode):
    """The stages whose batch norms a training step changes."""
    before = statistics(network)
    training_mode(network, **mode)
    network(torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    after = statistics(network)
    return {key.split(".")[1] for key in before if not torch.equal(before[key], after[key])}


def test_frozen_batch_norms_keep_their_statistics():
    network = zoo.create("shufflenet_v2_x0.5")
    last = depths(network)[0][0]

    freeze(network, 1)

    assert moved(network) == {last}
    assert moved(network, freeze_norms=True) == set()


def test_frozen_stochastic_depth_drops_nothing():
    network = zoo.create("efficientnet_lite0")
    freeze(network, 0)
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    expected = network.eval().embedding(images)

    training_mode(network)

    assert torch.equal(network.embedding(images), expected)
    assert network.head.training


def test_a_head_that_cannot_learn_is_refused():
    network = create_on_meta("lenet5_1998")

    with pytest.raises(TrainingError, match="the head of lenet5_1998 has nothing to learn"):
        freeze(network, 0)


def test_more_stages_than_the_network_has_are_refused():
    network = create_on_meta("lenet5_modern")
    freeze(network, 4)

    with pytest.raises(TrainingError, match="lenet5_modern has 4 stages to unfreeze, got 5; all"):
        freeze(network, 5)


def test_a_head_that_sees_the_map_is_trained_on_pictures(cats_dogs, tmp_path):
    """SqueezeNet's scores do not follow from its embeddings, so none are kept."""
    torch.save(zoo.create("squeezenet1_1").state_dict(), tmp_path / "weights.pth")
    weights = str(tmp_path / "weights.pth")
    recipe = Recipe(model="squeezenet1_1", weights=weights, size=64, head_epochs=1, batch_size=16)

    done = fitted(cats_dogs, recipe, tmp_path / "run")

    assert done.embeddings is None
    learned = done.network.head.conv10.weight
    assert learned.shape == (2, 512, 1, 1)
    assert done.progress.best_state["head.conv10.weight"].shape == learned.shape
