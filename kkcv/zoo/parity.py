"""Does ours compute what a peer computes? Its random weights moved into ours, outputs compared.

The peer gets drawn weights, and its batch norms the statistics of a first batch, so that every
layer carries a signal and its scores depend on the pictures. Moving them into ours goes the same
way as loading a published file: through the renamings of ``keys``.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm as BatchNorm

from kkcv.errors import InputShapeError

from .loading.conversion import convert
from .network import Network, TrainingScores
from .peers import Peer
from .registry import create, spec
from .shapes import shapes_only

TOLERANCE = 1e-4  # largest difference over largest value
GRADIENT_TOLERANCE = 1e-3
DROPPING = ("Dropout", "DropPath", "StochasticDepth", "DropBlock")  # random in training mode


@dataclass(frozen=True)
class Parity:
    """How far ours is from a peer: largest difference over largest value.

    ``gradient`` is of one training step over all parameters, None where it was not compared.
    ``response`` is how much the scores differ between the pictures: near zero, they prove nothing.
    """

    forward: float
    response: float
    gradient: float | None = None

    @property
    def holds(self) -> bool:
        return (
            self.forward <= TOLERANCE
            and self.response > 100 * TOLERANCE
            and (self.gradient is None or self.gradient <= GRADIENT_TOLERANCE)
        )


def compare(peer: Peer, images: Tensor, gradients: bool = False) -> Parity:
    """Send the same pictures (N, C, H, W), N at least 2, through a peer and through ours.

    Raises MissingExtra when the peer's library is not installed, ValueError when the peer's
    parameters are not those of ours.
    """
    theirs = drawn(peer, images)
    ours = adopt(theirs, peer)
    forward, response = forward_difference(ours, theirs, images)
    if forward > TOLERANCE:  # processors round differently, which grows with depth: look closer
        ours, theirs, images = ours.double(), theirs.double(), images.double()
        forward, response = forward_difference(ours, theirs, images)
    if not gradients or peer.trains_differently:
        return Parity(forward, response)
    gradient = gradient_difference(ours, theirs, images)
    if gradient > GRADIENT_TOLERANCE:  # rounding grows through norms of few pictures: look closer
        gradient = gradient_difference(ours.double(), theirs.double(), images.double())
    return Parity(forward, response, gradient)


def forward_difference(ours: nn.Module, theirs: nn.Module, images: Tensor) -> tuple[float, float]:
    """How far the scores of ours are from theirs, and theirs of each picture from the next."""
    with torch.no_grad():
        a, b = ours(images), outputs(theirs(images))[0]  # timm's v3 tells all heads here too
    return difference(a, b), difference(b[1:], b[:-1])


def drawn(peer: Peer, images: Tensor) -> nn.Module:
    """The peer's network with random weights, in eval mode (InputShapeError)."""
    network = fill(peer.build())
    if peer.library == "pytorchcv":
        accept_any_size(network)
    try:
        settle(network, images)
    except RuntimeError as error:  # a kernel larger than a map, and the like
        height, width = images.shape[2:]
        raise InputShapeError(
            f"{peer.call} cannot take pictures of {height}x{width} pixels: {error}"
        ) from None
    return network


def fill(network: nn.Module) -> nn.Module:
    """Random parameters of the scale of He et al., in place, allocated first if on meta."""
    if any(parameter.is_meta for parameter in network.parameters()):
        network.to_empty(device="cpu")
    # a prime number of values, repeated: no two layers begin alike
    noise = torch.randn(200_003, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for i, (name, parameter) in enumerate(network.named_parameters()):
            mean = 1.0 if parameter.ndim == 1 and name.endswith(("weight", "gamma")) else 0.0
            # He's, so that signals keep their size through any depth
            scale = (2 / parameter[0].numel()) ** 0.5 if parameter.ndim > 1 else 0.1
            start = 7919 * i % 100_003  # primes: each tensor begins at another place of the noise
            repeat(mean + scale * noise[start : start + parameter.numel()], parameter)
    for module in network.modules():
        if isinstance(module, BatchNorm):
            module.reset_running_stats()
    return network


def repeat(values: Tensor, out: Tensor) -> None:
    """Fill ``out`` with the values again and again: drawing 10⁸ random numbers takes seconds."""
    for chunk in out.view(-1).split(len(values)):
        chunk.copy_(values[: len(chunk)])


def settle(network: nn.Module, images: Tensor) -> None:
    """Let every batch norm take the statistics of these pictures, then switch to eval mode."""
    norms = [m for m in network.modules() if isinstance(m, BatchNorm)]
    if not norms:
        network.eval()
        return
    momenta = [m.momentum for m in norms]
    training_mode(network)
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        network(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()


def training_mode(network: nn.Module) -> None:
    """Training mode, but nothing is dropped at random."""
    network.train()
    for module in network.modules():
        if type(module).__name__.startswith(DROPPING):
            module.eval()


def accept_any_size(network: nn.Module) -> None:
    """Let a network of pytorchcv take other pictures than of 224 pixels; for those nothing changes.

    It averages 7x7 maps by a pool of 7, and its AlexNet and VGG have no pool before fc6.
    """
    last = "pool" if type(network).__name__ == "Xception" else "final_pool"
    for module in network.modules():
        if isinstance(getattr(module, last, None), nn.AvgPool2d):
            setattr(module, last, nn.AdaptiveAvgPool2d(1))
    # of the map that its first linear layer reads
    side = {"AlexNet": 6, "VGG": 7}.get(type(network).__name__)
    if side:
        network.features.add_module("pool", nn.AdaptiveAvgPool2d(side))  # type: ignore[union-attr]


def adopt(theirs: nn.Module, peer: Peer) -> Network:
    """Ours with the peer's weights, sharing their memory, in eval mode."""
    with shapes_only():
        ours = create(peer.network, **peer.ours)
    state = convert(theirs.state_dict(), ours, spec(peer.network).family.name)
    try:
        ours.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise ValueError(f"{peer.call} does not fit {peer.network}: {error}") from None
    return ours.eval()


def difference(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max() / b.abs().max())


def gradient_difference(ours: Network, theirs: nn.Module, images: Tensor) -> float:
    """The same for the gradients of one training step, over all parameters that both have.

    Biases before batch norms, which change nothing, may be on one side alone.
    """
    assert ours.spec is not None
    expected = convert(gradients_of(theirs, images), ours, ours.spec.family.name)
    got = gradients_of(ours, images)
    alone = [key for key in expected.keys() ^ got.keys() if not key.endswith("conv.bias")]
    if alone:
        raise ValueError(f"gradients on one side alone: {', '.join(sorted(alone)[:3])}")
    both = expected.keys() & got.keys()
    largest = max(float(expected[k].abs().max()) for k in both)
    return max(float((got[k] - expected[k]).abs().max()) for k in both) / largest


def gradients_of(network: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """Gradients by parameter of the cross entropy, auxiliary heads with a weight of 0.3."""
    training_mode(network)
    for parameter in network.parameters():
        parameter.requires_grad_(True).grad = None
    targets = torch.arange(len(images))
    scores, *auxiliary = outputs(network(images))
    loss = F.cross_entropy(scores, targets)
    for extra in auxiliary:
        # any weight does: both sides have the same
        loss = loss + 0.3 * F.cross_entropy(extra, targets)
    loss.backward()
    network.eval()
    return {k: p.grad for k, p in network.named_parameters() if p.grad is not None}


def outputs(out: Tensor | TrainingScores | Iterable[Tensor]) -> list[Tensor]:
    """The scores, then those of the auxiliary heads in our order, from our network or a peer."""
    if isinstance(out, Tensor):
        return [out]
    if isinstance(out, TrainingScores):
        return [out.scores, *out.auxiliary]
    scores, *auxiliary = out
    return [scores, *reversed(auxiliary)]  # torchvision's GoogLeNet names the later head first
