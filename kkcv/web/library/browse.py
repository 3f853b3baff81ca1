"""Browsing the library a page at a time, and the actions on selected pictures."""

from collections.abc import Sequence

import streamlit as st

from kkcv.errors import RequestError
from kkcv.images.source import printable
from kkcv.web.components.grid import Tile, grid
from kkcv.web.components.markup import as_markdown, data_url
from kkcv.web.libraries.library import Entry, Library, Removed, name_of
from kkcv.web.search.query_state import search_with_picture
from kkcv.web.strings import Strings

from .edit import edit

PAGE = 60


def browse(text: Strings, here: Library) -> None:
    """A page of pictures, with actions for the selected ones."""
    trail: list[int | None] = st.session_state.setdefault("newest", [None])
    with st.container(horizontal=True, vertical_alignment="center", key="actions"):
        bar = st.container(horizontal=True, vertical_alignment="center", width="stretch")
        where = filtered(text, here)
    if where != st.session_state.get("browsed", ""):
        trail[:] = [None]
        st.session_state["browsed"] = where
    found = here.page(PAGE + 1, trail[-1], where)
    page = found[:PAGE]
    if not page:
        st.info(text("library.none") if where else text("empty.title"))
        return
    selected = choose(text, here, page, f"pictures-{trail[-1]}-{where}")
    with bar:
        act(text, here, selected)
    turn_pages(text, trail, page, here.count(where), more=len(found) > len(page))


def filtered(text: Strings, here: Library) -> str:
    """The filter; empty where it is invalid, with a message."""
    where = st.text_input(
        text("option.where"),
        key="browse-where",
        placeholder=text("library.filter"),
        help=text("option.where_help"),
        label_visibility="collapsed",
        width=260,
    )
    try:
        here.count(where)
    except RequestError as error:
        st.error(as_markdown(text.error(error)))
        return ""
    return where


def choose(
    text: Strings, here: Library, entries: Sequence[Entry], key: str, chosen: Sequence[int] = ()
) -> list[int]:
    """A grid in which clicks select; the selected ids."""
    smalls = here.thumbnails(entries)
    tiles = [
        Tile(e.id, data_url(small), name, printable(e.path), text("library.select", name=name))
        for e, name, small in zip(entries, map(name_of, entries), smalls, strict=True)
    ]
    return grid(tiles, key=key, missing=text("search.missing"), chosen=chosen, small=bool(chosen))


def act(text: Strings, here: Library, selected: list[int]) -> None:
    """The buttons for the selected pictures."""
    if not selected:
        st.caption(text("library.hint"), width="stretch")
        return
    st.caption(text("library.selected", count=len(selected)), width="stretch")
    if len(selected) == 1 and st.button(text("library.similar")):
        search_with_picture(here, selected[0])
        st.switch_page(st.session_state["pages"]["search"])
    if st.button(text("library.edit")):
        edit(text, here, selected)
    if st.button(text("library.remove")):
        remove(here, selected)


def remove(here: Library, ids: Sequence[int]) -> None:
    """Remove pictures, which can be restored until the next change."""
    st.session_state.update(removed=here.remove(ids), report=None)
    st.rerun()


def offer_undo(text: Strings, here: Library) -> None:
    removed: list[Removed] | None = st.session_state.get("removed")
    if not removed:
        return
    with st.container(key="undo", horizontal=True, vertical_alignment="center", border=True):
        st.markdown(text("library.removed", count=len(removed)), width="stretch")
        if st.button(text("library.undo"), type="primary"):
            with st.spinner(text("page.loading")):
                back = here.restore(removed)
            st.session_state["removed"] = None
            st.toast(text("library.restored", count=back))
            st.rerun()


def turn_pages(
    text: Strings, trail: list[int | None], page: Sequence[Entry], total: int, *, more: bool
) -> None:
    """Buttons for the pages before and after. ``trail`` has the id before each page so far."""
    if len(trail) == 1 and not more:
        return
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        if st.button(text("library.before"), disabled=len(trail) == 1):
            trail.pop()
            st.rerun()
        st.caption(text("library.page", page=len(trail), pages=-(-total // PAGE)), width="content")
        if st.button(text("library.after"), disabled=not more):
            trail.append(page[-1].id)
            st.rerun()
