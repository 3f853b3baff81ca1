"""Richer embeddings: what each view and each pooling adds, written out."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from kkcv import zoo
from kkcv.checkpoint import resolve
from kkcv.errors import RequestError, UnknownNetwork
from kkcv.zoo.network import Network
from kkcv.zoo.richer import Richer, resized

NAME = "mobilenet_v1_0.25"


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    return zoo.create(NAME).eval()


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_a_picture_and_its_mirror_image_count_alike(network: Network, images: torch.Tensor) -> None:
    richer = Richer(network, ("mirrored",))

    found = richer.embedding(images)

    torch.testing.assert_close(found, richer.embedding(images.flip(3)))
    both = F.normalize(network.embedding(images)) + F.normalize(network.embedding(images.flip(3)))
    torch.testing.assert_close(found, both)


@torch.no_grad()
def test_three_sizes_count_alike(network: Network, images: torch.Tensor) -> None:
    found = Richer(network, ("scales",)).embedding(images)

    sizes = [images, resized(images, 0.5**0.5), resized(images, 2**0.5)]
    assert [size.shape[2] for size in sizes] == [64, 45, 91]
    torch.testing.assert_close(found, sum(F.normalize(network.embedding(size)) for size in sizes))


@torch.no_grad()
def test_the_generalized_mean_is_the_papers(network: Network, images: torch.Tensor) -> None:
    found = Richer(network, ("gem",)).embedding(images)

    maps = np.maximum(network.features(images).double().numpy(), 0)
    means = (maps**3).mean(axis=(2, 3)) ** (1 / 3)
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(found.numpy(), means / lengths, atol=1e-4)


@torch.no_grad()
def test_stages_stand_side_by_side_each_of_length_one(
    network: Network, images: torch.Tensor
) -> None:
    richer = Richer(network, ("stages",))

    found = richer.embedding(images)

    assert richer.spec is not None
    assert found.shape == (2, richer.spec.embedding_dim)
    last = F.normalize(network.embedding(images)) / 3**0.5  # one of three, together of length one
    torch.testing.assert_close(found[:, -last.shape[1] :], last)


def test_the_name_says_what_is_richer_and_gives_a_space_of_its_own() -> None:
    plain, richer = resolve(NAME, "none"), resolve(f"{NAME}+gem+mirrored", "none")

    assert plain.network == NAME
    assert richer.network == f"{NAME}+mirrored+gem"
    assert richer == resolve(f"{NAME}+mirrored+gem", "none")
    assert richer.build().spec.name == richer.network  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (f"{NAME}+gem+jam", "no richer embedding 'jam' in"),
        ("lenet5+scales", "lenet5_modern+scales: this network takes pictures of one size only"),
        ("lenet5+gem", "lenet5_modern+gem: this network does not end in a map that is averaged"),
    ],
)
def test_what_cannot_be_richer_says_why(name: str, message: str) -> None:
    with pytest.raises(RequestError) as error:
        resolve(name, "none").build()

    assert str(error.value).startswith(message)


def test_a_slip_behind_the_sign_names_what_may_stand_there() -> None:
    with pytest.raises(UnknownNetwork, match=r"what may follow a \+: mirrored, .*, parts$"):
        resolve(f"{NAME}+part", "none")


def test_it_names_no_classes_and_explains_nothing(network: Network, images: torch.Tensor) -> None:
    richer = Richer(network, ("gem",))

    for ask in (richer, richer.features):
        with pytest.raises(RequestError, match="a richer embedding"):
            ask(images)
