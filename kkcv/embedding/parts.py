"""An embedding as a sum over the positions of the last feature map.

    map (c, h, w) ─neck▶ embedding (D,) = sum of the parts (h·w, D) + rest (D,)

The parts are the products of the neck's derivative with the map, a position at a time. For a neck
that averages they are the map itself over the number of positions, and nothing is left. The rest is
what the neck adds whatever the picture: the biases of its layers and norms.

How nonlinear necks are split
- Pooling by maximum or by a generalized mean is homogeneous: twice the map is twice the embedding.
  The derivative times the map is then the embedding itself (Euler), so the parts add up.
- An activation behind the pooling is taken as the factor by which it scaled its input, the rescale
  rule of DeepLIFT (Shrikumar et al. 2017, arXiv:1704.02685, section 3.5.2). For a ReLU that is the
  derivative.
- A layer norm divides by the deviation that it found.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from kkcv.errors import RequestError
from kkcv.zoo.network import Network

from .explanation import Parts


def parts_of(network: Network, images: Tensor) -> Parts:
    """The parts of the embedding of one picture: (1, C, H, W) → (h, w, D).

    Raises RequestError for a network whose last layers see no map.
    """
    with torch.no_grad():
        return parts_of_map(network.neck, network.features(images))


def parts_of_map(neck: nn.Module, features: Tensor) -> Parts:
    """The parts of what a neck makes of one map: (1, c, h, w) → (h, w, D) (RequestError)."""
    if features.ndim != 4:
        raise RequestError(
            "this network has no feature map under its embedding, so no position can be named"
        )
    height, width = features.shape[2:]
    alone = torch.eye(height * width, device=features.device, dtype=features.dtype)
    alone = alone.view(-1, 1, height, width) * features  # the map at one position, else zero
    with torch.no_grad(), frozen(neck):
        embedding, parts = derivative(neck, features.expand_as(alone).contiguous(), alone)
    rest = embedding[0].double() - parts.double().sum(0)
    return Parts(parts.view(height, width, -1).float().cpu().numpy(), rest.float().cpu().numpy())


def derivative(neck: nn.Module, maps: Tensor, along: Tensor) -> tuple[Tensor, Tensor]:
    """The embeddings of maps, and their derivative along other maps of the same shape."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch warns of its own scripts
        found: Any = torch.func.jvp(neck, (maps,), (along,))
    return found


@contextmanager
def frozen(neck: nn.Module) -> Iterator[None]:
    """Inside, activations and norms of the neck count as the factors by which they scale now."""
    handles = []
    for layer in neck.modules():
        if isinstance(layer, nn.LayerNorm):
            handles.append(layer.register_forward_hook(as_division))
        elif not list(layer.children()) and not list(layer.parameters()):
            handles.append(layer.register_forward_hook(as_factor))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def as_factor(layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
    """The output of an activation as its input times a number that does not change."""
    (x,) = inputs
    if output.shape != x.shape:  # it pools or flattens
        return output
    factor = torch.where(x == 0, torch.zeros_like(x), output / x)
    return x * factor.detach()


def as_division(layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
    """The output of a layer norm with a deviation that does not change."""
    assert isinstance(layer, nn.LayerNorm)
    (x,) = inputs
    # timm's LayerNorm2d is one over the channels of a map
    dims = (1,) if x.ndim == 4 and x.shape[-1] != layer.normalized_shape[-1] else (-1,)
    shape = (-1,) if dims == (-1,) else (-1, 1, 1)
    variance = x.var(dims, unbiased=False, keepdim=True)
    y = (x - x.mean(dims, keepdim=True)) / (variance + layer.eps).sqrt().detach()
    if layer.weight is not None:
        y = y * layer.weight.view(shape)
    return y if layer.bias is None else y + layer.bias.view(shape)
