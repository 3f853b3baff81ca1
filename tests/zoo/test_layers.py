"""The pieces that several papers share, against formulas."""

import math

import pytest
import torch
from torch import nn

from kkcv.zoo.layers import (
    DropPath,
    SqueezeExcite,
    channel_shuffle,
    he_normal,
    make_divisible,
    norm_conv,
    stack,
)


def test_a_shuffle_interleaves_the_groups_of_channels() -> None:
    channels = torch.arange(6.0).reshape(1, 6, 1, 1)

    shuffled = channel_shuffle(channels, groups=3)

    assert shuffled.flatten().tolist() == [0, 2, 4, 1, 3, 5]


def test_a_shuffle_by_the_other_number_puts_the_channels_back() -> None:
    maps = torch.randn(2, 24, 3, 5)

    back = channel_shuffle(channel_shuffle(maps, groups=8), groups=3)

    assert torch.equal(back, maps)


def test_a_shuffle_keeps_the_pixels_of_channels_last_maps() -> None:
    maps = torch.randn(2, 6, 3, 5)

    shuffled = channel_shuffle(maps.to(memory_format=torch.channels_last), groups=2)

    assert torch.equal(shuffled, channel_shuffle(maps, groups=2))


def test_squeeze_and_excite_scales_each_channel_by_its_gate() -> None:
    gate = SqueezeExcite(8, 2)
    maps = torch.randn(3, 8, 4, 4)
    w1, w2 = gate.fc1.weight.flatten(1), gate.fc2.weight.flatten(1)

    z = maps.mean(dim=(2, 3))
    s = torch.sigmoid(torch.relu(z @ w1.T + gate.fc1.bias) @ w2.T + gate.fc2.bias)

    torch.testing.assert_close(gate(maps), maps * s[:, :, None, None])


def test_only_the_first_block_of_a_stack_changes_channels_and_resolution() -> None:
    asked = []

    def block(*sizes: int) -> nn.Module:
        asked.append(sizes)
        return nn.Identity()

    stage = stack(block, 3, in_channels=64, out_channels=128, stride=2)

    assert len(stage) == 3
    assert asked == [(64, 128, 2), (128, 128, 1), (128, 128, 1)]


def test_pre_activation_sees_the_normed_and_rectified_input() -> None:
    layer = norm_conv(4, 4, 1).eval()
    nn.init.dirac_(layer.conv.weight)
    maps = torch.randn(2, 4, 5, 5)

    activated = torch.relu(maps / math.sqrt(1 + layer.norm.eps))

    torch.testing.assert_close(layer(maps), activated)


@pytest.mark.parametrize("groups", [1, 8, 64], ids="groups={}".format)
def test_he_initialization_counts_the_fan_out_of_one_group(groups: int) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(64, 1024, 3, groups=groups)

    he_normal(conv)

    assert conv.weight.std().item() == pytest.approx(math.sqrt(2 * groups / (1024 * 9)), rel=0.05)
    assert conv.bias is not None
    assert not conv.bias.any()


def test_hes_initialization_leaves_no_bias_random() -> None:
    linear = torch.nn.Linear(100, 10)

    he_normal(linear)

    assert linear.bias is not None
    assert not linear.bias.any()


def test_a_path_is_dropped_for_whole_samples_and_the_others_make_up_for_it() -> None:
    torch.manual_seed(0)
    path, maps = DropPath(0.25).train(), torch.ones(400, 2, 3, 3)

    dropped = path(maps).flatten(1)

    kept = dropped[:, 0] > 0
    torch.testing.assert_close(dropped[kept], torch.full((int(kept.sum()), 18), 1 / 0.75))
    assert not dropped[~kept].any()
    assert kept.float().mean().item() == pytest.approx(0.75, abs=0.08)


def test_nothing_is_dropped_in_eval_mode() -> None:
    maps = torch.randn(8, 2, 3, 3)

    assert torch.equal(DropPath(0.9).eval()(maps), maps)


@pytest.mark.parametrize(("width", "rounded"), [(8, 8), (11, 16), (12, 16), (90, 88), (3, 8)])
def test_widths_are_rounded_to_multiples_of_8_but_never_far_down(
    width: float, rounded: int
) -> None:
    assert make_divisible(width) == rounded
