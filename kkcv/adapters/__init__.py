"""Networks of other libraries, one library a file, by name: ``timm:resnet50d``.

An adapter finds a network (its weights file and how it wants its pictures, from the library's own
configuration) and builds it in the zoo's shape: stages → neck → head. Each library is an extra; it
is imported when one of its networks is asked for.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from kkcv.errors import RequestError, UnknownNetwork
from kkcv.extras import need, versions
from kkcv.images.preprocess import Preprocess
from kkcv.zoo.weights import WeightsFile

if TYPE_CHECKING:
    from kkcv.zoo.network import Network


class Found(NamedTuple):
    """A network before it is built.

    ``network`` names it without regard to where it lies; ``weights`` is None for random ones.
    ``weights_name`` and ``name`` find it again. ``text`` says that it embeds text as well.
    """

    name: str
    network: str
    weights: WeightsFile | None
    weights_name: str
    preprocess: Preprocess
    text: bool = False


Texts = Callable[[Sequence[str]], np.ndarray]  # N texts → embeddings float32 (N, D), of any length


class Adapter(Protocol):
    """A library whose networks can be used. ``name`` is what stands behind the colon."""

    def find(self, name: str, weights: str) -> Found:
        """``weights`` is ``imagenet`` for the library's own, ``none``, a tag or a file.

        Raises UnknownNetwork, WeightsError, MissingExtra.
        """
        ...

    def build(
        self, name: str, weights: str, file: Path | None, preprocess: Preprocess
    ) -> "Network":
        """The network in eval mode; random weights where there is no file (WeightsError)."""
        ...

    def texts(self, name: str, weights: str) -> Texts:
        """What embeds texts (RequestError where the network reads none)."""
        ...


def timm() -> Adapter:
    need("timm")
    from .timm import Timm

    return Timm()


def torchvision() -> Adapter:
    need("torchvision")
    from .torchvision import Torchvision

    return Torchvision()


def open_clip() -> Adapter:
    need("open_clip")
    from .open_clip import OpenCLIP

    return OpenCLIP()


def transformers() -> Adapter:
    need("transformers")
    from .transformers import Transformers

    return Transformers()


ADAPTERS: dict[str, Callable[[], Adapter]] = {
    "timm": timm,
    "torchvision": torchvision,
    "open_clip": open_clip,
    "transformers": transformers,
}


def split(model: str) -> tuple[str, str] | None:
    """``timm:resnet50d`` as the adapter and the name; None for what is no adapter's."""
    adapter, colon, name = model.partition(":")
    return (adapter, name) if colon and adapter in ADAPTERS else None


def library_of(model: str) -> str:
    """The installed library that builds a network, with its version; empty for the zoo."""
    if (parts := split(model)) is None:
        return ""
    package = {"open_clip": "open-clip-torch"}.get(parts[0], parts[0])
    return f"{package} {versions()[package]}"


def find(model: str, weights: str) -> Found | None:
    """A network of another library, or None when the name is of none."""
    if (parts := split(model)) is None:
        return None
    adapter, name = parts
    if not name:
        raise UnknownNetwork(f"{model!r} names no network; its name stands behind the colon")
    return ADAPTERS[adapter]().find(name, weights)


def build(model: str, weights: str, file: Path | None, preprocess: Preprocess) -> "Network":
    """The network that ``find`` found."""
    parts = split(model)
    assert parts is not None
    return ADAPTERS[parts[0]]().build(parts[1], weights, file, preprocess)


def texts(model: str, weights: str) -> Texts:
    """What embeds texts with the network of that name (RequestError where nothing does)."""
    if (parts := split(model)) is None:
        raise RequestError(f"{model} reads no text; open_clip: and transformers: networks may")
    return ADAPTERS[parts[0]]().texts(parts[1], weights)
