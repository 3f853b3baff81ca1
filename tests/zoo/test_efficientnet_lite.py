"""EfficientNet-Lite: what is scaled, what is fixed, what fell away, and how it starts."""

import math

import pytest
import torch
from torch import nn

from kkcv import zoo
from kkcv.zoo.layers import DropPath, SqueezeExcite
from kkcv.zoo.registry import create_on_meta

LITES = [f"efficientnet_lite{i}" for i in range(5)]


@pytest.mark.parametrize("name", LITES)
def test_first_and_last_layers_and_the_depth_of_the_end_stages_are_not_scaled(name: str) -> None:
    stages = create_on_meta(name).stages

    assert stages.stem.conv.out_channels == 32
    assert stages.conv_head.conv.out_channels == 1280
    assert len(stages.stage1) == len(stages.stage7) == 1


def test_depth_and_width_grow_by_the_readmes_table() -> None:
    deep = [len(create_on_meta(name).stages.stage6) for name in LITES]
    wide = [create_on_meta(name).stages.stage6[0].project.conv.out_channels for name in LITES]

    assert deep == [4, 5, 5, 6, 8]  # 4 · 1, 1.1, 1.2, 1.4, 1.8, rounded up
    assert wide == [192, 192, 208, 232, 272]  # 192 · 1, 1, 1.1, 1.2, 1.4, to a multiple of 8


def test_no_squeeze_and_no_swish_only_relu6() -> None:
    modules = list(create_on_meta("efficientnet_lite0").modules())

    assert not any(
        isinstance(m, SqueezeExcite | nn.SiLU | nn.Sigmoid | nn.Hardswish) for m in modules
    )
    assert {type(m) for m in modules if "act" in type(m).__module__} == {nn.ReLU6}


def test_stochastic_depth_rises_towards_a_survival_of_0_8() -> None:
    rates = [
        m.rate for m in create_on_meta("efficientnet_lite0").modules() if isinstance(m, DropPath)
    ]

    assert rates == pytest.approx([0.2 * i / 16 for i in range(16)])


def test_depthwise_convolutions_start_as_loud_as_the_authors() -> None:
    torch.manual_seed(0)
    depthwise = zoo.create("efficientnet_lite0").stages.stage6[1].depthwise.conv

    std = depthwise.weight.std().item()

    assert std == pytest.approx(math.sqrt(2 / 25), rel=0.05)  # fan-out: 5 · 5 · 1
