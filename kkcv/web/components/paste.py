"""Pictures from the clipboard, which Streamlit's own uploader does not accept."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

SCRIPT = Path(__file__).with_name("paste.js")


def listen_for_paste(key: str, on_paste: Callable[[str, str], None]) -> None:
    """Calls ``on_paste(name, data_url)`` when a picture is pasted anywhere on the page."""
    mount = st.components.v2.component("kkcv_paste", js=SCRIPT.read_text(encoding="utf-8"))

    def pasted() -> None:
        picture = st.session_state[key].get("pasted")
        if picture:
            on_paste(str(picture["name"]), str(picture["url"]))

    mount(key=key, on_pasted_change=pasted)
