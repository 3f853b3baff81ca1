"""The engines by the scheme of a gallery's address; an address without one is a folder.

photos.kkcv                    a folder of this machine (folder/engine.py)
milvus://host:19530/photos     a Milvus server (milvus/engine.py)
"""

from os import PathLike

from kkcv.errors import RequestError

from .engine import Engine
from .folder.engine import FolderEngine
from .milvus.engine import MilvusEngine

ENGINES: dict[str, type[Engine]] = {"milvus": MilvusEngine}


def engine_at(address: str | PathLike[str]) -> type[Engine]:
    """The engine of an address (RequestError)."""
    if not isinstance(address, str | PathLike):
        raise RequestError(
            "a gallery is at a folder or an address such as milvus://host:19530/name, "
            f"got {address!r:.60}"
        )
    scheme, separator, _ = str(address).partition("://")
    return ENGINES.get(scheme, FolderEngine) if separator else FolderEngine
