"""A gallery on a Milvus server."""

from collections.abc import Mapping
from contextlib import closing
from os import PathLike
from typing import Self

from kkcv.embedding.space import EmbeddingSpace
from kkcv.search import engine
from kkcv.search.engine import WAIT_SECONDS

from . import catalog
from .address import parse
from .catalog import Catalog
from .index import MilvusIndex, MilvusParts
from .next_vectors import NextVectors
from .server import Server


class MilvusEngine(engine.Engine):
    """Its methods also raise MissingExtra, and GalleryError if the server does not answer."""

    def __init__(self, rows: Catalog) -> None:
        self.catalog: Catalog = rows
        self.next_vectors = NextVectors(rows)

    @classmethod
    def open(cls, address: str | PathLike[str], wait_seconds: float) -> Self:
        return cls(Catalog(parse(address), wait_seconds))

    @classmethod
    def create(cls, address: str | PathLike[str], settings: Mapping[str, str]) -> Self:
        """Also raises GalleryLocked."""
        return cls(Catalog.create(parse(address), settings, WAIT_SECONDS))

    @classmethod
    def must_be_free(cls, address: str | PathLike[str]) -> None:
        with closing(Server(parse(address))) as server:
            catalog.must_be_free(server)

    def index_for(self, space: EmbeddingSpace) -> MilvusIndex:
        found = MilvusIndex(self.catalog)
        found.parts = MilvusParts() if space.parts else None
        return found
