"""The index of an open gallery in a folder, which can be told more than that of any engine."""

from kkcv.search.folder.index import FolderIndex
from kkcv.search.gallery import Gallery


def index_of(gallery: Gallery) -> FolderIndex:
    """Its index of whole pictures."""
    found = gallery.generation.index
    assert isinstance(found, FolderIndex)
    return found
