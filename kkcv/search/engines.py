"""The engines by the scheme of a gallery's address; an address without one is a folder.

photos.kkcv                    a folder of this machine (folder/engine.py)
milvus://host:19530/photos     a Milvus server (milvus/engine.py)
"""

from collections.abc import Callable
from os import PathLike

from kkcv.errors import RequestError

from .engine import Engine
from .folder.engine import FolderEngine


def milvus() -> type[Engine]:
    from .milvus.engine import MilvusEngine

    return MilvusEngine


ENGINES: dict[str, Callable[[], type[Engine]]] = {"milvus": milvus}


def engine_at(address: str | PathLike[str]) -> type[Engine]:
    """The engine of an address (RequestError)."""
    if not isinstance(address, str | PathLike):
        raise RequestError(
            "a gallery is at a folder or an address such as milvus://host:19530/name, "
            f"got {address!r:.60}"
        )
    scheme, separator, _ = str(address).partition("://")
    return ENGINES[scheme]() if separator and scheme in ENGINES else FolderEngine
