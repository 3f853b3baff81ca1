"""Freezing of stages, and learning rates that fall from the head down."""

from typing import Any

from torch import nn

from kkcv.errors import TrainingError
from kkcv.zoo.network import Network

BATCH_NORMS = nn.modules.batchnorm._BatchNorm


def depths(network: Network) -> list[tuple[str, nn.Module]]:
    """The stages with parameters, the last first, as they are unfrozen; the neck before them."""
    named = [("neck", network.neck), *reversed(list(network.stages.named_children()))]
    return [(name, stage) for name, stage in named if any(True for _ in stage.parameters())]


def freeze(network: Network, depth: int) -> None:
    """Only the head, auxiliary heads, and the last ``depth`` stages learn (-1: all), in place.

    Raises TrainingError when nothing would, or where there are fewer stages.
    """
    below = depths(network)
    name = network.spec.name if network.spec else "this network"
    if depth > len(below):
        raise TrainingError(
            f"{name} has {len(below)} stages to unfreeze, got {depth}; all unfreezes them"
        )
    network.requires_grad_(True)
    for _, stage in below[len(below) if depth < 0 else depth :]:
        stage.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise TrainingError(f"the head of {name} has nothing to learn; unfreeze stages below it")


def training_mode(network: nn.Module, *, freeze_norms: bool = False) -> None:
    """Put trained layers into train mode and frozen ones into eval mode, in place.

    A frozen batch norm keeps its statistics, frozen dropout and stochastic depth do nothing. With
    ``freeze_norms`` all batch norms keep their statistics.
    """
    network.train()
    for module in network.modules():
        own = list(module.parameters())
        frozen = bool(own) and not any(p.requires_grad for p in own)
        if frozen or (freeze_norms and isinstance(module, BATCH_NORMS)):
            module.eval()


Layers = list[tuple[str, list[nn.Module]]]


def layers(network: Network) -> Layers:
    """The head with its auxiliary heads, then the neck and the stages from the last one down."""
    heads = [network.head]
    if isinstance(auxiliary := getattr(network, "auxiliary", None), nn.Module):
        heads.append(auxiliary)
    return [("head", heads), *((name, [stage]) for name, stage in depths(network))]


def parameter_groups(
    layers: Layers, lr: float, lr_decay: float, weight_decay: float
) -> list[dict[str, Any]]:
    """Groups for an optimizer, the head's first: a rate for each layer, norms and biases apart."""
    groups = []
    for depth, (name, modules) in enumerate(layers):
        for decays in (True, False):
            parameters = [p for m in modules for p in learning(m, decays=decays)]
            if parameters:
                groups.append(
                    {
                        "params": parameters,
                        # near the input least changes: Howard & Ruder, arXiv:1801.06146
                        "lr": lr * lr_decay**depth,
                        "weight_decay": weight_decay if decays else 0.0,
                        "name": name if decays else f"{name}, norms and biases",
                    }
                )
    return groups


def learning(module: nn.Module, *, decays: bool) -> list[nn.Parameter]:
    """Parameters that learn: weights of convolutions and linear layers, or all the others."""
    return [p for p in module.parameters() if p.requires_grad and (p.ndim > 1) == decays]
