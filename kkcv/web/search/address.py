"""``?id=17`` in the address opens that search, and the address follows the search."""

import streamlit as st

from kkcv.errors import RequestError, UnknownPicture
from kkcv.query import whole
from kkcv.web.components.markup import as_markdown
from kkcv.web.galleries.library import Library
from kkcv.web.strings import Strings

from .query_state import Query, go_back, queries, search_with_picture

FOLLOWED = "followed"  # the id that the address had when this page last agreed with it


def open_from_address(text: Strings, here: Library) -> None:
    """Search with the picture that the address names, unless the page shows it already."""
    named, followed = st.query_params.get("id"), st.session_state.get(FOLLOWED)
    if named == followed:
        return
    if named is None and st.session_state["arrived"]:  # by a link from another page
        follow_in_address()  # at once, for a click may end this run early
        return
    if named is None:  # the browser's Back, to before the address had a picture
        while queries() and address_of(queries()[-1]):
            go_back()
        return
    try:
        id = here.get(whole(int(named[:20]) if named.isdecimal() else named)).id
    except (UnknownPicture, RequestError) as error:
        st.error(as_markdown(text.error(error)))
        return
    search_with_picture(here, id)


def follow_in_address() -> None:
    """Let the address name the picture of the newest query; none for files, parts and texts."""
    named = st.session_state[FOLLOWED] = address_of(queries()[-1]) if queries() else None
    name_in_address("id", named)


def name_in_address(key: str, value: str | None) -> None:
    """Give the address a value, or none, only if it has another.

    The browser takes even the same value for a new step, if it has gone back meanwhile.
    """
    if value is None:
        st.query_params.pop(key, None)
    elif st.query_params.get(key) != value:
        st.query_params[key] = value


def address_of(query: Query) -> str | None:
    """The id that stands for a query in the address."""
    refined = query.region or query.more or query.less
    return str(query.picture) if isinstance(query.picture, int) and not refined else None
