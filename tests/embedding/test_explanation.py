"""A score is shared out among the positions of both pictures, and nothing is lost on the way."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from kkcv import checkpoint, zoo
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.explainer import explain
from kkcv.embedding.explanation import Explanation, Parts, explained
from kkcv.embedding.parts import parts_of
from kkcv.embedding.richer_parts import on_grid
from kkcv.errors import RequestError
from kkcv.images.decode import decode
from kkcv.zoo.network import Network

DEFAULT = checkpoint.pretrained()


class GeneralizedMean(nn.Module):
    """(mean of x³)^(1/3) (Radenović et al., arXiv:1711.02512, equation 3)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3)


class Largest(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.amax((2, 3))


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def small_network(neck: nn.Module) -> Network:
    """Twelve positive maps under a neck."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        stages = {"conv": nn.Conv2d(3, 12, 3, 2), "act": nn.ReLU()}
        return Network(stages, neck, nn.Identity()).eval()


def whole(network: Network, tensor: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return network.embedding(torch.from_numpy(tensor)[None])[0].numpy()


@pytest.fixture(scope="module")
def explanation(album: list[Path]) -> Explanation:
    first, second = decode(album[0]), decode(album[1])
    return explain(first, second, DEFAULT)


def test_the_heat_of_either_picture_adds_up_to_the_score(explanation: Explanation) -> None:
    for side in (explanation.query, explanation.hit):
        assert side.heat.shape == (7, 7)
        assert abs(side.rest) < 1e-6
        assert side.heat.sum() == pytest.approx(explanation.score, abs=1e-6)


def test_the_pairs_add_up_to_the_heat_of_each_picture(explanation: Explanation) -> None:
    pairs = explanation.pairs

    np.testing.assert_allclose(pairs.sum((2, 3)), explanation.query.heat, atol=1e-6)
    np.testing.assert_allclose(pairs.sum((0, 1)), explanation.hit.heat, atol=1e-6)


def test_the_score_is_that_of_the_search(explanation: Explanation, album: list[Path]) -> None:
    """Of the same network in float32; bfloat16 moves it by a little."""
    embedder = Embedder(DEFAULT, runtime="pytorch", precision="float32")

    first, second = (embedder.embed_picture(path) for path in album[:2])

    assert explanation.score == pytest.approx(float(first @ second), abs=1e-5)


@pytest.mark.parametrize("neck", [GeneralizedMean(), Largest(), nn.Flatten()])
def test_every_pooling_leaves_nothing_over(neck: nn.Module) -> None:
    network = small_network(neck)
    tensor = noise(3, 15, 15)

    parts = parts_of(network, torch.from_numpy(tensor)[None])

    assert parts.parts.shape[:2] == (7, 7)
    np.testing.assert_allclose(parts.embedding, whole(network, tensor), rtol=1e-4, atol=1e-6)
    assert np.abs(parts.rest).max() < 1e-5


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("alexnet_owt", marks=pytest.mark.slow),
        "mobilenet_v3_small_1.0",
        "mobilenet_v4_conv_small",
    ],
)
def test_layers_behind_the_pooling_leave_over_what_their_biases_add(name: str) -> None:
    network = zoo.create(name)
    tensor = noise(*network.spec.input_size)
    for layer in network.neck.modules():
        if isinstance(layer, nn.Linear | nn.BatchNorm1d) and layer.bias is not None:
            nn.init.zeros_(layer.bias)  # the running means of an untrained norm are zero too

    parts = parts_of(network, torch.from_numpy(tensor)[None])

    expected = whole(network, tensor)
    np.testing.assert_allclose(parts.embedding, expected, atol=1e-5 * np.abs(expected).max())
    assert np.abs(parts.rest).max() < 1e-5 * np.abs(expected).max()


def test_a_bias_is_the_rest() -> None:
    linear = nn.Linear(12, 5)
    network = small_network(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear))

    parts = parts_of(network, torch.from_numpy(noise(3, 15, 15))[None])

    np.testing.assert_allclose(parts.rest, linear.bias.detach().numpy(), atol=1e-6)


def test_a_layer_norm_divides_by_what_it_found() -> None:
    norm = nn.LayerNorm(12)
    nn.init.normal_(norm.bias)
    network = small_network(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), norm))

    parts = parts_of(network, torch.from_numpy(noise(3, 15, 15))[None])

    np.testing.assert_allclose(parts.rest, norm.bias.detach().numpy(), atol=1e-5)
    np.testing.assert_allclose(parts.embedding, whole(network, noise(3, 15, 15)), atol=1e-5)


def test_a_square_that_both_pictures_share_is_where_the_heat_is() -> None:
    """Grey except for one patch, at another place in each: only it can make them match."""
    patch = np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8)
    first, second = np.full((2, 256, 256, 3), 128, np.uint8)
    first[16:112, 16:112] = patch
    second[144:240, 144:240] = patch

    found = explain(first, second, DEFAULT)

    for heat, rows in ((found.query.heat, slice(0, 4)), (found.hit.heat, slice(3, 7))):
        assert np.unravel_index(heat.argmax(), heat.shape)[0] in range(7)[rows]
        assert heat[rows, rows].sum() > 0.5 * heat.sum()


def test_pictures_without_any_feature_in_common_have_cold_maps() -> None:
    one, other = np.zeros((2, 2, 2, 4), np.float32)
    one[..., 0], other[..., 1] = 1, 1
    nothing = np.zeros(4, np.float32)

    found = explained(Parts(one, nothing), Parts(other, nothing))

    assert found.score == 0
    assert not found.query.heat.any()
    assert not found.hit.heat.any()


RICHER = ["+gem", "+mirrored+scales+gem+stages"]


@pytest.mark.parametrize("richness", RICHER)
def test_a_richer_embedding_is_shared_out_among_one_grid(richness: str, album: list[Path]) -> None:
    rich = checkpoint.resolve(f"efficientnet_lite0{richness}")
    embedder = Embedder(rich, runtime="pytorch", precision="float32")

    found = explain(decode(album[0]), decode(album[4]), rich)

    first, second = (embedder.embed_picture(album[n]) for n in (0, 4))
    assert found.score == pytest.approx(float(first @ second), abs=1e-5)
    for side in (found.query, found.hit):
        assert side.heat.shape == (7, 7)
        assert side.heat.sum() + side.rest == pytest.approx(found.score, abs=1e-5)
        assert abs(side.rest) < 1e-5


def test_a_map_on_another_grid_keeps_its_sum_and_its_places() -> None:
    corner = np.zeros((10, 10, 2), np.float32)
    corner[0, 9] = 1

    parts = on_grid(Parts(corner, np.zeros(2, np.float32)), 7, 7).parts

    np.testing.assert_allclose(parts.sum((0, 1)), 1, rtol=1e-6)
    np.testing.assert_allclose(parts[0, 6], 1, rtol=1e-6)
    assert on_grid(Parts(corner[:3, :3], corner[0, 0]), 7, 7).parts.shape == (7, 7, 2)


def test_parts_go_through_a_projection_with_their_embedding() -> None:
    first, second = (Parts(noise(3, 3, 12, seed=n), noise(12, seed=n + 5)) for n in range(2))
    matrix = noise(12, 4, seed=9)

    found = explained(first.through(matrix), second.through(matrix))

    q, h = first.embedding @ matrix, second.embedding @ matrix
    assert found.score == pytest.approx(q @ h / np.linalg.norm(q) / np.linalg.norm(h), abs=1e-5)
    assert found.query.heat.sum() + found.query.rest == pytest.approx(found.score, abs=1e-5)


def test_a_network_without_a_map_is_refused() -> None:
    network = small_network(nn.Identity())
    network.stages.add_module("flatten", nn.Flatten())

    with pytest.raises(RequestError, match="this network has no feature map under its embedding"):
        parts_of(network, torch.from_numpy(noise(3, 15, 15))[None])
