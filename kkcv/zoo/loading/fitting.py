"""How a state dict fits a network, under whichever prefix it fits best."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from kkcv.errors import WeightsError
from kkcv.zoo.network import Network

from .contents import State, is_average, prefixes, under
from .conversion import convert


@dataclass(frozen=True)
class Fit:
    """A state dict under a network's names, and the keys that do not fit.

    ``other_classes`` are a classifier's for another number of classes.
    """

    prefix: str
    state: State
    wrong: list[str]
    missing: list[str]
    unexpected: list[str]
    other_classes: frozenset[str]

    @property
    def differences(self) -> int:
        return len(self.wrong) + len(self.missing) + len(self.unexpected)


def best_fit(state: State, network: Network, path: Path, new_classifier: bool, ema: bool) -> Fit:
    """The weights under whichever prefix they fit best, none of them first.

    Raises WeightsError where weights under several prefixes fit.
    """
    own = [key for key in network.state_dict() if not training_alone(key)]
    possible = prefixes(state, least=len(own) // 2)  # less is no whole network
    if not ema:
        possible = [prefix for prefix in possible if not is_average(prefix)]
        state = {k: v for k, v in state.items() if not is_average(k)}
    fits = [fit(state, network, new_classifier)]
    if fits[0].differences:
        fits += [
            fit(under(state, p), network, new_classifier, p, outside(state, p)) for p in possible
        ]
    good = [each for each in fits if not each.differences]
    if not good:
        # what a prefix leaves out counts too: else one of a few tensors would be the best guess
        return min(fits, key=lambda each: each.differences + len(outside(state, each.prefix)))
    good = [each for each in good if is_average(each.prefix)] or good
    if len(good) > 1:
        raise WeightsError(
            f"{path} holds weights that fit under {len(good)} prefixes: "
            f"{', '.join(each.prefix for each in good)}; save those under one of them alone"
        )
    return good[0]


def outside(state: State, prefix: str) -> State:
    """The tensors that are not under a prefix."""
    return {k: v for k, v in state.items() if not k.startswith(prefix)}


def renamed_classifier(others: State, own: State) -> dict[str, str]:
    """The one linear layer that takes the embedding, by our names; two would be in doubt.

    Trainers keep a ``backbone`` and a classifier of any name beside it, or put a layer of their own
    into the place of ``fc``: ``fc.1`` behind a dropout.
    """
    ours = [k for k in own if k.startswith("head.") and k.endswith(".weight") and own[k].ndim == 2]
    theirs = [k for k, v in others.items() if k.endswith(".weight") and v.ndim == 2]
    if len(ours) != 1 or len(theirs) != 1 or others[theirs[0]].shape[1] != own[ours[0]].shape[1]:
        return {}
    to, layer = (key.removesuffix("weight") for key in (ours[0], theirs[0]))
    return {to + k.removeprefix(layer): k for k in others if k.startswith(layer)}


def fit(
    state: State,
    network: Network,
    new_classifier: bool,
    prefix: str = "",
    beside: State | None = None,
) -> Fit:
    """The state dict under the network's names, and what does not fit.

    ``beside`` are tensors outside the prefix, among which the classifier may be.
    """
    assert network.spec is not None
    own = network.state_dict()
    state = convert(state, network, network.spec.family.name)
    if not any(k.startswith("head.") and k in own for k in state):
        others = {**{k: v for k, v in state.items() if k not in own}, **(beside or {})}
        found = renamed_classifier(others, own)
        state = {k: v for k, v in state.items() if k not in found.values()}
        state |= {ours: others[theirs] for ours, theirs in found.items()}
    other_classes = {k for k in state if k in own and for_other_classes(k, state[k], own[k])}
    left_out = set(other_classes) if new_classifier else set()
    state = {k: v for k, v in state.items() if k not in left_out}
    if new_classifier and not any(k.startswith("head.") and k in own for k in state):
        state = outside(state, "head.")  # of another form
        left_out |= {k for k in own if k.startswith("head.")}
    return Fit(
        prefix,
        state,
        wrong=[k for k in state if k in own and state[k].shape != own[k].shape],
        missing=[k for k in own if not (k in state or k in left_out or training_alone(k))],
        unexpected=[k for k in state if not (k in own or training_alone(k))],
        other_classes=frozenset(other_classes),
    )


def for_other_classes(key: str, theirs: Tensor, own: Tensor) -> bool:
    """Whether these are a classifier's, and differ in the number of classes alone."""
    classifier = key.startswith(("head.", "auxiliary."))
    return classifier and theirs.shape[1:] == own.shape[1:] and theirs.shape[:1] != own.shape[:1]


def training_alone(key: str) -> bool:
    """Whether a tensor plays no part in scores: counters of batch norms, auxiliary heads."""
    return key.endswith("num_batches_tracked") or key.startswith("auxiliary.")
