"""Weights into a network: read the file, rename a peer's keys to ours, and say what does not fit.

file ─read_state▶ a peer's names ─convert▶ our names ─load_into▶ network
"""

import re
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from kkcv.errors import WeightsError

from .keys import KEYS, Renamings
from .network import Network

State = dict[str, Tensor]

WRAPPERS = ("state_dict", "model_state_dict", "model")  # keys that training scripts save under
PREFIXES = ("module.", "_orig_mod.", "model.")  # of DataParallel, torch.compile and Lightning
NAMED = 3  # keys of each kind that an error names


def read_state(path: str | PathLike[str]) -> State:
    """The tensors of a safetensors or .pth file, by name, without a trainer's wrappings.

    Pickles are read with ``weights_only``: nothing in them is run.

    Raises WeightsError when there is no such file, or it holds no state dict.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"no weights file {path}; give an existing .pth or .safetensors file")
    loaded = read_safetensors(path) if is_safetensors(path) else read_pickle(path)
    for wrapper in WRAPPERS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(wrapper), Mapping):
            loaded = loaded[wrapper]
    if (
        not isinstance(loaded, Mapping)
        or not loaded
        or not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in loaded.items())
    ):
        raise WeightsError(f"{path} holds no state dict (names with tensors)")
    return without_prefixes(loaded)


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as the format does: 8 bytes of length, then JSON. Names can lie."""
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"


def read_safetensors(path: Path) -> State:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} is damaged: {error}") from None


def read_pickle(path: Path) -> object:
    """What a .pth file holds, if that is tensors, numbers, text and containers of them."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile pickle makes the reader raise anything
        refused = re.search(r"GLOBAL ([\w.]+)", str(error))
    if refused:
        raise WeightsError(
            f"{path} is refused: it holds a {refused[1]}, and whatever is no tensor could run "
            "code when read; save the state_dict() alone"
        )
    raise WeightsError(
        f"{path} cannot be read as weights; .safetensors and .pth files of plain tensors can"
    )


def without_prefixes(state: Mapping[str, Tensor]) -> State:
    """The state dict without what a wrapper put before every name."""
    for prefix in PREFIXES:
        if all(key.startswith(prefix) for key in state):
            return without_prefixes({k.removeprefix(prefix): v for k, v in state.items()})
    return dict(state)


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
    """The state dict under the network's names, whoever wrote it: the naming that fits best.

    A convolution over the whole of its input and a linear layer hold the same numbers: their shapes
    are made to agree.
    """
    own = network.state_dict()
    best: State = {}
    for candidate in namings(state, family):
        if len(candidate.keys() ^ own.keys()) < len(best.keys() ^ own.keys()) or not best:
            best = candidate
        if best.keys() == own.keys():
            break
    best = with_our_biases(best, own)
    return {k: reshaped(v, own[k]) if k in own else v for k, v in best.items()}


def namings(state: Mapping[str, Tensor], family: str) -> Iterator[State]:
    """The state dict as it is, then as if each peer of the family had written it."""
    yield dict(state)
    for renamings in KEYS.get(family, {}).values():
        yield rename(state, renamings)


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

    That is so for a convolution over the whole of its input and a linear layer, and where only
    axes of length 1 were added; not for a 1x7 and a 7x1, of which the number of axes is the same.
    """
    if tensor.ndim == like.ndim:
        return tensor
    linear = tensor.ndim > 1 and tensor.flatten(1).shape == like.flatten(1).shape
    same = [n for n in tensor.shape if n != 1] == [n for n in like.shape if n != 1]
    return tensor.reshape(like.shape) if linear or same else tensor


def load_into(network: Network, path: str | PathLike[str], *, new_classifier: bool = True) -> None:
    """Put a weights file into the network, in place.

    What training alone uses (auxiliary heads, counters of batches) may be missing or too many.
    With ``new_classifier``, one for another number of classes is left out: the network keeps its
    own, as it was initialized.

    Raises WeightsError that names the tensors and shapes that do not fit.
    """
    assert network.spec is not None
    name, own = network.spec.name, network.state_dict()
    state = convert(read_state(path), network, network.spec.family.name)
    other_classes = {k for k in state if k in own and for_other_classes(k, state[k], own[k])}
    if new_classifier:
        state = {k: v for k, v in state.items() if k not in other_classes}
    wrong = [k for k in state if k in own and state[k].shape != own[k].shape]
    missing = [k for k in own if not (k in state or k in other_classes or training_alone(k))]
    unexpected = [k for k in state if not (k in own or training_alone(k))]
    if wrong or missing or unexpected:
        shapes = [f"{k} is {tuple(state[k].shape)}, not {tuple(own[k].shape)}" for k in wrong]
        lines = [
            listing("of another shape", shapes),
            listing("missing", missing),
            listing("too many", unexpected),
            advice(state, own, wrong, other_classes),
        ]
        raise WeightsError("\n  ".join([f"{path} does not fit {name}:", *filter(None, lines)]))
    network.load_state_dict({k: v for k, v in state.items() if k in own}, strict=False)


def for_other_classes(key: str, theirs: Tensor, own: Tensor) -> bool:
    """Whether these are a classifier's, and differ in the number of classes alone."""
    classifier = key.startswith(("head.", "auxiliary."))
    return classifier and theirs.shape[1:] == own.shape[1:] and theirs.shape[:1] != own.shape[:1]


def training_alone(key: str) -> bool:
    """Whether a tensor plays no part in scores: counters of batch norms, auxiliary heads."""
    return key.endswith("num_batches_tracked") or key.startswith("auxiliary.")


def listing(what: str, found: list[str]) -> str:
    """One line of an error: how many, and the first few; empty for none."""
    more = f"; and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"{len(found)} {what}: {'; '.join(found[:NAMED])}{more}" if found else ""


def advice(state: State, own: State, wrong: list[str], other_classes: set[str]) -> str:
    """What to do where the difference tells it; empty where it does not."""
    first = next((k for k, v in own.items() if v.ndim == 4), "")
    if wrong and set(wrong) == other_classes:
        return f"to keep its classifier: num_classes={len(state[wrong[0]])}"
    if wrong == [first] and state[first].shape[0] == own[first].shape[0]:
        return f"it takes pictures of {state[first].shape[1]} channels: leave in_channels out"
    return ""
