"""DenseNet: what is kept, what is added, and old files."""

import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import torchvision

from kkcv import zoo
from kkcv.zoo.densenet import DenseLayer, transition
from kkcv.zoo.registry import create_on_meta


def test_a_layer_keeps_its_input_and_adds_k_channels() -> None:
    torch.manual_seed(0)
    layer, x = DenseLayer(24, growth=8).eval(), torch.randn(2, 24, 5, 5)

    y = layer(x)

    assert y.shape == (2, 32, 5, 5)
    assert torch.equal(y[:, :24], x)
    assert torch.equal(y[:, 24:], layer.conv2(layer.conv1(x)))


def test_a_bottleneck_has_4k_channels_whatever_comes_in() -> None:
    narrow, wide = DenseLayer(64, growth=32), DenseLayer(992, growth=32)

    assert narrow.conv1.conv.out_channels == wide.conv1.conv.out_channels == 128


def test_a_transition_activates_before_it_narrows() -> None:
    torch.manual_seed(0)
    layer, x = transition(8, 4).eval(), torch.randn(2, 8, 6, 6)

    activated = F.relu(layer.norm(x))

    expected = F.avg_pool2d(F.conv2d(activated, layer.conv.weight), 2)
    torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize("name", zoo.names("densenet*"))
def test_the_number_in_the_name_counts_the_layers(name: str) -> None:
    network = create_on_meta(name)

    blocks = [len(network.stages.get_submodule(f"dense{i}")) for i in range(1, 5)]
    layers = 1 + 2 * sum(blocks) + 3 + 1  # conv1, two a layer, three transitions, the classifier

    surplus = 1 if name == "densenet264" else 0  # table 1 has 265 layers under this name
    assert layers == int(name.removeprefix("densenet")) + surplus


def test_the_last_block_is_followed_by_norm_and_relu_not_by_a_transition() -> None:
    names = [name for name, _ in create_on_meta("densenet121").stages.named_children()]

    assert names[-2:] == ["dense4", "post_activation"]


def test_torchvisions_files_of_2017_load_though_their_names_have_dots_too_many(
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    peer = torchvision.models.densenet121(weights=None).eval()
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)\.", r"\1.\2.", key): value
        for key, value in peer.state_dict().items()
    }
    torch.save(old, tmp_path / "old.pth")
    pictures = torch.randn(1, 3, 64, 64)

    network = zoo.create("densenet121", weights=tmp_path / "old.pth")

    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.testing.assert_close(network(pictures), peer(pictures))
