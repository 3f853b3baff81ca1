"""A network that looks at a picture more than once, or with more of its layers.

mirrored   the picture and its mirror image
scales     the picture at three sizes: Radenović, Tolias, Chum, 2018 (section 3.4)
gem        generalized-mean pooling of the last map with p = 3, between mean and maximum:
           Radenović, Tolias, Chum: Fine-tuning CNN Image Retrieval with No Human Annotation,
           TPAMI 2018, arXiv:1711.02512 (section 3.2)
stages     the last three stages side by side, because early ones know texture and late ones things:
           Babenko et al.: Neural Codes for Image Retrieval, ECCV 2014, arXiv:1404.1777

    views of the images ─stages▶ maps ─pool▶ vectors, each of length one ─sum over the views▶ (N, D)

Everything is one network, so it is exported and run like any other.
"""

import dataclasses
from typing import NoReturn

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kkcv.errors import RequestError

from .layers import GlobalAveragePool
from .network import Network
from .richness import joined

SCALES = (2**-0.5, 2**0.5)  # beside the picture as it is
POWER = 3.0
DEEP = 3  # stages side by side


class Richer(Network):
    """``network`` with a richer embedding, and without a head."""

    def __init__(self, network: Network, richness: tuple[str, ...]) -> None:
        nn.Module.__init__(self)
        assert network.spec is not None
        self.network = network
        self.richness = richness
        name = joined(network.spec.name, richness)
        if "scales" in richness and network.spec.fixed_size:
            raise RequestError(f"{name}: this network takes pictures of one size only")
        if {"gem", "stages"} & set(richness) and not isinstance(network.neck, GlobalAveragePool):
            raise RequestError(f"{name}: this network does not end in a map that is averaged")
        with torch.no_grad():
            dim = self.embedding(torch.zeros(1, *network.spec.input_size)).shape[1]
        self.spec = dataclasses.replace(network.spec, name=name, embedding_dim=dim)

    def embedding(self, images: Tensor) -> Tensor:
        """The sum over the views, each of length one: (N, C, H, W) → (N, D)."""
        views = [images]
        if "scales" in self.richness:
            views += [resized(images, scale) for scale in SCALES]
        if "mirrored" in self.richness:
            views += [view.flip(3) for view in views]
        return torch.stack([F.normalize(self.seen(view)) for view in views]).sum(0)

    def seen(self, images: Tensor) -> Tensor:
        """One view: (N, C, H, W) → (N, D)."""
        maps = []
        for stage in self.network.stages:
            images = stage(images)
            maps.append(images)
        if "stages" in self.richness:
            deep = [F.normalize(self.pooled(each)) for each in maps[-DEEP:] if each.ndim == 4]
            return torch.cat(deep, dim=1)
        return self.pooled(maps[-1]) if "gem" in self.richness else self.network.neck(maps[-1])

    def pooled(self, x: Tensor) -> Tensor:
        """(N, c, h, w) → (N, c); maps may be negative before their activation: GeM takes what is
        above zero.
        """
        if "gem" not in self.richness:
            return x.mean(dim=(2, 3))
        # a power of what is negative is not a number
        return x.clamp(min=1e-6).pow(POWER).mean(dim=(2, 3)).pow(1 / POWER)

    def features(self, images: Tensor) -> NoReturn:
        raise RequestError("a richer embedding has no single feature map; take the plain network")

    def forward(self, images: Tensor) -> NoReturn:
        raise RequestError("a richer embedding is for search and names no classes")


def resized(images: Tensor, scale: float) -> Tensor:
    """(N, C, H, W) → (N, C, H · scale, W · scale)."""
    height, width = (round(side * scale) for side in images.shape[2:])
    return F.interpolate(images, (height, width), mode="bilinear", align_corners=False)
