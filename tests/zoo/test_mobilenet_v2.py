"""MobileNet v2: linear bottlenecks, shortcuts between thin ends, and the rules of the widths."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kkcv import zoo
from kkcv.zoo.loading.conversion import convert
from kkcv.zoo.mobilenet_v2 import BOTTLENECKS, Bottleneck
from kkcv.zoo.parity import TOLERANCE, difference, drawn
from kkcv.zoo.peers import Peer


def test_a_block_is_table_1() -> None:
    torch.manual_seed(0)
    block = Bottleneck(8, 8, stride=1, expansion=6).eval()
    images = torch.randn(2, 8, 9, 9)

    with torch.no_grad():
        got = block(images)

    expand, depthwise, project = (
        step.conv.weight / (1 + 1e-5) ** 0.5
        for step in (block.expand, block.depthwise, block.project)
    )
    y = F.conv2d(images, expand).clamp(0, 6)
    y = F.conv2d(y, depthwise, padding=1, groups=48).clamp(0, 6)
    y = F.conv2d(y, project)  # linear
    assert torch.allclose(got, images + y, atol=1e-5)


@pytest.mark.parametrize(("channels", "stride"), [(16, 1), (8, 2), (16, 2)])
def test_where_the_shape_changes_there_is_no_shortcut(channels: int, stride: int) -> None:
    block = Bottleneck(8, channels, stride, expansion=6).eval()
    nn.init.zeros_(block.project.norm.weight)

    with torch.no_grad():
        out = block(torch.randn(1, 8, 6, 6))

    assert not out.any()


def test_the_first_block_does_not_widen() -> None:
    with torch.device("meta"):
        network = zoo.create("mobilenet_v2")

    widens = [
        isinstance(block.expand, nn.Sequential)
        for name, stage in network.stages.named_children()
        if name.startswith("bottleneck")
        for block in stage
    ]

    assert sum(n for _, _, n, _ in BOTTLENECKS) == 17  # not the 19 of section 4
    assert widens == [False] + [True] * 16


@pytest.mark.parametrize(
    ("width", "dim"),
    [(0.35, 1280), (0.5, 1280), (0.75, 1280), (1.0, 1280), (1.3, 1664), (1.4, 1792)],
)
def test_the_last_layer_is_scaled_only_by_multipliers_above_one(width: float, dim: int) -> None:
    assert zoo.spec(f"mobilenet_v2_{width}").embedding_dim == dim


def test_pytorchcv_has_the_same_without_a_bias_at_the_end() -> None:
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    theirs = drawn(Peer("mobilenet_v2_1.0", "pytorchcv:mobilenetv2b_w1", {}, "", ""), images)
    ours = zoo.create("mobilenet_v2_1.0")
    nn.init.zeros_(ours.head.fc.bias)

    loaded = ours.load_state_dict(convert(theirs.state_dict(), ours, "mobilenet_v2"), strict=False)

    assert loaded.missing_keys == ["head.fc.bias"]
    assert not loaded.unexpected_keys
    with torch.no_grad():
        assert difference(ours(images), theirs(images)) < TOLERANCE
