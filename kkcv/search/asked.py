"""Queries as they are given in Python, brought into one of two forms: a ``Like``, or a vector."""

from collections.abc import Iterable
from numbers import Integral, Real
from os import PathLike
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from kkcv.errors import RequestError
from kkcv.hit import Hit
from kkcv.images.arrays import is_tensor
from kkcv.images.source import Source
from kkcv.query import Like, Text

from .picture import Picture

if TYPE_CHECKING:
    from torch import Tensor

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
