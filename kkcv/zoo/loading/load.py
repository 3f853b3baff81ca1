"""Weights into a network: read the file, find the weights in it, and say what does not fit.

file ─load─▶ contents ─fit─▶ our names ─load_into─▶ network
"""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file

from kkcv.errors import WeightsError
from kkcv.zoo.facts import counts
from kkcv.zoo.network import Network, Spec
from kkcv.zoo.shapes import shapes_only

from .averages import is_safetensors, no_average
from .contents import Contents, State, contents_of, is_average, prefixes, under
from .fitting import Fit, best_fit, fit
from .pickles import read_pickle

NAMED = 3  # keys of each kind that an error names
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")  # no parameters


def load_into(
    network: Network,
    path: str | PathLike[str],
    *,
    new_classifier: bool = True,
    ema: bool | None = None,
    others: Iterable[Spec] = (),
) -> None:
    """Put a weights file into the network, in place.

    Tensors that only training uses (auxiliary heads, counters of batches) may be missing or too
    many. A prefix before the names is taken off, and names outside it are left out.

    Args:
        new_classifier: A classifier that is missing or for another number of classes is left out:
            the network keeps its own, as it was initialized.
        ema: True takes the average of weights in the file, False the raw ones, None an average that
            fits, with a warning.
        others: Networks that the weights may be of instead; an error names those they fit.

    Raises:
        WeightsError: Which tensors and shapes do not fit, or which prefixes are in doubt; there is
            no average, or nothing else.
    """
    path = Path(path)
    assert network.spec is not None
    own = network.state_dict()
    chosen = choose(network, path, new_classifier, ema)
    found = chosen.fit
    if found.wrong and found.differences == 1:
        found = for_grey(found, network)
    if found.differences:
        differ = "; ".join(refusal(found, chosen.state, network, others))
        raise WeightsError(f"{path} does not fit {network.spec.name}: {differ}")
    if ema and not chosen.average:
        raise no_average(path)
    if ema is None and (said := chosen.about_average(path)):
        warnings.warn(said, RuntimeWarning, stacklevel=3)
    check_finite(found.state, path)
    network.load_state_dict({k: v for k, v in found.state.items() if k in own}, strict=False)


def check_finite(state: State, path: Path) -> None:
    """Raises WeightsError for weights that training has ruined: every answer would be NaN."""
    if ruined := [k for k, v in state.items() if not v.isfinite().all()]:
        raise WeightsError(
            f"{path} holds numbers that are not finite in {len(ruined)} of {len(state)} tensors, "
            f"the first: {ruined[0]}; its training went wrong"
        )


class Chosen(NamedTuple):
    """The weights of a file that are taken: their state dict, and how it fits.

    ``average`` is the entry or prefix of the average that is taken, ``left`` of one that does not
    fit; each empty for none.
    """

    state: State
    fit: Fit
    average: str
    left: str

    def about_average(self, path: Path) -> str:
        """One line about averaged weights in the file; empty where there are none."""
        if self.average:
            return (
                f"{path} holds an average of the weights ({self.average}), which is taken; "
                "ema=False (--no-ema) takes the raw ones"
            )
        if self.left:
            return (
                f"{path} holds an average of the weights ({self.left}), which does not fit; "
                "the raw ones are taken"
            )
        return ""


def choose(network: Network, path: Path, new_classifier: bool, ema: bool | None) -> Chosen:
    """The average in a file, or its raw weights (WeightsError)."""
    contents = read(path)
    raw, entry = contents.raw, contents.average_entry
    if not raw and ema is False:
        raise WeightsError(
            f"{path} holds an average of weights alone ({entry}); "
            "leave ema=False (--no-ema) out to take it"
        )
    average = contents.average if ema is not False else {}
    found = best_fit(average or raw, network, path, new_classifier, ema is not False)
    if average and raw and found.differences and ema is None:
        average = {}
        found = best_fit(raw, network, path, new_classifier, True)
    if average:
        return Chosen(average, found, entry, "")
    prefix = found.prefix.rstrip(".") if is_average(found.prefix) else ""
    return Chosen(raw, found, prefix, "" if prefix else entry)


def takes_average(network: Network, path: Path) -> bool | None:
    """Whether ``load_into`` takes an average from this file, which is said; None if it has none.

    Raises WeightsError.
    """
    chosen = choose(network, path, new_classifier=False, ema=None)
    said = chosen.about_average(path)
    if chosen.fit.differences or not said:
        return None
    warnings.warn(said, RuntimeWarning, stacklevel=3)
    return bool(chosen.average)


def for_grey(found: Fit, network: Network) -> Fit:
    """Weights for three channels in a network for one: the first convolution is summed over them.

    A grey picture then answers as three equal channels did. Other differences stay.
    """
    key, own = found.wrong[0], network.state_dict()
    theirs, ours = found.state[key], own[key]
    first = next(iter(own)) == key and theirs.ndim == ours.ndim == 4
    if not first or (theirs.shape[1], ours.shape[1]) != (3, 1):
        return found
    summed = theirs.sum(1, keepdim=True)
    if summed.shape != ours.shape:
        return found
    return replace(found, state={**found.state, key: summed}, wrong=[])


def read(path: Path) -> Contents:
    """The weights in a safetensors or .pth file, told apart by its content.

    Raises WeightsError when there is no such file, or it holds no state dict.
    """
    if not path.is_file():
        raise WeightsError(f"no weights file {path}; give an existing .pth or .safetensors file")
    contents = contents_of(read_safetensors(path) if is_safetensors(path) else read_pickle(path))
    if not contents.raw and not contents.average:
        raise WeightsError(f"{path} holds no state dict (names with tensors)")
    return contents


def read_safetensors(path: Path) -> State:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path} is damaged: {error}") from None


def refusal(found: Fit, state: State, network: Network, others: Iterable[Spec]) -> Iterator[str]:
    """The parts of an error: what does not fit, and what would."""
    assert network.spec is not None
    own = network.state_dict()
    shapes = [
        f"{k} is {tuple(found.state[k].shape)}, not {tuple(own[k].shape)}" for k in found.wrong
    ]
    yield from filter(
        None,
        (
            f"read without the prefix {found.prefix}" if found.prefix else "",
            listing("of another shape", shapes),
            listing("missing", found.missing),
            listing("too many", found.unexpected),
            advice(found, own),
        ),
    )
    if siblings := those_that_fit(state, network.spec, others):
        yield f"this is {' or '.join(siblings)}"


def listing(what: str, keys: list[str]) -> str:
    """Part of an error: how many, and the first few; empty for none."""
    more = f"; and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    return f"{len(keys)} {what} ({'; '.join(keys[:NAMED])}{more})" if keys else ""


def advice(found: Fit, own: State) -> str:
    """Advice where the differences allow it, else empty."""
    first = next((k for k, v in own.items() if v.ndim == 4), "")
    wrong = found.wrong
    if wrong and set(wrong) == found.other_classes:
        return f"to keep its classifier: num_classes={len(found.state[wrong[0]])}"
    if wrong == [first] and found.state[first].shape[0] == own[first].shape[0]:
        return f"it takes pictures of {found.state[first].shape[1]} channels: leave in_channels out"
    if found.missing and all(k.startswith("head.") for k in found.missing) and not found.unexpected:
        return "it has no classifier: num_classes=N begins a new one, for N classes"
    return ""


def those_that_fit(state: State, asked: Spec, others: Iterable[Spec]) -> list[str]:
    """The names of other networks that these weights fit, under a prefix of most names or none.

    They are of the same family, or have as many parameters.
    """
    counted, sizes = counts(), {}
    # nine in ten names: a wrapper's own few tensors stand beside
    for prefix in ("", *prefixes(state, least=9 * len(state) // 10)):
        sizes[prefix] = sum(
            v.numel() for k, v in under(state, prefix).items() if not k.endswith(STATISTICS)
        )
    return [
        other.name
        for other in others
        if other.name != asked.name
        and (
            other.family.name == asked.family.name
            or (other.name in counted and counted[other.name].parameters in sizes.values())
        )
        and fits_under_any(sizes, state, shape_of(other))
    ]


def fits_under_any(prefixes: Iterable[str], state: State, network: Network) -> bool:
    fits = (fit(under(state, prefix), network, new_classifier=True) for prefix in prefixes)
    return any(not each.differences for each in fits)


def shape_of(known: Spec) -> Network:
    """The network without memory."""
    with shapes_only():
        network = known.build(known.num_classes, known.input_size[0])
    network.spec = known
    return network
