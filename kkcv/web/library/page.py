"""The library page and its panels."""

import streamlit as st

from kkcv.web.session import library, strings

from .add import add
from .browse import browse, offer_undo
from .duplicates import review_duplicates
from .statistics import show_statistics

PANELS = {"pictures": browse, "duplicates": review_duplicates, "statistics": show_statistics}


def library_page() -> None:
    text, here = strings(), library()
    st.markdown(text("library.count", total=here.count(), network=here.model.network))
    labels = {
        "pictures": text("library.pictures"),
        "duplicates": text("library.duplicates"),
        "statistics": text("library.statistics"),
    }
    panel = st.segmented_control(
        text("page.library"),
        list(PANELS),
        default="pictures",
        format_func=labels.__getitem__,
        key="panel",
        label_visibility="collapsed",
        required=True,
    )
    offer_undo(text, here)
    if panel == "pictures":
        add(text, here)
    PANELS[panel or "pictures"](text, here)
