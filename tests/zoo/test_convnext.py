"""ConvNeXt: a block as the paper draws it, norms over channels, and files without a classifier."""

from pathlib import Path

import pytest
import timm
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from kkcv import checkpoint, zoo
from kkcv.classify import Classifier
from kkcv.errors import RequestError
from kkcv.zoo.convnext import ChannelNorm, ConvNeXtBlock
from kkcv.zoo.layers import DropPath
from kkcv.zoo.parity import fill
from kkcv.zoo.registry import create_on_meta
from kkcv.zoo.weights import published


def test_a_block_is_depthwise_norm_widen_gelu_narrow_scale_plus_its_input() -> None:
    torch.manual_seed(0)
    block, x = ConvNeXtBlock(8, 0.0).eval(), torch.randn(2, 8, 9, 9)
    torch.nn.init.normal_(block.scale.gamma)

    y = F.conv2d(x, block.depthwise.weight, block.depthwise.bias, padding=3, groups=8)
    mean, var = y.mean(1, keepdim=True), y.var(1, unbiased=False, keepdim=True)
    y = (y - mean) / (var + 1e-6).sqrt()
    y = F.gelu(F.conv2d(y, block.widen.weight[:, :, None, None], block.widen.bias))
    y = F.conv2d(y, block.narrow.weight[:, :, None, None], block.narrow.bias)

    torch.testing.assert_close(
        block(x), x + block.scale.gamma[:, None, None] * y, atol=1e-5, rtol=1e-4
    )


def test_a_norm_makes_every_position_even_over_its_channels() -> None:
    x = 3 + 5 * torch.randn(2, 16, 4, 4)

    y = ChannelNorm(16)(x)

    torch.testing.assert_close(y.mean(1), torch.zeros(2, 4, 4), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.var(1, unbiased=False), torch.ones(2, 4, 4), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("name", "blocks", "channels"),
    [
        ("convnext_tiny", [3, 3, 9, 3], [96, 192, 384, 768]),
        ("convnext_small", [3, 3, 27, 3], [96, 192, 384, 768]),
        ("convnext_base", [3, 3, 27, 3], [128, 256, 512, 1024]),
    ],
)
def test_the_stages_are_those_of_section_3(
    name: str, blocks: list[int], channels: list[int]
) -> None:
    stages = create_on_meta(name).stages

    rows = [stages.get_submodule(f"res{i}") for i in (2, 3, 4, 5)]

    assert [len(row) for row in rows] == blocks
    assert [row[0].depthwise.out_channels for row in rows] == channels


@pytest.mark.parametrize(
    ("name", "rate"), [("convnext_tiny", 0.1), ("convnext_small", 0.4), ("convnext_base", 0.5)]
)
def test_stochastic_depth_rises_to_the_rate_of_table_5(name: str, rate: float) -> None:
    rates = [m.rate for m in create_on_meta(name).modules() if isinstance(m, DropPath)]

    assert rates[0] == 0
    assert rates[-1] == pytest.approx(rate)
    assert rates == sorted(rates)


def test_its_embedding_is_behind_the_norm_as_in_its_peers() -> None:
    torch.manual_seed(0)
    network, pictures = zoo.create("convnext_tiny"), torch.randn(2, 3, 32, 32)

    embedding = network.embedding(pictures)

    torch.testing.assert_close(embedding.mean(1), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        embedding, F.layer_norm(network.features(pictures).mean((2, 3)), (768,), eps=1e-6)
    )


@pytest.fixture
def in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache in which timm's networks of these tags lie, with drawn weights."""
    monkeypatch.setenv("KKCV_CACHE", str(tmp_path))
    monkeypatch.setenv("KKCV_OFFLINE", "1")
    (tmp_path / "weights").mkdir()
    for row in published("convnext_tiny"):
        if row.classes != 1000:
            with torch.device("meta"):
                theirs = timm.create_model(f"convnext_tiny.{row.tag}")
            save_file(fill(theirs).state_dict(), tmp_path / "weights" / row.file_name)
    return tmp_path / "weights"


@pytest.mark.usefixtures("in_the_cache")
def test_weights_without_a_classifier_embed_as_timm_does_and_name_no_classes() -> None:
    pictures = torch.randn(2, 3, 64, 64)
    theirs = fill(timm.create_model("convnext_tiny.dinov3_lvd1689m")).eval()
    found = checkpoint.resolve("convnext_tiny", "imagenet:dinov3_lvd1689m")

    network = found.build()

    assert network.spec is not None
    assert network.spec.num_classes == 0
    with torch.no_grad():
        torch.testing.assert_close(network.embedding(pictures), theirs(pictures))
        torch.testing.assert_close(network(pictures), network.embedding(pictures))
    with pytest.raises(RequestError, match="has no classes"):
        Classifier(found)


@pytest.mark.usefixtures("in_the_cache")
def test_weights_of_imagenet_22k_keep_their_classes() -> None:
    network = zoo.create("convnext_tiny", weights="imagenet:fb_in22k")

    assert network(torch.randn(1, 3, 64, 64)).shape == (1, 21841)


@pytest.mark.usefixtures("in_the_cache")
@pytest.mark.parametrize("tag", ["dinov3_lvd1689m", "fb_in22k"])
def test_either_starts_a_new_classifier_for_ones_own_classes(tag: str) -> None:
    network = zoo.create("convnext_tiny", weights=f"imagenet:{tag}", num_classes=7)

    assert network(torch.randn(1, 3, 64, 64)).shape == (1, 7)


def test_no_classes_are_no_classifier_in_any_network() -> None:
    squeezenet, pictures = zoo.create("squeezenet1_1", num_classes=0), torch.randn(1, 3, 64, 64)

    assert squeezenet(pictures).shape[1] == zoo.spec("squeezenet1_1").embedding_dim == 512
