"""A gallery in a folder of this machine: rows in SQLite, nearest vectors by Faiss."""

import os
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Self

from kkcv.answering import SILENT, answers
from kkcv.disk import absolute
from kkcv.embedding.space import EmbeddingSpace
from kkcv.errors import GalleryError, NotAGallery, RequestError
from kkcv.images.source import label_of
from kkcv.search import engine
from kkcv.search.engine.entries import PartsOfPictures, WholePictures

from .catalog import FILE, Catalog
from .index import FolderIndex
from .next_vectors import NextVectors


class FolderEngine(engine.Engine):
    """A folder with ``catalog.sqlite``."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog: Catalog = catalog
        self.next_vectors = NextVectors(catalog)

    @classmethod
    def open(cls, address: str | PathLike[str], wait_seconds: float) -> Self:
        return cls(Catalog(that_answers(address), wait_seconds))

    @classmethod
    def create(cls, address: str | PathLike[str], settings: Mapping[str, str]) -> Self:
        """Also raises NotAGallery for a file."""
        folder = that_answers(address)
        if os.path.exists(folder) and not os.path.isdir(folder):
            raise NotAGallery(f"{folder} is a file; a gallery is a folder")
        return cls(Catalog.create(folder, settings))

    @classmethod
    def must_be_free(cls, address: str | PathLike[str]) -> None:
        folder = absolute(address)
        if os.path.isdir(folder) and not (folder / FILE).exists() and any(folder.iterdir()):
            raise NotAGallery(
                f"{address} is a folder with other things in it; name a new folder for the gallery"
            )

    def index_for(self, space: EmbeddingSpace) -> FolderIndex:
        folder = self.catalog.folder / "index"
        whole = WholePictures(space.dim)
        found = FolderIndex(self.catalog, folder, space.fingerprint, whole)
        if space.parts:
            folder = self.catalog.folder / "index-parts"
            parts = PartsOfPictures()
            found.parts = FolderIndex(self.catalog, folder, space.fingerprint, parts)
        return found


def that_answers(address: str | PathLike[str]) -> Path:
    """The absolute path of a folder (GalleryError if it is on a mount that never answers)."""
    folder = absolute(address)
    if not answers(str(folder)):
        raise GalleryError(f"{label_of(folder)}{SILENT}")
    return folder


def in_a_folder(catalog: engine.Catalog, what: str) -> Catalog:
    """The catalog, if the gallery is in a folder; else RequestError: ``what`` needs one."""
    if not isinstance(catalog, Catalog):
        raise RequestError(f"{what} is for galleries in folders, and {catalog.address} is in none")
    return catalog
