"""The classic CNNs, one paper a file.

``zoo.create(name, weights=...)`` builds one, ``zoo.names("resnet*")`` lists them,
``zoo.spec(name)`` tells what is known of one. Importing ``kkcv.zoo`` does not import torch; using
it does.
"""

from typing import TYPE_CHECKING, Any

from kkcv.extras import need

if TYPE_CHECKING:
    from .registry import create as create
    from .registry import names as names
    from .registry import spec as spec

__all__ = ["create", "names", "spec"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        need("torch")
        from . import registry

        return getattr(registry, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
