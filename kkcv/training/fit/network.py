"""The network that a run begins with: a trained backbone under a new head."""

import dataclasses

import torch
from torch import nn

from kkcv import zoo
from kkcv.checkpoint import Checkpoint
from kkcv.training.plan import Stage
from kkcv.training.start import sized
from kkcv.zoo.network import Network


def seen_by(base: Checkpoint, stage: Stage) -> Checkpoint:
    """The checkpoint with the input size and the views of a stage."""
    return dataclasses.replace(sized(base, stage.size), whole=stage.whole)


def network_for(base: Checkpoint, classes: tuple[str, ...], seed: int) -> Network:
    """The checkpoint's network for these classes.

    Its classifier is new, as seeded, unless the checkpoint has the very same classes. Auxiliary
    heads are for training from scratch: below a trained backbone they have nothing to mend.
    """
    auxiliary = base.weights is None and zoo.spec(base.network).auxiliary

    def create(weights: bool) -> Network:
        return zoo.create(
            base.network,
            weights=base.weights_argument() if weights else None,
            num_classes=len(classes),
            in_channels=base.preprocess.channels,
            trained_in=base.trained_in,
            auxiliary=auxiliary,
        )

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        fresh = create(weights=False)
    fresh.train().check(
        torch.empty(1, base.preprocess.channels, *base.preprocess.size, device="meta")
    )
    fresh.eval()
    if base.weights is None:
        return fresh
    network = create(weights=True)
    if base.classes != classes:
        begin_small(fresh.head, seed)
        new = {k: v for k, v in fresh.state_dict().items() if k.startswith(("head.", "auxiliary."))}
        network.load_state_dict(new, strict=False)
    return network


def begin_small(head: nn.Module, seed: int) -> None:
    """The last layer with weights near zero, so that all classes begin alike, in place.

    A paper's own initialization is for a network that is trained as a whole: on embeddings that are
    good already, its loud random scores would have to be unlearned first.
    """
    layers = [m for m in head.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    if not layers:  # LeNet of 1998 has fixed codes
        return
    last = layers[-1]
    with torch.no_grad():
        # small: all classes begin nearly equal
        last.weight.normal_(0, 0.01, generator=torch.Generator().manual_seed(seed))
        if last.bias is not None:
            last.bias.zero_()
