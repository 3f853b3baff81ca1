"""Shared by the adapters: another library's network in the zoo's shape, and its weights kept."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from kkcv.disk import atomic_write, sha256_of, typed
from kkcv.environment import cache_folder, make_cache_folder, offline
from kkcv.errors import UnknownNetwork, WeightsError
from kkcv.images.preprocess import Preprocess
from kkcv.presets.preset import Preset
from kkcv.zoo.network import Family, Network, Paper, Spec
from kkcv.zoo.weights import WeightsFile

INTERPOLATIONS = {0: "nearest", 2: "bilinear", 3: "bicubic"}  # Pillow's numbers


class Calling(nn.Module):
    """A method of a model as a module of its own."""

    def __init__(self, model: nn.Module, call: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.model = model
        self.call = call

    def forward(self, x: Tensor) -> Tensor:
        return self.call(x)


def as_network(
    name: str,
    stages: nn.Module,
    neck: nn.Module,
    head: nn.Module,
    preprocess: Preprocess,
    classes: int = 0,
) -> Network:
    """The zoo's shape around parts of another library, in eval mode; it takes one input size.

    ``classes`` is 0 where the head names none.
    """
    network = Network({"all": stages}, neck, head).eval()
    size = (preprocess.channels, *preprocess.size)
    with torch.no_grad():  # a run tells the length of the vector, whatever the library
        dim = network.embedding(torch.zeros(1, *size)).shape[1]
    library = name.partition(":")[0]
    family = Family(library, library, Paper(name, "", 0, ""), "", example=name)
    network.spec = Spec(
        name,
        family,
        refuse_to_build,
        dim,
        input_size=size,
        min_size=1,
        fixed_size=True,
        num_classes=classes,
    )
    return network


def refuse_to_build(*arguments: Any, **options: Any) -> Network:
    raise UnknownNetwork("only networks of the zoo are built from their specification")


def kept(
    network: str, weights: str, download: Callable[[], Mapping[str, Tensor]]
) -> WeightsFile | None:
    """The file that ``weights`` means: a user's, or the library's own, kept in our cache.

    ``imagenet`` means the library's own, ``none`` random ones.

    Raises WeightsError.
    """
    from safetensors.torch import save_file

    if weights == "none":
        return None
    if weights != "imagenet":
        file = Path(typed(weights))
        if not file.is_file():
            raise WeightsError(f"no weights {weights!r} for {network}: imagenet, none, or a file")
        return WeightsFile(file.absolute(), sha256_of(file))
    file = cache_folder() / "adapters" / f"{re.sub(r'[^A-Za-z0-9.-]', '_', network)}.safetensors"
    if not file.exists():
        if forbidden := offline():
            raise WeightsError(f"the weights of {network} are not here, and {forbidden} is set")
        try:
            state = download()
            make_cache_folder(file.parent)
            with atomic_write(file) as part:
                # safetensors refuses views, and tensors that share memory
                save_file({key: value.contiguous().clone() for key, value in state.items()}, part)
        except Exception as error:  # each library and each network fails in its own way
            raise no_weights(network, error) from None
    return WeightsFile(file, sha256_of(file))


def no_weights(network: str, error: Exception) -> WeightsError:
    """The error of a download, in one line."""
    said = str(error).strip().splitlines() or [type(error).__name__]
    return WeightsError(
        f"the weights of {network} cannot be had ({said[0][:200]}); "
        "give a local file with --weights, or none"
    )


@contextmanager
def seeded() -> Iterator[None]:
    """Random weights are the same every time, and so in both towers of one network."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def resized(model: Any, preset: Preset) -> None:
    """Let a network of timm take the preset's side: its positions are interpolated."""
    if preset.pixels != preset.own_pixels and hasattr(model, "set_input_size"):
        model.set_input_size((preset.pixels, preset.pixels))


Convert = Callable[[dict[str, Tensor], nn.Module], dict[str, Tensor]]


def load_into(model: nn.Module, file: Path, network: str, convert: Convert | None = None) -> None:
    """Weights of this very network, ``.safetensors`` or ``.pth`` (WeightsError).

    ``convert`` gives them the names that the model has.
    """
    from safetensors.torch import load_file

    try:
        if file.suffix == ".safetensors":
            state = load_file(file)
        else:
            state = torch.load(file, map_location="cpu", weights_only=True)
        model.load_state_dict(state if convert is None else convert(state, model))
    except Exception as error:  # pickle, zip and safetensors have one each, and shapes may differ
        raise not_weights(file, network, error) from None


def not_weights(file: Path, network: str, error: Exception) -> WeightsError:
    """The error of a file of something else, in one line."""
    said = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return WeightsError(f"{file} holds no weights of {network}: {said}")


class Tower(NamedTuple):
    """A text tower to export.

    ``module`` takes the tokens that ``tokenize`` makes, int64 (N, L), to vectors (N, D).
    ``tokenizer`` is the same in the format of the library tokenizers, for texts that were cleaned
    by ``cleaning``, a key of ``kkcv/embedding/text_cleaning.py``.
    """

    module: nn.Module
    tokenize: Callable[[list[str]], Tensor]
    tokenizer: str
    cleaning: str
