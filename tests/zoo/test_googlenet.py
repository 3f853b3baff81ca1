"""GoogLeNet: table 1, figure 3, and what torchvision made of them."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from kkcv import zoo
from kkcv.zoo.googlenet import INCEPTION
from kkcv.zoo.network import Network
from kkcv.zoo.parity import fill
from kkcv.zoo.registry import create_on_meta

# Table 1, column "output size", and "params" where the printed ones can be reproduced.
DEPTHS = dict(zip(INCEPTION, (256, 480, 512, 512, 512, 528, 832, 832, 1024), strict=True))
PRINTED_KI = {"3a": 159, "3b": 380, "4b": 437}


@pytest.fixture
def network() -> Network:
    return create_on_meta("googlenet_paper")


@pytest.mark.parametrize("row", INCEPTION)
def test_the_columns_of_a_row_add_up_to_its_depth(row: str) -> None:
    c1, _, c3, _, c5, pool = INCEPTION[row]

    assert c1 + c3 + c5 + pool == DEPTHS[row]


@pytest.mark.parametrize("row", PRINTED_KI)
def test_a_module_has_the_weights_that_table_1_prints(network: Network, row: str) -> None:
    module = dict(network.stages.named_children())[f"inception{row}"]

    weights = sum(p.numel() for name, p in module.named_parameters() if name.endswith("weight"))

    assert weights / 1024 == pytest.approx(PRINTED_KI[row], rel=0.005)


def test_norms_stand_after_the_first_pool_and_before_the_second(network: Network) -> None:
    kinds = ("Conv2d", "MaxPool2d", "LocalResponseNorm")

    layers = [type(m).__name__ for m in network.stages[:5].modules() if type(m).__name__ in kinds]

    assert layers == [
        *("Conv2d", "MaxPool2d", "LocalResponseNorm"),
        *("Conv2d", "Conv2d", "LocalResponseNorm", "MaxPool2d"),
    ]


@pytest.mark.parametrize(
    ("name", "large"), [("googlenet_paper", 5), ("googlenet_bn_torchvision", 3)]
)
def test_torchvision_has_a_3x3_where_the_paper_has_a_5x5(name: str, large: int) -> None:
    modules = create_on_meta(name).stages.inception3a

    kernels = {k: m.kernel_size for k, m in modules.named_modules() if isinstance(m, nn.Conv2d)}

    assert kernels["3x3.1.conv"] == (3, 3)
    assert kernels["5x5.1.conv"] == (large, large)


def test_auxiliary_heads_are_those_of_section_5() -> None:
    with torch.device("meta"):
        network = zoo.create("googlenet_paper", auxiliary=True)
    pool, conv = network.auxiliary.inception4a.pool, network.auxiliary.inception4a.conv

    assert list(network.auxiliary) == ["inception4a", "inception4d"]
    assert pool(torch.empty(1, 512, 14, 14, device="meta")).shape == (1, 512, 4, 4)
    assert conv(torch.empty(1, 512, 4, 4, device="meta")).shape == (1, 128, 4, 4)
    assert network.auxiliary.inception4d.fc1.out_features == 1024
    assert network.auxiliary.inception4d.dropout.p == 0.7
    assert sum(p.numel() for p in network.parameters()) == 13_378_280


def test_the_pool_of_an_auxiliary_head_averages_5x5_every_3() -> None:
    network = zoo.create("googlenet_paper", auxiliary=True)
    maps = torch.rand(1, 512, 14, 14)

    pooled = network.auxiliary.inception4a.pool(maps)

    assert pooled[0, 7, 1, 2].item() == pytest.approx(maps[0, 7, 3:8, 6:11].mean().item())


@pytest.mark.parametrize("auxiliary", [True, False])
def test_a_file_with_auxiliary_heads_fits_with_them_and_without(
    tmp_path: Path, photographs: Tensor, auxiliary: bool
) -> None:
    theirs = fill(models.googlenet(weights=None, aux_logits=True, init_weights=False))
    torch.save(theirs.state_dict(), tmp_path / "googlenet.pth")
    images = photographs[:2, :, :64, :64]

    ours = zoo.create("googlenet_bn", weights=tmp_path / "googlenet.pth", auxiliary=auxiliary)

    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs.eval()(images))
    if auxiliary:
        assert torch.equal(ours.auxiliary.inception4d.fc2.weight, theirs.aux2.fc2.weight)


def test_the_response_norm_is_that_of_the_released_caffe_network(network: Network) -> None:
    """Its prototxt: local_size 5, alpha 0.0001, beta 0.75; Caffe divides alpha by 5, and k is 1."""
    maps = torch.rand(2, 12, 3, 3, generator=torch.Generator().manual_seed(1)) * 100
    norm = network.stages.pool1[1]

    assert norm.alpha == pytest.approx(1e-4 / 5)
    expected = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1)(maps)
    torch.testing.assert_close(norm(maps), expected)


def test_biases_start_as_in_the_released_caffe_network() -> None:
    network = zoo.create("googlenet_paper", auxiliary=True)
    biases = {k: set(v.tolist()) for k, v in network.named_parameters() if k.endswith("bias")}

    zero = {key for key, values in biases.items() if values == {0.0}}

    assert zero == {
        "head.fc.bias",
        "auxiliary.inception4a.fc2.bias",
        "auxiliary.inception4d.fc2.bias",
    }
    others = set.union(*(values for key, values in biases.items() if key not in zero))
    assert {round(value, 6) for value in others} == {0.2}
