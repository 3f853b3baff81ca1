"""A gallery in a folder of this machine: rows in SQLite, nearest vectors by Faiss."""

import os
from collections.abc import Mapping
from os import PathLike

from kkcv.disk import absolute
from kkcv.embedding.space import EmbeddingSpace
from kkcv.errors import NotAGallery, RequestError
from kkcv.search import engine
from kkcv.search.engine import Engine

from .catalog import FILE, Catalog
from .live import LiveIndex
from .next_vectors import NextVectors


def opened(address: str | PathLike[str], wait_seconds: float) -> Engine:
    """Raises NotAGallery, GalleryFormatError."""
    return engine_of(Catalog(absolute(address), wait_seconds))


def made(address: str | PathLike[str], settings: Mapping[str, str]) -> Engine:
    """With these settings, unless it is there already (NotAGallery, GalleryError)."""
    folder = absolute(address)
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise NotAGallery(f"{folder} is a file; a gallery is a folder")
    return engine_of(Catalog.create(folder, settings))


def must_be_free(address: str | PathLike[str]) -> None:
    """Raises NotAGallery when other things are where a new gallery shall be."""
    folder = absolute(address)
    if os.path.isdir(folder) and not (folder / FILE).exists() and any(folder.iterdir()):
        raise NotAGallery(
            f"{address} is a folder with other things in it; name a new folder for the gallery"
        )


def engine_of(catalog: Catalog) -> Engine:
    def index_for(space: EmbeddingSpace) -> LiveIndex:
        return LiveIndex(catalog, catalog.folder / "index", space.fingerprint, space.dim)

    return Engine(catalog, index_for, NextVectors(catalog))


def in_a_folder(catalog: engine.Catalog, what: str) -> Catalog:
    """The catalog of a gallery in a folder (RequestError: ``what`` is for no other)."""
    if not isinstance(catalog, Catalog):
        raise RequestError(f"{what} is for galleries in folders, and {catalog.address} is in none")
    return catalog
