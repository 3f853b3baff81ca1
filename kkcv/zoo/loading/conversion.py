"""A peer's state dict under our names: renamed, reshaped, with our biases."""

import re
from collections.abc import Mapping
from itertools import chain

import torch
from torch import Tensor

from kkcv.zoo.keys import KEYS, Renamings
from kkcv.zoo.network import Network

from .contents import State


def rename(state: Mapping[str, Tensor], renamings: Renamings) -> State:
    """A peer's state dict under our names; keys that become empty are dropped."""
    renamed = {}
    for key, tensor in state.items():
        for pattern, replacement in renamings:
            key = re.sub(pattern, replacement, key)
        if key:
            renamed[key] = tensor
    return renamed


def convert(state: Mapping[str, Tensor], network: Network, family: str) -> State:
    """The state dict under the network's names, from the naming that fits best.

    A convolution over the whole of its input and a linear layer hold the same numbers: their shapes
    are made to agree.
    """
    own = network.state_dict()
    best: State = {}
    renamed = (rename(state, renamings) for renamings in KEYS.get(family, {}).values())
    for candidate in chain([dict(state)], renamed):  # as it is, then as each peer would name it
        if len(candidate.keys() ^ own.keys()) < len(best.keys() ^ own.keys()) or not best:
            best = candidate
        if best.keys() == own.keys():
            break
    best = with_our_biases(best, own)
    return {k: reshaped(v, own[k]) if k in own else v for k, v in best.items()}


def with_our_biases(state: State, own: State) -> State:
    """The same scores with biases before batch norms where we have them, and nowhere else.

    Such a bias only shifts the norm's mean: one that we do not have is taken off the mean, and
    where a peer has none at all, ours are zero.
    """
    state = dict(state)
    means = [key for key in own if key.endswith(".norm.running_mean") and key in state]
    biases = {mean.replace(".norm.running_mean", ".conv.bias"): mean for mean in means}
    if biases.keys().isdisjoint(state):
        return state | {b: torch.zeros_like(state[m]) for b, m in biases.items() if b in own}
    for bias in biases.keys() & (state.keys() - own.keys()):
        state[biases[bias]] = state[biases[bias]] - state.pop(bias)
    return state


def reshaped(tensor: Tensor, like: Tensor) -> Tensor:
    """The tensor in the other's shape if both hold the same numbers in order, else as it is.

    That holds for a convolution over its whole input and a linear layer, and where axes of length 1
    were added. It does not hold for a 1x7 and a 7x1, which have the same number of axes.
    """
    if tensor.ndim == like.ndim:
        return tensor
    both = tensor.ndim > 1 and like.ndim > 1
    linear = both and tensor.flatten(1).shape == like.flatten(1).shape
    same = [n for n in tensor.shape if n != 1] == [n for n in like.shape if n != 1]
    return tensor.reshape(like.shape) if linear or same else tensor
