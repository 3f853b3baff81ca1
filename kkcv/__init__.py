"""kkcv: the classic CNNs, readable like their papers, and image search over your own pictures.

    from kkcv import Gallery

    gallery = Gallery("photos.kkcv")
    for hit in gallery.search("cat.jpg", k=10):
        print(hit.score, hit.path)

Importing ``kkcv`` is instant: torch and Faiss are imported when they are used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import KkcvError

if TYPE_CHECKING:
    from kkcv import zoo as zoo
    from kkcv.classify import Classifier as Classifier
    from kkcv.client import Client as Client
    from kkcv.embedding.embedder import Embedder as Embedder
    from kkcv.hit import Hit as Hit
    from kkcv.hits import Hits as Hits
    from kkcv.query import Like as Like
    from kkcv.query import Region as Region
    from kkcv.query import Text as Text
    from kkcv.search.gallery import Gallery as Gallery

__version__ = "0.1.0"

# The public names, and the module of each, which is imported when its name is first used.
PUBLIC = {
    "Classifier": "kkcv.classify",
    "Client": "kkcv.client",
    "Embedder": "kkcv.embedding.embedder",
    "Gallery": "kkcv.search.gallery",
    "Hit": "kkcv.hit",
    "Hits": "kkcv.hits",
    "Like": "kkcv.query",
    "Region": "kkcv.query",
    "Text": "kkcv.query",
}
__all__ = [
    "Classifier",
    "Client",
    "Embedder",
    "Gallery",
    "Hit",
    "Hits",
    "KkcvError",
    "Like",
    "Region",
    "Text",
    "__version__",
    "zoo",
]


def __getattr__(name: str) -> Any:
    if name == "zoo":
        return import_module("kkcv.zoo")
    if name in PUBLIC:
        return getattr(import_module(PUBLIC[name]), name)
    from difflib import get_close_matches

    near = get_close_matches(name, __all__, 1) if not name.startswith("_") else []
    hint = f"; did you mean {near[0]}?" if near else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    return __all__
