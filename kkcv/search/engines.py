"""Which engine keeps a gallery: its address says so.

photos.kkcv                    a folder of this machine (folder_engine.py)
milvus://host:19530/photos     a Milvus server (milvus/engine.py)
"""

from collections.abc import Mapping
from os import PathLike
from types import ModuleType

from . import folder_engine
from .engine import Engine

ENGINES: dict[str, ModuleType] = {}  # by the scheme of an address; without one it is a folder


def engine_at(address: str | PathLike[str]) -> ModuleType:
    scheme, separator, _ = str(address).partition("://")
    return ENGINES.get(scheme, folder_engine) if separator else folder_engine


def open_engine(address: str | PathLike[str], wait_seconds: float) -> Engine:
    """An existing gallery's (NotAGallery, GalleryFormatError)."""
    return engine_at(address).opened(address, wait_seconds)


def make_engine(address: str | PathLike[str], settings: Mapping[str, str]) -> Engine:
    """A new gallery's with these settings, or that of the one that is there (GalleryError)."""
    return engine_at(address).made(address, settings)


def must_be_free(address: str | PathLike[str]) -> None:
    """Raises NotAGallery when other things are where a new gallery shall be."""
    engine_at(address).must_be_free(address)
