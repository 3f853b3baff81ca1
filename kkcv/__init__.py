"""kkcv: the classic CNNs, readable like their papers, and image search over your own pictures.

    from kkcv import Gallery

    gallery = Gallery.open("photos.kkcv")
    for hit in gallery.search("cat.jpg", k=10):
        print(hit.score, hit.path)

Importing ``kkcv`` is instant: torch and Faiss are imported when they are used.
"""

from typing import TYPE_CHECKING, Any

from .errors import KkcvError

if TYPE_CHECKING:
    from kkcv.classify import Classifier as Classifier
    from kkcv.embedding.embedder import Embedder as Embedder
    from kkcv.search.gallery import Gallery as Gallery
    from kkcv.search.gallery import Hit as Hit

__version__ = "0.1.0"
__all__ = ["Classifier", "Embedder", "Gallery", "Hit", "KkcvError", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Classifier":
        from kkcv.classify import Classifier

        return Classifier
    if name == "Embedder":
        from kkcv.embedding.embedder import Embedder

        return Embedder
    if name in ("Gallery", "Hit"):
        from kkcv.search import gallery

        return getattr(gallery, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
