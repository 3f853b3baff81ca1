"""A picture on which the visitor draws a region, with the mouse or a finger."""

from collections.abc import Callable
from dataclasses import asdict

from kkcv.query import Region

from .component import component, reported
from .markup import data_url


def croppable(
    preview: bytes,
    name: str,
    region: Region | None,
    *,
    key: str,
    hint: str,
    on_crop: Callable[[Region], None],
) -> None:
    """Show a picture with its region and call ``on_crop`` with each new one."""
    mount = component("crop")
    data = {
        "src": data_url(preview),
        "name": name,
        "hint": hint,
        "region": asdict(region) if region else None,
    }

    def cropped() -> None:
        drawn = reported(key, "cropped")
        if drawn:
            left, top = float(drawn["left"]), float(drawn["top"])
            width, height = float(drawn["width"]), float(drawn["height"])
            # rounded in the browser, the sum may be a little over 1
            on_crop(Region(left, top, min(width, 1 - left), min(height, 1 - top)))

    mount(key=key, data=data, on_cropped_change=cropped)
