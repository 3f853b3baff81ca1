"""``?id=17`` in the address opens that search, and the address follows the search."""

import streamlit as st

from kkcv.errors import UnknownPicture
from kkcv.web.components.markup import as_markdown
from kkcv.web.libraries.library import Library
from kkcv.web.strings import Strings

from .query_state import queries, search_with_picture

FOLLOWED = "followed"  # the id that the address had when this page last agreed with it


def open_from_address(text: Strings, here: Library) -> None:
    """Search with the picture that the address names, unless the page shows it already."""
    named = st.query_params.get("id")
    if named is None or named == st.session_state.get(FOLLOWED):
        return
    try:
        id = here.get(int(named) if named.isdecimal() else 0).id
    except UnknownPicture as error:
        st.error(as_markdown(text.error(error)))
        return
    search_with_picture(here, id)


def follow_in_address() -> None:
    """Let the address name the picture of the newest query; none for files, parts and texts."""
    newest = queries()[-1] if queries() else None
    whole = newest is not None and not (newest.region or newest.more or newest.less)
    id = newest.picture if newest is not None and whole else None
    if isinstance(id, int):
        st.query_params["id"] = st.session_state[FOLLOWED] = str(id)
    else:
        st.query_params.pop("id", None)
        st.session_state[FOLLOWED] = None
