"""The classic CNNs, one paper a file.

``zoo.create(name, pretrained=True)`` builds one, ``zoo.list_models("resnet*")`` lists them,
``zoo.spec(name)`` tells what is known of one. Names are the same in upper and lower case. Importing
``kkcv.zoo`` does not import torch; ``create`` and ``spec`` do.
"""

from typing import TYPE_CHECKING, Any

from kkcv.extras import need

from .recorded import names
from .weights import published

if TYPE_CHECKING:
    from .registry import create as create
    from .registry import spec as spec

__all__ = ["create", "list_models", "names", "spec"]


def list_models(pattern: str = "*", pretrained: bool = False) -> list[str]:
    """The networks whose name matches a pattern, all or only those with public weights."""
    return [name for name in names(pattern) if not pretrained or published(name)]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name in ("create", "spec"):
        need("torch")
        from . import registry

        return getattr(registry, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
