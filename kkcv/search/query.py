"""Queries as they are given in Python, and the vectors that they are."""

from collections.abc import Iterable, Iterator, Sequence
from numbers import Integral, Real
from os import PathLike
from typing import TYPE_CHECKING, Any, Union, cast

import numpy as np
from numpy.typing import ArrayLike

from kkcv.embedding.pipeline import ahead, embed_stream
from kkcv.embedding.space import unit
from kkcv.errors import PictureError, RequestError
from kkcv.hit import Hit
from kkcv.images.arrays import is_tensor
from kkcv.images.limits import Limits
from kkcv.images.source import Source
from kkcv.query import Like, Text
from kkcv.worker.worker import Worker

from .opened.generation import Generation
from .picture import Picture, Pictures, check_id, unknown

if TYPE_CHECKING:
    from torch import Tensor

MAX_K = 1000  # a page of hits, not an export; each hit is looked up and described
LENGTH_TOLERANCE = 0.01  # of vectors that were kept in 16 bits

# One query. An array or tensor of one dimension is a vector, any other a picture.
Query = Union[Source, int, Text, Like, Picture, Hit, np.ndarray, "Tensor"]


def several(query: Any) -> list[Any] | None:
    """The queries in a list of them, or in an array of pictures or vectors; None for one query."""
    query = without_torch(query)
    if is_tensor(query):
        return list(query) if query.ndim == 4 else None
    if isinstance(query, np.ndarray):
        stacked = query.ndim == 4 or (query.ndim == 2 and query.dtype.kind == "f")
        return list(query) if stacked else None
    if isinstance(query, str | bytes | bytearray | memoryview | PathLike | Text | Like | Hit):
        return None
    if not isinstance(query, Iterable) or hasattr(query, "read"):
        return None
    found = list(query)
    numbers = bool(found) and all(isinstance(each, float | np.floating) for each in found)
    return None if numbers else found  # a vector as a list


def single(query: Any) -> Like | np.ndarray:
    """One query as a Like, or as a vector that is not checked yet (RequestError)."""
    query = without_torch(query)
    if isinstance(query, Like):
        return query
    if isinstance(query, Picture | Hit):
        return Like(query.id)
    if isinstance(query, np.ndarray) and query.ndim == 1:
        return query
    if isinstance(query, list | tuple) and not isinstance(query, Text):
        return np.array(query)
    if isinstance(query, Real) and not isinstance(query, Integral | np.ndarray):
        raise RequestError(f"an id is a whole number such as 17, got {query!r}")
    return Like(query)


def without_torch(query: Any) -> Any:
    """A vector of torch, or several, as NumPy has them; everything else as it is."""
    if is_tensor(query) and query.ndim < 3:
        return query.detach().cpu().numpy()
    return query


class Vectorizer:
    """Turns what a gallery is searched with into vectors of its space."""

    def __init__(
        self, generation: Generation, pictures: Pictures, worker: Worker, limits: Limits
    ) -> None:
        """``worker`` embeds texts that no exported tower reads, in another process."""
        self._generation = generation
        self._pictures = pictures
        self._worker = worker
        self._limits = limits

    def query(self, likes: Sequence[Like]) -> np.ndarray:
        """One unit vector, float32 (D,) (PictureError, UnknownPicture, RequestError)."""
        vectors = np.stack([self._vector(like) for like in likes])
        return combined(vectors, [like.weight for like in likes])

    def batch(
        self, queries: Sequence[Like | np.ndarray]
    ) -> Iterator[tuple[int, np.ndarray | PictureError]]:
        """The vectors of those queries that are whole pictures, by their places in the list.

        They are decoded in threads and embedded in batches. The others are left out.
        """
        embedder = self._generation.embedder

        def crop(place: int) -> np.ndarray:
            return embedder.prepare(cast(Source, cast(Like, queries[place]).picture), self._limits)

        places = [place for place, query in enumerate(queries) if is_whole_picture(query)]
        for place, vector in embed_stream(embedder, ahead(crop, places)):
            if isinstance(vector, np.ndarray):
                vector = self._generation.projected(vector)
            assert vector is not None
            yield place, vector

    def _vector(self, like: Like) -> np.ndarray:
        source, generation = like.picture, self._generation
        if isinstance(source, Text):
            return self._of_text(source.text)
        if isinstance(source, int):
            if like.region is None:
                return self._of_id(source)
            source = self._pictures.read(self._pictures.get(source))
        part = None if like.region is None else like.region.of
        vector = generation.embedder.embed_picture(source, self._limits, part)
        return generation.projected(vector)

    def _of_id(self, id: int) -> np.ndarray:
        address = self._generation.catalog.address
        check_id(id, address)
        with self._generation.catalog.reading() as rows:
            vector = None if rows.superseded() else rows.vector(id)
        if vector is None:
            raise unknown(id, address)
        return vector

    def _of_text(self, text: str) -> np.ndarray:
        space, catalog = self._generation.space, self._generation.catalog
        if not space.text:
            raise RequestError(
                f"{catalog.address} was made by {space.network}, which reads no text; "
                "siglip2-base and others of kkcv models do: "
                "kkcv reindex GALLERY --model siglip2-base"
            )
        if not text.strip():
            raise RequestError("the text to search for is empty")
        if (tower := self._generation.text_tower()) is not None:
            return self._generation.projected(tower.embed([text])[0])
        model = catalog.settings["model"], catalog.settings["weights"]
        return self._generation.projected(self._worker.embed_texts(model, [text])[0])


def is_whole_picture(query: Like | np.ndarray) -> bool:
    """Whether a query is one picture that has to be embedded, all of it."""
    if not isinstance(query, Like) or isinstance(query.picture, int | Text):
        return False
    return query.region is None and query.weight > 0


def combined(vectors: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """The weighted sum of several queries: float32 (N, D) → unit vector (D,).

    Raises RequestError if no weight is positive, or the vectors cancel out.
    """
    if not any(weight > 0 for weight in weights) or not np.isfinite(weights).all():
        raise RequestError("at least one picture must count with a positive weight")
    total = np.asarray(weights, np.float32) @ vectors
    if np.linalg.norm(total) < 1e-6:  # shorter is rounding error, with no direction
        raise RequestError("the pictures cancel each other out; use other weights")
    return unit(total[None])[0]


def checked_k(k: int) -> int:
    """A number of hits, from 1 to MAX_K (RequestError)."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= MAX_K:
        raise RequestError(f"k must be a whole number from 1 to {MAX_K}, got {k!r}")
    return int(k)


def checked_vectors(vectors: ArrayLike, dim: int) -> np.ndarray:
    """Queries as float32 (Q, D) (RequestError if they are not unit vectors)."""
    try:
        queries = np.asarray(vectors, np.float32)
    except (TypeError, ValueError):
        raise RequestError(f"a query is {dim} numbers, got {vectors!r:.60}") from None
    if queries.ndim != 2 or queries.shape[1] != dim:
        raise RequestError(f"a query here has {dim} numbers, got {queries.shape}")
    lengths = np.linalg.norm(queries, axis=1)
    if not (np.abs(lengths - 1) < LENGTH_TOLERANCE).all():  # NaN is not either
        off = lengths[~(np.abs(lengths - 1) < LENGTH_TOLERANCE)][0]
        raise RequestError(f"a query has length 1, got {off:g}: divide it by its length")
    return queries
