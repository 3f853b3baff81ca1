"""The vectors of a row that an index holds: the one of the whole picture, or those of its parts.

An index finds keys. For whole pictures the key is the id; for parts it is id · 5 + the number of
the part. Both indexes of a gallery are built, refreshed and searched by the same code.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np

from kkcv.embedding import windows

PARTS = len(windows.WINDOWS)


class Shape(NamedTuple):
    """How many numbers a row has, and how many of them, the first, are of the whole picture."""

    row: int
    whole: int

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> "Shape":
        """From the settings of a network (ValueError, KeyError)."""
        row = int(settings["dim"])
        try:
            parts = json.loads(settings["space"]).get("parts", "")
        except (KeyError, ValueError, AttributeError):  # code that needs the space says so
            parts = ""
        return cls(row, row - windows.size(parts))


class Rows(Protocol):
    """The layout of the rows that a Reader (catalog.py) has stored."""

    @property
    def dim(self) -> int: ...

    def whole(self, rows: np.ndarray) -> np.ndarray: ...

    def parts(self, rows: np.ndarray) -> np.ndarray: ...


class Held(NamedTuple):
    """Keys int64 (n,) and their unit vectors float32 (n, D)."""

    keys: np.ndarray
    vectors: np.ndarray


class Entries(ABC):
    """``each`` is how many entries a row has, ``small`` whether an index keeps them in 8 bits."""

    name: str
    each: int
    small: bool
    dim: int

    @abstractmethod
    def of(self, reader: Rows, ids: np.ndarray, rows: np.ndarray) -> Held:
        """The entries of stored rows, int64 (n,) and float32 (n, row), in their order."""

    @abstractmethod
    def keys(self, ids: np.ndarray) -> np.ndarray:
        """All keys of ids, in their order."""


class WholePictures(Entries):
    name, each, small = "", 1, False

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def of(self, reader: Rows, ids: np.ndarray, rows: np.ndarray) -> Held:
        return Held(ids, reader.whole(rows))

    def keys(self, ids: np.ndarray) -> np.ndarray:
        return ids


class PartsOfPictures(Entries):
    name, each, small, dim = "parts", PARTS, True, windows.NUMBERS

    def of(self, reader: Rows, ids: np.ndarray, rows: np.ndarray) -> Held:
        return Held(self.keys(ids), reader.parts(rows).reshape(-1, self.dim))

    def keys(self, ids: np.ndarray) -> np.ndarray:
        return (ids[:, None] * PARTS + np.arange(PARTS)).ravel()
