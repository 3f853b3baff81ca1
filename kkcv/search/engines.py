"""Which engine keeps a gallery: its address says so.

photos.kkcv                    a folder of this machine (folder/engine.py)
milvus://host:19530/photos     a Milvus server (milvus/engine.py)
"""

from collections.abc import Mapping
from os import PathLike
from types import ModuleType

from kkcv.errors import RequestError
from kkcv.search.folder import engine as folder_engine

from .engine import Engine
from .milvus import engine as milvus_engine

# By the scheme of an address; without one it is a folder.
ENGINES: dict[str, ModuleType] = {"milvus": milvus_engine}


def engine_at(address: str | PathLike[str]) -> ModuleType:
    if not isinstance(address, str | PathLike):
        raise RequestError(
            "a gallery is at a folder or an address such as milvus://host:19530/name, "
            f"got {address!r:.60}"
        )
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


def must_be_a_folder(address: str | PathLike[str], what: str) -> None:
    """Raises RequestError: ``what`` is for no other galleries."""
    if engine_at(address) is not folder_engine:
        raise RequestError(f"{what} is for galleries in folders, and {address} is none")
