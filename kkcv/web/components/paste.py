"""Pictures from the clipboard, which Streamlit's own uploader does not accept."""

from collections.abc import Callable

from .component import component, reported


def listen_for_paste(key: str, on_paste: Callable[[str, str], None]) -> None:
    """Calls ``on_paste(name, data_url)`` when a picture is pasted anywhere on the page."""
    mount = component("paste")

    def pasted() -> None:
        picture = reported(key, "pasted")
        if picture:
            on_paste(str(picture["name"]), str(picture["url"]))

    mount(key=key, on_pasted_change=pasted)
