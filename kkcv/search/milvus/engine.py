"""A gallery on a Milvus server."""

from collections.abc import Mapping
from contextlib import closing
from os import PathLike

from kkcv.search.engine import WAIT_SECONDS, Engine

from . import catalog
from .address import parse
from .catalog import Catalog
from .index import Index
from .next_vectors import NextVectors
from .server import Server


def opened(address: str | PathLike[str], wait_seconds: float) -> Engine:
    """Raises NotAGallery, GalleryFormatError, MissingExtra, GalleryError when nobody answers."""
    return engine_of(Catalog(parse(address), wait_seconds))


def made(address: str | PathLike[str], settings: Mapping[str, str]) -> Engine:
    """With these settings, unless it is there already (as ``opened``, and GalleryLocked)."""
    return engine_of(Catalog.create(parse(address), settings, WAIT_SECONDS))


def must_be_free(address: str | PathLike[str]) -> None:
    """Raises NotAGallery when another collection has the name."""
    with closing(Server(parse(address))) as server:
        catalog.must_be_free(server)


def engine_of(rows: Catalog) -> Engine:
    return Engine(rows, lambda space: Index(rows), NextVectors(rows))
