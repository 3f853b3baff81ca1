"""The parts of a query: a picture or a region of one, an id, a text, each with a weight."""

from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, NamedTuple

from kkcv.errors import RequestError
from kkcv.images.source import Source

if TYPE_CHECKING:
    import numpy as np  # for types only: the client imports this file and must stay light


@dataclass(frozen=True)
class Region:
    """A part of a picture, as fractions from 0 to 1 of its width and height."""

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        inside = 0 <= self.left < 1 and 0 <= self.top < 1
        if not (inside and 0 < self.width <= 1 - self.left and 0 < self.height <= 1 - self.top):
            raise RequestError(
                "a region is left, top, width and height as fractions from 0 to 1, inside of the "
                f"picture, got {self.left:g}, {self.top:g}, {self.width:g}, {self.height:g}",
                field="region",
            )

    def of(self, pixels: "np.ndarray") -> "np.ndarray":
        """That part of a picture, one pixel at least: (H, W, 3) → (h, w, 3)."""
        height, width = pixels.shape[:2]
        top, left = int(self.top * height), int(self.left * width)
        bottom = max(top + 1, round((self.top + self.height) * height))
        right = max(left + 1, round((self.left + self.width) * width))
        return pixels[top:bottom, left:right]


class Text(NamedTuple):
    """A description of what to look for, for networks that read text."""

    text: str


@dataclass(frozen=True)
class Like:
    """A picture (path, bytes, file, Pillow image), the id of one, or Text, and its weight.

    A negative ``weight`` asks for what is unlike it.
    """

    picture: "Source | int | Text"
    weight: float = 1.0
    region: Region | None = None

    def __post_init__(self) -> None:
        if isinstance(self.picture, Integral):  # also of NumPy
            object.__setattr__(self, "picture", whole(self.picture))
        if self.region is not None:
            checked_region(self.region)


def checked_likes(parts: Iterable[Any]) -> list[Like]:
    """The parts of one query (RequestError)."""
    found = list(parts)
    if not found:
        raise RequestError("at least one picture must count with a positive weight", field="like")
    for each in found:
        if not isinstance(each, Like):
            raise RequestError(f"a part of a query is Like(picture), got {each!r:.60}")
    return found


def checked_region(region: Any) -> Region:
    """The region (RequestError for four numbers, whose order could be another)."""
    if not isinstance(region, Region):
        raise RequestError(
            f"a region is Region(left, top, width, height), got {region!r:.60}", field="region"
        )
    return region


def plain(number: Any) -> Any:
    """A number of NumPy and the like as Python's own (TypeError: it is none)."""
    if getattr(number, "ndim", None) == 0:
        return number.item()
    if isinstance(number, Integral):
        return int(number)
    if isinstance(number, Real):
        return float(number)
    raise TypeError(f"Object of type {type(number).__name__} is not JSON serializable")


def whole(id: Any) -> int:
    """An id as a plain int; NumPy's integers are taken too (RequestError)."""
    if isinstance(id, bool) or not isinstance(id, Integral):
        raise RequestError(f"an id is a whole number such as 17, got {id!r:.60}")
    return int(id)
