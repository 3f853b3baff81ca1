"""The library page and its panels."""

import streamlit as st

from kkcv.web.session import choose_panel, library, strings

from .add import add
from .browse import browse, offer_undo
from .duplicates import review_duplicates
from .statistics import show_statistics

PANELS = {"pictures": browse, "duplicates": review_duplicates, "statistics": show_statistics}


def library_page() -> None:
    text, here = strings(), library()
    if page := st.session_state.pop("turn_to", None):  # a click may not turn the page itself
        st.switch_page(st.session_state["pages"][page])
    st.markdown(text("library.count", total=here.count(), network=here.model.network))
    panel = choose_panel(text, "library", list(PANELS), "panel")
    offer_undo(text)
    if panel == "pictures":
        add(text, here)
    PANELS[panel](text, here)
