"""Embedding spaces: vectors of one space may be compared."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from kkcv.errors import GalleryFormatError
from kkcv.images.preprocess import Preprocess

from . import windows


@dataclass(frozen=True)
class EmbeddingSpace:
    """The origin of a vector. Two vectors are comparable when all of this is equal.

    ``weights`` is the sha256 of the weights file, behind ``ema:`` where the average of weights in
    it is taken, or ``random``. All preprocessing backends give the same pixels, and so the same
    space (docs/preprocessing.md). So do float32 and bfloat16 on all runtimes, which may be mixed;
    an int8 network is a space of its own (docs/speed.md), and ``int8`` is its id. ``text`` says
    that texts lie in it too. ``projection`` is the fingerprint of what a gallery has learned from
    its labels: its vectors are compared through that. ``parts`` is the layout of the vectors of
    parts that it keeps too (windows.py); ``dim`` is of the whole.
    """

    network: str
    weights: str
    preprocess: Preprocess
    dim: int
    text: bool = False
    int8: str = ""
    projection: str = ""
    parts: str = ""

    @property
    def row(self) -> int:
        """How many numbers a row of a gallery has: of the whole picture, then of its parts."""
        return self.dim + windows.size(self.parts)

    @property
    def fingerprint(self) -> str:
        """16 hex digits that differ when the space does."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        # 64 bits tell all spaces of the world apart
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def differences(self, other: "EmbeddingSpace") -> list[str]:
        """One phrase for each difference: what it is here, and what it is there."""
        mine, theirs = flat(self.to_dict()), flat(other.to_dict())
        return [
            f"{name} {short(mine.get(name))} here, {short(theirs.get(name))} there"
            for name in mine | theirs
            if mine.get(name) != theirs.get(name)
        ]

    def to_dict(self) -> dict[str, Any]:
        document = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name != "preprocess"
        } | {"preprocess": self.preprocess.to_dict()}
        # spaces without these are as they were before
        for later in ("text", "int8", "projection", "parts"):
            if not document[later]:
                del document[later]
        return document

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> "EmbeddingSpace":
        """Raises GalleryFormatError for a document that describes no space."""
        try:
            preprocess = Preprocess.from_dict(document["preprocess"])
            return cls(**{**document, "preprocess": preprocess})
        except (KeyError, TypeError) as error:
            raise GalleryFormatError(f"this describes no embedding space: {error}") from None


def unit(vectors: np.ndarray) -> np.ndarray:
    """Each row divided by its length: (N, D) → (N, D). A row of zeros stays: it is like nothing."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, np.finfo(np.float32).tiny)


def flat(document: dict[str, Any]) -> dict[str, Any]:
    """The nested preprocessing beside the rest, and the precision in words."""
    int8 = document.get("int8")
    precision = f"int8 ({int8})" if int8 else "float32 or bfloat16"
    rest = {"preprocess": None, "int8": None, "precision": precision}
    return {**document, **document["preprocess"], **rest}


def short(value: Any) -> str:
    """Hashes by their first digits."""
    text = str(value)
    return text if len(text) < 64 else f"{text[:12]}…"
