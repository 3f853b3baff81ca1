"""SqueezeNet: what is squeezed, where the maps shrink, and a classifier that sees the map."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from kkcv import zoo
from kkcv.zoo.costs import cost
from kkcv.zoo.registry import create_on_meta
from kkcv.zoo.squeezenet import Fire


def test_a_fire_module_expands_side_by_side_what_it_squeezed() -> None:
    torch.manual_seed(0)
    fire, x = Fire(8, 2, 3, 5).eval(), torch.randn(2, 8, 6, 6)

    squeezed = F.relu(F.conv2d(x, fire.squeeze.conv.weight, fire.squeeze.conv.bias))

    one = F.conv2d(squeezed, fire.expand1x1.conv.weight, fire.expand1x1.conv.bias)
    three = F.conv2d(squeezed, fire.expand3x3.conv.weight, fire.expand3x3.conv.bias, padding=1)
    torch.testing.assert_close(fire(x), F.relu(torch.cat((one, three), dim=1)))


def test_the_3x3_filters_see_at_most_an_eighth_of_the_channels_that_the_module_gives() -> None:
    fires = [m for m in create_on_meta("squeezenet1_0").modules() if isinstance(m, Fire)]

    for fire in fires:
        seen, given = fire.expand3x3.conv.in_channels, 2 * fire.expand3x3.conv.out_channels
        assert 8 * seen == given  # table 1's squeeze ratio of 0.125 (section 5.2)


def test_the_maps_of_table_1_are_those_of_227_pixels() -> None:
    rows = {row.name: row.shape for row in cost("squeezenet1_0", 227).stages}

    assert [rows[name][1] for name in ("conv1", "pool1", "pool4", "pool8")] == [111, 55, 27, 13]


def test_v1_1_works_less_by_the_factor_that_its_authors_state() -> None:
    assert cost("squeezenet1_0").macs / cost("squeezenet1_1").macs == pytest.approx(2.4, abs=0.06)


def test_the_scores_are_the_mean_over_the_positions_not_the_score_of_the_mean() -> None:
    torch.manual_seed(0)
    network, pictures = zoo.create("squeezenet1_1"), torch.randn(2, 3, 64, 64)
    features, conv10 = network.features(pictures), network.head.conv10

    answers = F.relu(F.conv2d(features, conv10.weight, conv10.bias))

    torch.testing.assert_close(network(pictures), answers.mean((2, 3)))
    torch.testing.assert_close(network.embedding(pictures), features.mean((2, 3)))
    of_the_mean = F.relu(F.linear(features.mean((2, 3)), conv10.weight[:, :, 0, 0], conv10.bias))
    assert not torch.allclose(network(pictures), of_the_mean)


def test_weights_for_other_classes_keep_all_but_conv10(tmp_path: Path) -> None:
    torch.save(zoo.create("squeezenet1_1").state_dict(), tmp_path / "weights.pth")

    network = zoo.create("squeezenet1_1", weights=tmp_path / "weights.pth", num_classes=5)

    assert network(torch.randn(1, 3, 64, 64)).shape == (1, 5)
