"""Find the weights among the contents of a weights file.

A training script saves them under a name beside its optimizer, and often an average of them beside
the raw ones, which is what it evaluates. Wrappers of modules put prefixes before every name.
"""

import re
from collections import Counter
from collections.abc import Mapping
from operator import itemgetter
from typing import NamedTuple

from torch import Tensor

State = dict[str, Tensor]

# What training scripts call the weights, the clearest names first.
ENTRIES = ("state_dict", "model_state_dict", "model", "network", "net", "module", "weights")
AVERAGED = re.compile(r"(^|[._])(ema|averaged)([._]|$)", re.IGNORECASE)
# Wrappers may stand anywhere in a name: torch.compile's, FSDP's, of checkpointed activations.
WRAPPERS = re.compile(r"(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")
DEPTH = 4  # names of modules in a prefix, at most


class Contents(NamedTuple):
    """The state dicts in a file, and the names of the entries that hold them.

    ``entry`` is empty where the whole file is the state dict. ``average`` is empty where there is
    none, or (with an ``average_entry``) none that can be read.
    """

    raw: State
    entry: str
    average: State
    average_entry: str


def contents_of(loaded: object) -> Contents:
    """The weights in what was read from a file, and their average; each empty where it is not."""
    if not isinstance(loaded, Mapping):
        return Contents({}, "", {}, "")
    averages = {k: v for k, v in loaded.items() if is_average(k) and isinstance(v, Mapping | list)}
    found = ((k, raw_weights(v)[0]) for k, v in averages.items() if isinstance(v, Mapping))
    average_entry, average = next(filter(itemgetter(1), found), (next(iter(averages), ""), {}))
    rest = {k: v for k, v in loaded.items() if k not in averages}
    return Contents(*raw_weights(rest), average, average_entry)


def is_average(name: object) -> bool:
    """Whether a name of an entry or a prefix says that it is of averaged weights."""
    return isinstance(name, str) and AVERAGED.search(name) is not None


def raw_weights(loaded: Mapping[object, object]) -> tuple[State, str]:
    """The state dict under a usual name, else what is one itself, else what is under any name.

    Several get their names as prefixes: which of them is meant, the network must tell.
    """
    for entry in ENTRIES:
        if state := state_dict(loaded.get(entry)):
            return state, entry
    if state := tensors_in(loaded):
        return state, ""
    entries = {k: state_dict(v) for k, v in loaded.items() if isinstance(k, str)}
    found = {entry: state for entry, state in entries.items() if state}
    if len(found) == 1:
        entry, state = found.popitem()
        return state, entry
    return {f"{entry}.{k}": v for entry, state in found.items() for k, v in state.items()}, ""


def state_dict(value: object) -> State:
    """The tensors of a state dict, which may lie under a usual name; empty if there is none."""
    if not isinstance(value, Mapping):
        return {}
    inner = (state_dict(value.get(entry)) for entry in ENTRIES)
    return next(filter(None, inner), None) or tensors_in(value)


def tensors_in(value: Mapping[object, object]) -> State:
    """The tensors with names, without what torch.compile and others put into the names."""
    return {
        WRAPPERS.sub("", name): tensor
        for name, tensor in value.items()
        if isinstance(name, str) and isinstance(tensor, Tensor)
    }


def prefixes(state: State, least: int) -> list[str]:
    """The prefixes of at least so many names, short ones first: ``model.``, ``model.net.``"""
    counts: Counter[str] = Counter()
    for name in state:
        parts = name.split(".")[:-1]
        counts.update(".".join(parts[:n]) + "." for n in range(1, min(len(parts), DEPTH) + 1))
    return sorted((p for p, count in counts.items() if count >= least), key=len)


def under(state: State, prefix: str) -> State:
    """The tensors under a prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
