"""ConvNeXt: a block as the paper draws it, norms over channels, and files without a classifier."""

import pytest
import torch
import torch.nn.functional as F

from kkcv import zoo
from kkcv.zoo.convnext import ChannelNorm, ConvNeXtBlock
from kkcv.zoo.layers import DropPath
from kkcv.zoo.registry import create_on_meta


def test_a_block_is_depthwise_norm_widen_gelu_narrow_scale_plus_its_input() -> None:
    torch.manual_seed(0)
    block, x = ConvNeXtBlock(8, 0.0).eval(), torch.randn(2, 8, 9, 9)
    torch.nn.init.normal_(block.scale)

    y = F.conv2d(x, block.depthwise.weight, block.depthwise.bias, padding=3, groups=8)
    mean, var = y.mean(1, keepdim=True), y.var(1, unbiased=False, keepdim=True)
    y = (y - mean) / (var + 1e-6).sqrt()
    y = F.gelu(F.conv2d(y, block.widen.weight[:, :, None, None], block.widen.bias))
    y = F.conv2d(y, block.narrow.weight[:, :, None, None], block.narrow.bias)

    torch.testing.assert_close(block(x), x + block.scale[:, None, None] * y, atol=1e-5, rtol=1e-4)


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
