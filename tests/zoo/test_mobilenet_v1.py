"""MobileNet v1: the two steps, the two multipliers, and what other trainers made of it."""

import numpy as np
import pytest
import torch
from torch import nn

from kkcv import zoo
from kkcv.zoo.costs import cost
from kkcv.zoo.mobilenet_v1 import DepthwiseSeparable


def test_a_block_filters_each_channel_and_then_combines_them() -> None:
    torch.manual_seed(0)
    block = DepthwiseSeparable(4, 6, stride=1, activation=nn.Identity).eval()
    images = torch.randn(1, 4, 5, 7)

    with torch.no_grad():
        got = block(images).numpy()[0]

    k_hat = block.depthwise.conv.weight.detach().numpy()[:, 0]  # one kernel a channel
    k = block.pointwise.conv.weight.detach().numpy()[:, :, 0, 0]
    f = np.pad(images.numpy()[0], ((0, 0), (1, 1), (1, 1)))
    g_hat = np.zeros((4, 5, 7))  # equation 3
    for i in range(3):
        for j in range(3):
            g_hat += k_hat[:, i, j][:, None, None] * f[:, i : i + 5, j : j + 7]
    g = np.einsum("nm,mhw->nhw", k, g_hat)
    untrained_norms = 1 + 1e-5
    assert np.allclose(got, g / untrained_norms, rtol=1e-4, atol=1e-5)


def test_a_block_costs_one_nth_plus_one_ninth_of_a_convolution() -> None:
    block = DepthwiseSeparable(128, 256, stride=1, activation=nn.ReLU)

    weights = sum(p.numel() for p in block.parameters() if p.ndim == 4)

    convolution = 128 * 256 * 3 * 3
    assert weights / convolution == pytest.approx(1 / 256 + 1 / 9)  # section 3.1


@pytest.mark.parametrize(("size", "printed"), [(224, 569), (192, 418), (160, 290), (128, 186)])
def test_the_resolution_multiplier_costs_what_table_7_prints(size: int, printed: int) -> None:
    measured = cost("mobilenet_v1_1.0", size, size)

    assert measured.macs / 1e6 == pytest.approx(printed, abs=1)


def test_the_last_depthwise_step_keeps_the_resolution() -> None:
    with torch.device("meta"):
        network = zoo.create("mobilenet_v1")
        images = torch.zeros(1, 3, 224, 224)

    assert network.features(images).shape == (1, 1024, 7, 7)


@pytest.mark.parametrize("trained_in", ["timm", "tensorflow"])
def test_for_the_public_weights_no_activation_exceeds_six(trained_in: str) -> None:
    network = zoo.create("mobilenet_v1_0.25", trained_in=trained_in)
    paper = zoo.create("mobilenet_v1_0.25")
    paper.load_state_dict(network.state_dict())
    bright = torch.full((1, 3, 64, 64), 1e6)

    with torch.no_grad():
        bounded, unbounded = network.stages.conv1(bright), paper.stages.conv1(bright)

    assert bounded.max() == 6
    assert unbounded.max() > 6
