"""BN-Inception: figure 5, halves of odd sizes, and biases that its norms take away."""

import pytest
import torch
import torch.nn.functional as F
from pytorchcv.model_provider import get_model
from torch import Tensor, nn

from kkcv import zoo
from kkcv.zoo.inception_v2 import INCEPTION, HalvingPool
from kkcv.zoo.loading.conversion import convert
from kkcv.zoo.registry import create_on_meta

DEPTHS = dict(zip(INCEPTION, (256, 320, 576, 576, 576, 608, 608, 1056, 1024, 1024), strict=True))


@pytest.mark.parametrize("row", INCEPTION)
def test_each_module_has_the_depth_of_its_columns(row: str) -> None:
    network = create_on_meta("bn_inception")
    images = torch.empty(1, 3, 224, 224, device="meta")
    until = [name for name, _ in network.stages.named_children()].index(f"inception{row}") + 1

    assert network.stages[:until](images).shape[1] == DEPTHS[row]


def test_only_the_last_module_pools_by_the_maximum() -> None:
    stages = dict(create_on_meta("bn_inception").stages.named_children())

    pools = {
        name.removeprefix("inception"): type(module.pool[0])
        for name, module in stages.items()
        if name.startswith("inception") and isinstance(module.pool, nn.Sequential)
    }

    assert [row for row, pool in pools.items() if pool is nn.MaxPool2d] == ["5b"]
    assert INCEPTION.keys() - pools.keys() == {"3c", "4e"}


def test_halving_an_even_size_is_a_pool_rounded_up() -> None:
    x = torch.randn(2, 3, 28, 14)

    assert torch.equal(HalvingPool()(x), F.max_pool2d(x, 3, 2, ceil_mode=True))


@pytest.mark.parametrize("side", [1, 2, 7, 8, 27])
def test_a_pool_halves_as_a_padded_convolution_does(side: int) -> None:
    x = torch.randn(1, 1, side, side + 1)

    assert HalvingPool()(x).shape == F.conv2d(x, torch.ones(1, 1, 3, 3), None, 2, 1).shape


def test_the_biases_of_pytorchcv_go_into_the_norms_means(photographs: Tensor) -> None:
    theirs = get_model("bninception").eval()
    for module in theirs.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.normal_(module.bias)
    ours = zoo.create("bn_inception")
    images = photographs[:2, :, :224, :224]

    ours.load_state_dict(convert(theirs.state_dict(), ours, "inception_v2"))

    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images), rtol=1e-4, atol=1e-4)
