"""The zoo's reference facts, and pictures to send through its networks."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision import models

from kkcv import zoo
from kkcv.zoo.facts import counts

SMALL = 64  # pixels: what most networks are sent, where the size does not matter
# Families that the reference does not know: their networks are counted in a peer.
COUNTED = (
    "xception",
    "resnext",
    "wide_resnet",
    "squeezenet",
    "efficientnet",
    "efficientnet_v2",
    "convnext",
)


def smallest_of_each_family() -> list[str]:
    """The network of each family with the fewest parameters."""
    table, names = counts(), zoo.names()
    families = dict.fromkeys(zoo.spec(name).family.name for name in names)
    return [
        min(
            (n for n in names if n in table and zoo.spec(n).family.name == family),
            key=lambda n: table[n].parameters,
        )
        for family in families
    ]


SMALLEST = smallest_of_each_family()


def slowly(quick: Iterable[str]) -> list[object]:
    """All networks to parametrize a test with; those that are not among these are slow."""
    chosen = set(quick)
    return [n if n in chosen else pytest.param(n, marks=pytest.mark.slow) for n in zoo.names()]


@pytest.fixture(scope="session")
def reference(shared: Path) -> dict[str, dict[str, Any]]:
    """The counts of the public implementations, by network."""
    entries = json.loads((shared / "reference" / "zoo_reference.json").read_text())["entries"]
    return {entry["variant"]: entry for entry in entries}


@pytest.fixture(scope="session")
def photographs(pictures: Path) -> Tensor:
    """A real picture, noise, another one, noise: (4, 3, 299, 299), normalized."""
    paths = sorted((pictures / "imagenet_sample_300").glob("*.JPEG"))[:2]
    noise = torch.randn(2, 3, 299, 299, generator=torch.Generator().manual_seed(3))
    return torch.stack([read(paths[0]), noise[0], read(paths[1]), noise[1]])


def read(path: Path) -> Tensor:
    """A picture as (3, 299, 299), about normal."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB").resize((299, 299)))
    return (torch.from_numpy(pixels.copy()).permute(2, 0, 1) / 255 - 0.45) / 0.225


def of_size(images: Tensor, channels: int, height: int, width: int) -> Tensor:
    """The same pictures smaller, and gray for a network of one channel."""
    resized = torch.nn.functional.interpolate(
        images, (height, width), mode="bilinear", antialias=True
    )
    return resized if channels == 3 else resized.mean(dim=1, keepdim=True)


# A network of a peer, whose files are loaded.

State = dict[str, Tensor]
PEER = "shufflenet_v2_x0.5"  # small, and in torchvision under other names


def random_state(network: nn.Module) -> State:
    """A state dict whose every tensor matters: none is zero, one, or the same as another."""
    draw = torch.Generator().manual_seed(7)
    return {
        k: torch.rand(v.shape, generator=draw) / 2 + 0.5 if v.is_floating_point() else v
        for k, v in network.state_dict().items()
    }


@pytest.fixture(scope="module")
def peer() -> nn.Module:
    """torchvision's network, with weights in all of it."""
    network = models.shufflenet_v2_x0_5(weights=None)
    network.load_state_dict(random_state(network))
    return network.eval()


@pytest.fixture
def peers_state(peer: nn.Module) -> State:
    return dict(peer.state_dict())


def prefixed(prefix: str) -> Callable[[State], State]:
    return lambda state: {prefix + k: v for k, v in state.items()}
