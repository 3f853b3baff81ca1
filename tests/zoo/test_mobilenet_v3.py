"""MobileNet v3: h-swish, where the squeeze stands, the widths, and the minimalistic form."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kkcv import zoo
from kkcv.zoo.layers import SqueezeExcite
from kkcv.zoo.mobilenet_v3 import LARGE, NONLINEARITIES, SMALL, minimalistic
from kkcv.zoo.registry import create_on_meta


def test_h_swish_is_x_times_a_clipped_line() -> None:
    x = torch.linspace(-6, 6, 1001)

    assert torch.allclose(NONLINEARITIES["HS"]()(x), x * F.relu6(x + 3) / 6, atol=1e-6)


def test_the_squeeze_stands_behind_the_activation_and_gates_with_the_hard_sigmoid() -> None:
    torch.manual_seed(0)
    block = zoo.create("mobilenet_v3_large").stages.bneck5  # 5x5, SE, ReLU, a shortcut
    images = torch.randn(2, 40, 8, 8)

    with torch.no_grad():
        got = block(images)

        expand, depthwise, project = (
            step.conv.weight / (1 + 1e-3) ** 0.5
            for step in (block.expand, block.depthwise, block.project)
        )
        y = F.relu(F.conv2d(images, expand))
        y = F.relu(F.conv2d(y, depthwise, padding=2, groups=120))
        s = y.mean(dim=(2, 3), keepdim=True)
        s = F.relu(F.conv2d(s, block.se.fc1.weight, block.se.fc1.bias))
        s = F.conv2d(s, block.se.fc2.weight, block.se.fc2.bias)
        y = y * F.relu6(s + 3) / 6
    assert block.se.fc1.out_channels == 32  # a quarter of 120, to a multiple of 8
    assert torch.allclose(got, images + F.conv2d(y, project), atol=1e-5)


@pytest.mark.parametrize(("name", "table"), [("large", LARGE), ("small", SMALL)])
def test_the_squeezes_are_where_the_table_has_them(name: str, table: tuple) -> None:
    stages = create_on_meta(f"mobilenet_v3_{name}").stages

    squeezed = [
        any(isinstance(m, SqueezeExcite) for m in stage.modules())
        for name, stage in stages.named_children()
    ]

    assert squeezed == [False, *(squeeze for _, _, _, squeeze, _, _ in table), False]


# Counted from the tables; figure 2 has these widths, but no other library.
@pytest.mark.parametrize(
    ("name", "parameters", "stem"),
    [
        ("large_1.25", 7_551_976, 24),
        ("large_0.5", 2_689_520, 8),
        ("large_0.35", 2_131_832, 8),
        ("small_1.25", 3_205_384, 24),
        ("small_0.5", 1_592_704, 8),
        ("small_0.35", 1_358_288, 8),
    ],
)
def test_widths_scale_the_first_layer_and_not_the_one_behind_the_pooling(
    name: str, parameters: int, stem: int
) -> None:
    network = create_on_meta(f"mobilenet_v3_{name}")

    assert network.stages.conv1.conv.out_channels == stem
    assert network.neck.fc.out_features == (1280 if "large" in name else 1024)
    assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize("name", ["large", "small"])
def test_minimalistic_has_nothing_that_small_hardware_lacks(name: str) -> None:
    network = create_on_meta(f"mobilenet_v3_{name}_minimalistic")

    modules = list(network.modules())

    assert not any(isinstance(m, SqueezeExcite | nn.Hardswish | nn.Hardsigmoid) for m in modules)
    assert {m.kernel_size[0] for m in modules if isinstance(m, nn.Conv2d)} == {1, 3}


def test_minimalistic_keeps_the_widths_and_strides() -> None:
    assert [(r[1], r[2], r[5]) for r in minimalistic(LARGE)] == [(r[1], r[2], r[5]) for r in LARGE]


def test_weights_from_timm_get_timms_epsilon() -> None:
    network = zoo.create("mobilenet_v3_small", trained_in="timm")

    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]

    assert {m.eps for m in norms} == {1e-5}
    assert {m.momentum for m in norms} == {0.01}
