"""Browsing the library a page at a time, and the actions on selected pictures."""

from collections.abc import Callable, Sequence

import streamlit as st

from kkcv.errors import RequestError
from kkcv.images.source import printable
from kkcv.search.picture import unknown
from kkcv.web.components.component import show_from_the_top
from kkcv.web.components.grid import Tile, grid
from kkcv.web.components.guard import attempted
from kkcv.web.components.markup import as_markdown, data_url
from kkcv.web.galleries.library import Change, Entry, Library, name_of
from kkcv.web.search.address import name_in_address
from kkcv.web.search.dialogs import show_large
from kkcv.web.search.query_state import forget_answer, search_with_picture
from kkcv.web.strings import Strings

from .edit import edit

PAGE = 60  # thumbnails: full rows of 2, 3, 4, 5 or 6


def browse(text: Strings, here: Library) -> None:
    """A page of pictures, with actions for the selected ones."""
    if asked := st.session_state.pop("opening", None):
        open_dialog(text, here, *asked)
    with st.container(horizontal=True, vertical_alignment="center", key="actions"):
        bar = st.container(horizontal=True, vertical_alignment="center", width="stretch")
        where = filtered(text, here)
    trail = trail_to_page(here, where)
    while not (found := here.page(PAGE + 1, trail[-1], where)) and len(trail) > 1:
        trail.pop()  # all of the last page was removed
    name_in_address("page", str(len(trail)) if len(trail) > 1 else None)  # none for the first
    show_from_the_top(text.language, f"{where} {len(trail)}")
    page = found[:PAGE]
    if not page:
        st.info(text("library.none") if where else text("empty.title"))
        return
    removals = st.session_state.get("removals", 0)  # what an undo brings back is not selected
    selected = choose(text, here, page, f"pictures-{trail[-1]}-{where}-{removals}")
    with bar:
        act(text, here, selected)
    turn_pages(text, len(trail), here.count(where), more=len(found) > len(page))


def trail_to_page(here: Library, where: str) -> list[int | None]:
    """The last id before each page, up to the page that the address names.

    A link from another page names none: it returns to the page that was shown last.
    """
    trail: list[int | None] = st.session_state.setdefault("newest", [None])
    last = str(len(trail)) if st.session_state.get("arrived") else "1"
    asked = st.query_params.get("page", last)
    if where != st.session_state.get("browsed", ""):
        st.session_state["browsed"], asked = where, "1"
        trail[:] = [None]  # in place: it is the one of the session
    # nine digits: a longer number is no page
    number = max(int(asked[:9]), 1) if asked.isdecimal() else 1
    if number > len(trail) and (number - 1) * PAGE >= here.count(where):
        number = len(trail)  # there is no such page; to look for it would read all of the library
    del trail[number:]
    while len(trail) < number and len(page := here.page(PAGE + 1, trail[-1], where)) > PAGE:
        trail.append(page[PAGE - 1].id)
    return trail


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
    if len(selected) == 1:
        st.button(text("library.similar"), on_click=find_similar, args=(here, selected[0]))
        st.button(text("page.large"), on_click=ask_for, args=("large", selected))
    st.button(text("library.edit"), on_click=ask_for, args=("edit", selected))
    st.button(text("library.remove"), on_click=remove, args=(here, selected))


# A click acts on what was shown, before the page is drawn again: without a picture that another
# visitor has removed, it would draw no button for it.


@attempted
def find_similar(here: Library, id: int) -> None:
    """Search with a picture, and turn to the page of its answer."""
    search_with_picture(here, id)
    st.session_state["turn_to"] = "search"


def ask_for(dialog: str, ids: Sequence[int]) -> None:
    """Open a dialog when the page is drawn, which a click alone cannot."""
    st.session_state["opening"] = dialog, ids


@attempted
def open_dialog(text: Strings, here: Library, dialog: str, ids: Sequence[int]) -> None:
    if dialog == "edit":
        edit(text, here, ids)
    else:
        show_large(here, here.get(ids[0]))


@attempted
def remove(here: Library, ids: Sequence[int]) -> None:
    """Remove pictures, which can be restored until the next change."""
    change = here.remove(ids)
    removals = st.session_state.get("removals", 0) + 1
    st.session_state.update(changed=("library.removed", change), report=None, removals=removals)
    if not change.pictures:
        raise unknown(ids[0], here.name)


def offer_undo(text: Strings) -> None:
    """The last change of this visitor, with a button that takes it back."""
    what, change = st.session_state.get("changed") or ("", Change(0, None))
    if not change.pictures or change.undo is None:
        return
    with st.container(key="undo", horizontal=True, vertical_alignment="center", border=True):
        st.markdown(text(what, count=change.pictures), width="stretch")
        if st.button(text("library.undo"), type="primary"):
            with st.spinner(text("page.loading")):
                take_back(text, change.undo)
            st.rerun()


@attempted
def take_back(text: Strings, undo: Callable[[], int]) -> None:
    """Undo the last change.

    If it fails, such as while a service restarts, it is offered again: it may hold the only copies.
    """
    forget_answer()
    try:
        count = undo()
    except RequestError:  # another change came after it, so it can never be undone
        st.session_state["changed"] = None
        raise
    st.session_state["changed"] = None
    st.toast(text("library.restored", count=count))


def turn_pages(text: Strings, page: int, total: int, *, more: bool) -> None:
    """Buttons for the pages before and after."""

    def turn_to(number: int) -> None:
        st.query_params["page"] = str(number)

    if page == 1 and not more:
        return
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        st.button(text("library.before"), disabled=page == 1, on_click=turn_to, args=(page - 1,))
        st.caption(text("library.page", page=page, pages=-(-total // PAGE)), width="content")
        st.button(text("library.after"), disabled=not more, on_click=turn_to, args=(page + 1,))
