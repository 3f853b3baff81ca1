"""The zoo as users of timm and torchvision type it."""

from pathlib import Path

import pytest
import torch

from kkcv import zoo
from kkcv.errors import UnknownNetwork, WeightsError
from kkcv.zoo.feature_maps import FeatureMaps


def test_pretrained_is_a_word_for_the_public_weights() -> None:
    ours = zoo.create("efficientnet_lite0", pretrained=True).state_dict()
    expected = zoo.create("efficientnet_lite0", weights="imagenet").state_dict()

    assert all(torch.equal(ours[key], expected[key]) for key in expected)


def test_models_are_listed_by_a_pattern_in_any_case() -> None:
    assert zoo.list_models("ResNet*") == zoo.names("resnet*")
    assert zoo.list_models("resnet50") == ["resnet50_v1.5"]
    assert len(zoo.list_models()) == len(zoo.names()) > 100
    some = zoo.list_models(pretrained=True)
    assert "efficientnet_lite0" in some
    assert "lenet5" not in some


@pytest.mark.parametrize(("typed", "name"), [("ResNet18", "resnet18"), ("VGG16_c", "vgg16_C")])
def test_names_are_the_same_in_upper_and_lower_case(typed: str, name: str) -> None:
    assert zoo.spec(typed).name == name
    assert zoo.create(typed, num_classes=2).spec == zoo.create(name, num_classes=2).spec


def test_a_name_that_there_is_not_names_the_nearest() -> None:
    with pytest.raises(UnknownNetwork, match="no network 'resnet51' in the zoo; the nearest: "):
        zoo.create("resnet51")


def test_a_grey_picture_answers_as_three_equal_channels() -> None:
    color = zoo.create("efficientnet_lite0", pretrained=True)
    grey = zoo.create("efficientnet_lite0", pretrained=True, in_channels=1)
    images = torch.rand(2, 1, 224, 224, generator=torch.Generator().manual_seed(0))

    with torch.inference_mode():
        expected, found = color(images.expand(-1, 3, -1, -1)), grey(images)

    assert torch.allclose(found, expected, atol=1e-4)
    with pytest.raises(WeightsError, match="it takes pictures of 3 channels"):
        zoo.create("efficientnet_lite0", pretrained=True, in_channels=4)


def test_weights_of_a_grey_network_come_back_as_they_are(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    grey = zoo.create("resnet18", in_channels=1)
    save_file(grey.state_dict(), tmp_path / "grey.safetensors")

    again = zoo.create("resnet18", weights=tmp_path / "grey.safetensors", in_channels=1)

    first = next(iter(again.state_dict()))
    assert torch.equal(again.state_dict()[first], grey.state_dict()[first])


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2_1.0", "squeezenet1_1"])
def test_features_only_gives_the_map_of_every_stage(name: str) -> None:
    maps_of = zoo.create(name, features_only=True)
    whole = zoo.create(name, weights=None)
    whole.stages.load_state_dict(maps_of.stages.state_dict())
    images = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))

    with torch.inference_mode():
        maps = maps_of(images)
        last = whole.features(images)

    assert isinstance(maps_of, FeatureMaps)
    assert [m.shape[1] for m in maps] == list(maps_of.channels)
    assert len(maps) == len(maps_of.names) == len(maps_of.stages)
    assert [round(224 / m.shape[2]) for m in maps] == list(maps_of.reductions)
    assert torch.equal(maps[-1], last)


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "mobilenet_v3_small_1.0"])
def test_a_classifier_can_be_put_anew(name: str) -> None:
    network = zoo.create(name)
    images = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    embedding = network.embedding(images)

    network.reset_classifier(7)

    assert network(images).shape == (1, 7)
    assert network.spec is not None
    assert network.spec.num_classes == 7
    assert torch.equal(network.embedding(images), embedding)
    network.reset_classifier(0)
    assert torch.equal(network(images), embedding)


def test_auxiliary_heads_are_not_left_with_their_old_classes() -> None:
    network = zoo.create("googlenet", auxiliary=True)

    with pytest.raises(ValueError, match="auxiliary heads would keep their classes"):
        network.reset_classifier(3)


def test_a_notebook_shows_the_table_of_the_stages() -> None:
    html = zoo.create("resnet18", num_classes=5)._repr_html_()

    assert "<caption>resnet18: ResNet, 2015</caption>" in html
    assert "<td" in html
    for words in ("conv1", "conv5_x", "512 × 7 × 7", "2,565", "11,179,077"):
        assert words in html
