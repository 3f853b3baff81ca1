"""MobileNet v4: the paper's tables, the grammar of the universal block, and Mobile MQA."""

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kkcv import zoo
from kkcv.zoo import mobilenet_v4_tables as tables
from kkcv.zoo.costs import cost
from kkcv.zoo.layers import DropPath
from kkcv.zoo.mobilenet_v4 import (
    HYBRID_MEDIUM,
    MEDIUM,
    LayerScale,
    MobileMQA,
    NeckNorm,
    UniversalInvertedBottleneck,
)
from kkcv.zoo.mobilenet_v4_tables import Row
from kkcv.zoo.registry import create_on_meta

TABLES = {
    "conv_small": tables.CONV_SMALL,
    "conv_medium": tables.CONV_MEDIUM,
    "conv_large": tables.CONV_LARGE,
    "hybrid_medium": tables.HYBRID_MEDIUM_TABLE_13,
    "hybrid_large": tables.HYBRID_LARGE,
}


@pytest.fixture(scope="module")
def reference(shared: Path) -> dict[str, dict]:
    text = (shared / "reference" / "zoo_reference.json").read_text(encoding="utf-8")
    return {entry["variant"]: entry for entry in json.loads(text)["entries"]}


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_are_the_papers(name: str, reference: dict[str, dict]) -> None:
    printed = [
        (
            r["block"],
            r["dw_k1"] or 0,
            r["dw_k2_or_kernel"] or 0,
            r["expanded"] or 0,
            r["out"],
            r["stride"],
        )
        for r in reference[f"mobilenet_v4_{name}"]["paper_spec"]
        if r["block"] not in ("Conv2D", "AvgPool")
    ]

    ours = [
        ("Mobile-MQA" if row.block == "MQA" else row.block, *row[1:-1])
        for row in TABLES[name]
        for _ in range(row.repeats)
    ]

    assert ours == printed


@pytest.mark.parametrize("name", [*TABLES, "released"])
def test_a_block_is_called_what_its_kernels_make_it(name: str) -> None:
    grammar = {  # figure 4
        (True, True): "ExtraDW",
        (False, True): "IB",
        (True, False): "ConvNext",
        (False, False): "FFN",
    }
    rows = TABLES.get(name, tables.HYBRID_MEDIUM)

    for row in rows:
        if row.block not in ("FusedIB", "MQA"):
            assert row.block == grammar[bool(row.k1), bool(row.k2)], row


def test_table_13_to_the_letter_is_not_what_was_released(reference: dict[str, dict]) -> None:
    counts = reference["mobilenet_v4_hybrid_medium"]["counts_all"]
    literal = counts["own:mobilenetv4_hybrid_medium_table13"]

    ours = cost("mobilenet_v4_hybrid_medium_table13")

    assert (ours.parameters, ours.macs) == (literal["params"], literal["macs"])
    assert ours.parameters != cost("mobilenet_v4_hybrid_medium").parameters


@pytest.mark.parametrize(
    ("k1", "k2", "strides"), [(3, 5, (1, 2)), (0, 3, (None, 2)), (3, 0, (2, None))]
)
def test_the_stride_is_on_the_second_depthwise_if_there_is_one(
    k1: int, k2: int, strides: tuple[int | None, int | None]
) -> None:
    block = UniversalInvertedBottleneck(8, Row("", k1, k2, 32, 16, 2, 1), MEDIUM, drop=0)

    got = tuple(
        step.conv.stride[0] if isinstance(step, nn.Sequential) else None
        for step in (block.start, block.middle)
    )

    assert got == strides
    assert block(torch.zeros(2, 8, 10, 10)).shape == (2, 16, 5, 5)


def test_the_first_depthwise_has_no_activation() -> None:
    torch.manual_seed(0)
    block = UniversalInvertedBottleneck(
        8, Row("ConvNext", 3, 0, 32, 8, 1, 1), MEDIUM, drop=0
    ).eval()
    images = torch.randn(2, 8, 6, 6)

    with torch.no_grad():
        got = block(images)

    start, expand, project = (
        step.conv.weight / (1 + 1e-5) ** 0.5 for step in (block.start, block.expand, block.project)
    )
    y = F.conv2d(images, start, padding=1, groups=8)
    y = F.conv2d(F.relu(F.conv2d(y, expand)), project)
    assert torch.allclose(got, images + y, atol=1e-5)


@pytest.mark.parametrize(("channels", "reduced"), [(160, 4), (256, 7)])
def test_mobile_mqa_is_attention_whose_heads_share_one_key_and_value(
    channels: int, reduced: int
) -> None:
    torch.manual_seed(0)
    block = MobileMQA(channels, Row("MQA", 0, 0, 0, channels, 1, 1), HYBRID_MEDIUM, 0).eval()
    nn.init.ones_(block.end.scale.gamma)
    images = torch.randn(2, channels, 7, 7)

    with torch.no_grad():
        got = block(images)

        y = block.norm(images)
        keys, values = block.key(y), block.value(y)
        heads = block.query(y).reshape(2, 4, 64, 49)
        attended = [
            F.scaled_dot_product_attention(
                heads[:, j].transpose(1, 2),
                keys.flatten(2).transpose(1, 2),
                values.flatten(2).transpose(1, 2),
            ).transpose(1, 2)
            for j in range(4)
        ]
        z = torch.cat(attended, dim=1).reshape(2, 256, 7, 7)
        expected = images + F.conv2d(z, block.project.weight)
    assert keys.shape == values.shape == (2, 64, reduced, reduced)
    assert torch.allclose(got, expected, atol=1e-4)


def test_a_new_hybrid_still_sees_its_pictures() -> None:
    torch.manual_seed(0)
    network = zoo.create("mobilenet_v4_hybrid_medium")

    with torch.no_grad():
        a, b = network.embedding(torch.rand(2, 3, 64, 64))

    assert (a - b).norm() > 0.01 * a.norm() > 0
    starts = {m.gamma[0].item() for m in network.modules() if isinstance(m, LayerScale)}
    assert sorted(starts) == pytest.approx([1e-5, 1])  # residual branches, strided blocks


def test_it_trains_with_a_batch_of_one_picture() -> None:
    torch.manual_seed(0)
    network = zoo.create("mobilenet_v4_conv_small").train()
    before = network.neck.norm.running_mean.clone()

    network(torch.rand(1, 3, 224, 224)).sum().backward()

    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    assert network.neck.norm.running_mean.equal(before)


def test_of_two_pictures_the_norm_behind_the_pooling_takes_the_statistics() -> None:
    norm, plain = NeckNorm(4).train(), nn.BatchNorm1d(4).train()
    x = torch.rand(2, 4, generator=torch.Generator().manual_seed(0))

    assert norm(x).equal(plain(x))
    assert norm.running_mean.equal(plain.running_mean)


def test_stochastic_depth_rises_with_the_depth() -> None:
    rates = [
        m.rate
        for m in create_on_meta("mobilenet_v4_conv_large").modules()
        if isinstance(m, DropPath)
    ]

    assert rates == sorted(rates)
    assert 0 < rates[0] < rates[-1] < 0.35  # table 10
