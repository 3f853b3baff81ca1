"""Components of our own: NAME.js and NAME.css beside this file, mounted by Streamlit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent


def component(name: str) -> Any:
    """The function that mounts a component; with ``key``, ``data`` and ``on_NAME_change``."""
    parts = {kind: FOLDER / f"{name}.{kind}" for kind in ("css", "js")}
    texts: dict[str, Any] = {
        kind: file.read_text("utf-8") for kind, file in parts.items() if file.exists()
    }
    return st.components.v2.component(f"kkcv_{name}", **texts)


def reported(key: str, name: str) -> Any:
    """The value that the component with this key has just reported under a name, or None."""
    return st.session_state[key].get(name)


def listen_for_paste(key: str, on_paste: Callable[[str, str], None]) -> None:
    """Calls ``on_paste(name, data_url)`` when a picture is pasted anywhere on the page.

    Streamlit's own uploader takes none from the clipboard.
    """
    mount = component("paste")

    def pasted() -> None:
        picture = reported(key, "pasted")
        if picture:
            on_paste(str(picture["name"]), str(picture["url"]))

    mount(key=key, on_pasted_change=pasted)


def show_from_the_top(lang: str, question: str) -> None:
    """Say the language of the page, and scroll to the top whenever the question is another."""
    component("visit")(key="visit", data={"lang": lang, "question": question})
