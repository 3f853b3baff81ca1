"""A picture on which the visitor draws a region, with the mouse or a finger."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import streamlit as st

from kkcv.query import Region
from kkcv.web.components.markup import data_url

FOLDER = Path(__file__).parent


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
    mount = st.components.v2.component(
        "kkcv_crop",
        css=(FOLDER / "crop.css").read_text(encoding="utf-8"),
        js=(FOLDER / "crop.js").read_text(encoding="utf-8"),
    )
    data = {
        "src": data_url(preview),
        "name": name,
        "hint": hint,
        "region": asdict(region) if region else None,
    }

    def cropped() -> None:
        drawn = st.session_state[key].get("cropped")
        if drawn:
            left, top = float(drawn["left"]), float(drawn["top"])
            width, height = float(drawn["width"]), float(drawn["height"])
            on_crop(Region(left, top, min(width, 1 - left), min(height, 1 - top)))

    mount(key=key, data=data, on_cropped_change=cropped)
