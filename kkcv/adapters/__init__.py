"""Networks of other libraries, one library a file, by name: ``timm:resnet50d``.

An adapter finds a network (its weights file and how it wants its pictures, from the library's own
configuration) and builds it in the zoo's shape: stages → neck → head. Each library is an extra; it
is imported when one of its networks is asked for.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kkcv.errors import RequestError, UnknownNetwork
from kkcv.extras import need, versions
from kkcv.images.preprocess import Preprocess
from kkcv.presets import preset as presets

from .adapter import Adapter, Found, Texts

if TYPE_CHECKING:
    from kkcv.zoo.network import Network

    from .foreign import Tower


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


def of_presets() -> Adapter:
    from .preset import Presets

    return Presets()


ADAPTERS: dict[str, Callable[[], Adapter]] = {
    "timm": timm,
    "torchvision": torchvision,
    "open_clip": open_clip,
    "transformers": transformers,
}
PRESET = "preset"  # stands for the adapter of networks that go by one word
READERS = (PRESET, "open_clip", "transformers")  # adapters with networks that read text


def split(model: str) -> tuple[str, str] | None:
    """``timm:resnet50d`` as the adapter and the name; None for the zoo's own names.

    A preset, ``dinov3-small``, is its own name. Raises RequestError for one of a wrong size.
    """
    adapter, colon, name = model.partition(":")
    if colon and adapter in ADAPTERS:
        return adapter, name
    return (PRESET, model) if presets.find(model) is not None else None


def adapter_of(name: str) -> Adapter:
    """The adapter with that name (MissingExtra)."""
    return of_presets() if name == PRESET else ADAPTERS[name]()


def library_of(model: str) -> str:
    """The installed library that builds a network, with its version; empty for the zoo.

    Empty for presets too: what was exported of one is used where the library is not installed.
    """
    parts = split(model)
    if parts is None or parts[0] == PRESET:
        return ""
    package = {"open_clip": "open-clip-torch"}.get(parts[0], parts[0])
    return f"{package} {versions()[package]}"


def modules_of(model: str) -> tuple[str, ...]:
    """The optional module that builds a preset, to be asked for before the work begins.

    Its extra brings PyTorch too, so it is to be asked for first.
    """
    preset = presets.find(model)
    return () if preset is None else (preset.library,)


def find(model: str, weights: str) -> Found | None:
    """A network of another library, or None when the name is of none."""
    if (parts := split(model)) is None:
        return None
    adapter, name = parts
    if not name:
        raise UnknownNetwork(f"{model!r} names no network; its name stands behind the colon")
    return adapter_of(adapter).find(name, weights)


def build(model: str, weights: str, file: Path | None, preprocess: Preprocess) -> "Network":
    """The network that ``find`` found."""
    parts = split(model)
    assert parts is not None
    return adapter_of(parts[0]).build(parts[1], weights, file, preprocess)


def texts(model: str, weights: str) -> Texts:
    """The way to embed texts with the network of that name (RequestError where there is none)."""
    adapter, name = reader(model)
    return adapter.texts(name, weights)


def tower(model: str, weights: str) -> "Tower":
    """The text tower of that network, to be exported (RequestError)."""
    adapter, name = reader(model)
    return adapter.tower(name, weights)


def reader(model: str) -> tuple[Adapter, str]:
    """The adapter of a network that may read text, and its name there (RequestError)."""
    parts = split(model)
    if parts is None or parts[0] not in READERS:
        raise RequestError(f"{model} reads no text; open_clip: and transformers: networks may")
    return adapter_of(parts[0]), parts[1]


def has_tower(model: str) -> bool:
    """Whether the text tower of a network that reads text can be exported."""
    parts = split(model)
    return parts is not None and parts[0] in (PRESET, "open_clip")
