"""The engine itself, and the vectors of another network while they are made."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Self

import numpy as np

from kkcv.embedding.space import EmbeddingSpace
from kkcv.errors import RequestError
from kkcv.search.picture import Picture
from kkcv.timing import Progress, no_progress

from .catalog import Catalog, Vectors
from .entries import PartsOfPictures
from .index import Index


class NextVectors:
    """The vectors of another network, while they are made; as it is, the engine keeps one network.

    A vector counts only while its picture has the bytes that it was made of. Nothing but ``begin``
    and ``begin_undo`` is called before one of them has begun.
    """

    def begin(self, settings: dict[str, str]) -> None:
        """Start with a network of these settings, or go on with it (RequestError)."""
        raise RequestError(
            "this engine keeps one network: kkcv reindex is for galleries in folders and on Milvus"
        )

    def begin_undo(self) -> dict[str, str] | None:
        """Start with the previous network's vectors; its settings, or None if there is none."""
        return None

    def todo(self) -> list[int]:
        """The ids of the pictures that have no new vector yet."""
        raise NotImplementedError

    def keep(self, embedded: Sequence[tuple[Picture, np.ndarray]]) -> None:
        """Store new vectors; they are on the disk when this returns."""
        raise NotImplementedError

    def vectors(self, ids: np.ndarray) -> Vectors:
        """The new vectors of some pictures, in the order of ids; those without are left out."""
        raise NotImplementedError

    def swap(self, without: set[int]) -> int | None:
        """Use the new vectors from now on, in one step; the number of pictures.

        None, and nothing changes, if a picture that is not in ``without`` has no new vector. The
        old vectors are kept for ``begin_undo``.
        """
        raise NotImplementedError

    def project(self, text: str, progress: Progress = no_progress) -> None:
        """Compare vectors through the projection of this text from now on; none if it is empty.

        The network's own vectors stay. ``progress`` is called with the numbers of rows that were
        written and of all, if the engine writes rows for it. Raises RequestError if the engine
        keeps no projection.
        """
        raise RequestError(
            "this engine keeps no projection: kkcv adapt is for galleries in folders and on Milvus"
        )


class Engine(ABC):
    """The catalog of one gallery and what belongs to it."""

    catalog: Catalog
    next_vectors: NextVectors = NextVectors()

    @classmethod
    @abstractmethod
    def open(cls, address: str | PathLike[str], wait_seconds: float) -> Self:
        """An existing gallery (NotAGallery, GalleryFormatError)."""

    @classmethod
    @abstractmethod
    def create(cls, address: str | PathLike[str], settings: Mapping[str, str]) -> Self:
        """A new gallery with these settings, or the existing one (GalleryError)."""

    @classmethod  # noqa: B027
    def must_be_free(cls, address: str | PathLike[str]) -> None:
        """Raises NotAGallery if something else is where a new gallery should be."""

    def index_for(self, space: EmbeddingSpace) -> Index:
        """The index of the vectors, which are of this space."""
        found = Index()
        found.parts = Index(PartsOfPictures()) if space.parts else None
        return found
