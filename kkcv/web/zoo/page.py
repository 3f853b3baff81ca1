"""The zoo page and its panels."""

import streamlit as st

from kkcv.web.session import strings

from .family import show_family
from .look import look

PANELS = {"families": show_family, "look": look}


def zoo_page() -> None:
    text = strings()
    labels = {"families": text("zoo.families"), "look": text("zoo.look")}
    panel = st.segmented_control(
        text("page.zoo"),
        list(PANELS),
        default="families",
        format_func=labels.__getitem__,
        key="zoo-panel",
        label_visibility="collapsed",
        required=True,
    )
    PANELS[panel or "families"](text)
