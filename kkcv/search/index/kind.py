"""What a kind of Faiss index is: how it is built, and the number that trades time for recall."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Parameters = Callable[[int], Any]  # Faiss's, of a search, from the effort


@dataclass(frozen=True)
class Kind:
    """``factory(n)`` is Faiss's name of the index for n rows; ``effort`` the knob's steps;
    ``construction`` what Faiss is told before it builds, such as ``efConstruction=100``.

    ``resident(dim)`` are the bytes of a row that every search goes through; what re-ranks the best
    candidates stays on the disk, mapped into memory as far as there is room.
    """

    name: str
    factory: Callable[[int], str]
    effort: tuple[int, ...]
    parameters: Parameters
    resident: Callable[[int], int]
    construction: str = ""
