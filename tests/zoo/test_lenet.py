"""LeNet-5: the layers of 1998, and that both forms learn."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kkcv import zoo
from kkcv.errors import InputShapeError
from kkcv.zoo.lenet import RadialBasis, Squash, Subsampling, codes
from kkcv.zoo.network import Network

# Table 1 in words (section II-B): three, four and discontinuous four neighbors, then all.
C3_SEES = [
    *([0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], [0, 4, 5], [0, 1, 5]),
    *([0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5], [0, 3, 4, 5], [0, 1, 4, 5], [0, 1, 2, 5]),
    *([0, 1, 3, 4], [1, 2, 4, 5], [0, 2, 3, 5], [0, 1, 2, 3, 4, 5]),
]


@pytest.fixture
def network() -> Network:
    torch.manual_seed(1)
    return zoo.create("lenet5_1998")


def trainable(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_each_layer_has_the_trainable_parameters_that_the_paper_prints(network: Network) -> None:
    layers = {**dict(network.stages.named_children()), "F6": network.neck}

    counted = {name: trainable(layer) for name, layer in layers.items()}

    assert counted == {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "C5": 48120, "F6": 10164}
    assert trainable(network) == 60_000


def test_a_map_of_c3_sees_the_maps_of_s2_that_table_1_marks(network: Network) -> None:
    s2 = torch.randn(1, 6, 14, 14, requires_grad=True)
    c3 = network.stages.C3(s2)

    for i, seen in enumerate(C3_SEES):
        (reached,) = torch.autograd.grad(c3[0, i].sum(), s2, retain_graph=True)
        assert reached[0].abs().sum(dim=(1, 2)).nonzero().flatten().tolist() == seen


def test_subsampling_is_the_sum_of_four_times_a_coefficient_plus_a_bias() -> None:
    layer, x = Subsampling(2), torch.randn(3, 2, 6, 4)
    nn.init.normal_(layer.coefficient)
    nn.init.normal_(layer.bias)

    y = layer(x).detach().numpy()

    pixels = x.numpy()
    for n, c, i, j in np.ndindex(3, 2, 3, 2):
        total = pixels[n, c, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].sum()
        expected = total * layer.coefficient[c].item() + layer.bias[c].item()
        assert y[n, c, i, j] == pytest.approx(expected, abs=1e-5)


def test_the_squashing_function_keeps_one_and_minus_one() -> None:
    a = torch.tensor([1.0, -1.0, 0.0, 100.0])

    assert Squash()(a).tolist() == pytest.approx([1.0, -1.0, 0.0, 1.7159], abs=1e-4)


def test_scores_are_negated_squared_distances_to_the_codes() -> None:
    x = torch.randn(5, 84)
    head = RadialBasis(codes(10))

    scores = head(x).numpy()

    for n, digit in np.ndindex(5, 10):
        distance = sum((x[n, j].item() - codes(10)[digit][j]) ** 2 for j in range(84))
        assert scores[n, digit] == pytest.approx(-distance, rel=1e-5)


def test_a_digits_own_bitmap_has_the_best_score_there_is(network: Network) -> None:
    scores = network.head(torch.tensor(codes(10)))

    assert scores.argmax(dim=1).tolist() == list(range(10))
    assert scores.diagonal().tolist() == [0.0] * 10
    assert scores.sort(descending=True).values[:, 1].max() <= -4 * 10  # ten pixels apart at least


def test_the_codes_are_bitmaps_of_ink_and_paper_and_are_not_trained(network: Network) -> None:
    assert network.head.codes.shape == (10, 7 * 12)
    assert network.head.codes.unique().tolist() == [-1.0, 1.0]
    assert not list(network.head.parameters())
    one = network.head.codes[1].view(12, 7)
    assert (one[:, 3] == 1).sum() == 10  # an upright stroke in the middle


def test_other_numbers_of_classes_get_random_codes_the_same_every_time() -> None:
    first, second = (zoo.create("lenet5_1998", num_classes=40).head.codes for _ in range(2))

    assert torch.equal(first, second)
    assert len(first.unique(dim=0)) == 40
    assert abs(first.mean()) < 0.1  # of +1 and -1 as many
    assert zoo.create("lenet5_1998", num_classes=40)(torch.zeros(1, 1, 32, 32)).shape == (1, 40)


def test_weights_begin_within_the_fan_in_of_their_unit(network: Network) -> None:
    c1, c3 = network.stages.C1[0].weight, network.stages.C3[0].six.weight

    assert 0.9 * 2.4 / 25 < c1.abs().max() <= 2.4 / 25
    assert 0.9 * 2.4 / 150 < c3.abs().max() <= 2.4 / 150


@pytest.mark.parametrize("name", ["lenet5_1998", "lenet5_modern"])
def test_another_size_is_refused(name: str) -> None:
    with pytest.raises(
        InputShapeError, match=f"^{name} takes pictures of exactly 32x32 pixels, got 28x28$"
    ):
        zoo.create(name)(torch.zeros(1, 1, 28, 28))


@pytest.fixture
def digits(pictures: Path) -> Path:
    return pictures / "digits" / "mnist_idx"


def run(digits: Path, *options: str) -> dict[str, float]:
    """The accuracy of each form, in percent, as the benchmark prints it."""
    script = Path(__file__).parents[2] / "benchmarks" / "lenet_mnist.py"
    done = subprocess.run(
        [sys.executable, script, digits, *options], capture_output=True, text=True, check=True
    )
    found = re.findall(r"^(\w+) .* ([\d.]+)% right", done.stdout, re.MULTILINE)
    return {name: float(percent) for name, percent in found}


@pytest.mark.slow
def test_both_forms_learn_digits_in_one_round(digits: Path) -> None:
    accuracies = run(digits, "--epochs", "1")

    assert accuracies.keys() == {"lenet5_1998", "lenet5_modern"}
    assert min(accuracies.values()) > 80


@pytest.mark.slow
def test_both_forms_get_98_5_percent_of_unseen_digits_right(digits: Path) -> None:
    accuracies = run(digits)

    assert min(accuracies.values()) >= 98.5


def test_learning_does_not_change_the_codes(network: Network) -> None:
    before = network.head.codes.clone()
    sgd = torch.optim.SGD(network.parameters(), 0.01)

    loss(network.train(), torch.rand(4, 1, 32, 32)).backward()
    sgd.step()

    assert torch.equal(network.head.codes, before)


def loss(network: Network, images: Tensor) -> Tensor:
    return nn.functional.cross_entropy(network(images), torch.arange(len(images)))
