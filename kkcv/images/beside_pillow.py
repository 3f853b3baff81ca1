"""Pictures that other libraries than Pillow open: deep TIFF and camera raw."""

from typing import Protocol

from PIL import Image

from .formats import sniff
from .quiet import silence_libtiff
from .raw import Raw, is_raw
from .tiff import Deep, read_well_by_pillow


class Opened(Protocol):
    """A picture with its header read. Its size and pixels are as they are stored."""

    @property
    def size(self) -> tuple[int, int]: ...

    @property
    def orientation(self) -> int: ...

    def rgb(self) -> Image.Image: ...


def opened_beside_pillow(data: bytes, label: str) -> Opened | None:
    """The picture, or None if it is one for Pillow (PictureError)."""
    if is_raw(data):
        return Raw.of(data, label)
    found = sniff(data)
    if found is not None and found.name == "TIFF":
        silence_libtiff()
        if not read_well_by_pillow(data):
            return Deep.of(data, label)
    return None
