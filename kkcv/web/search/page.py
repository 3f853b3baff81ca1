"""The search page: the query and its options on the left, the results on the right."""

from contextlib import suppress
from typing import Any

import streamlit as st

from kkcv.errors import RequestError
from kkcv.query import Text
from kkcv.search.options import OPTIONS
from kkcv.web.components.component import listen_for_paste, show_from_the_top
from kkcv.web.components.crop import croppable
from kkcv.web.components.markup import as_markdown, data_url
from kkcv.web.galleries.library import Library
from kkcv.web.galleries.local_library import LocalLibrary
from kkcv.web.session import library, load, other_library, strings
from kkcv.web.strings import Strings

from .address import follow_in_address, open_from_address
from .options import choose, show_chips
from .query_state import (
    Query,
    crop,
    decode_sent,
    forget,
    go_back,
    queries,
    question_of,
    refused,
    remember,
    search_with_file,
)
from .results import show_answer, show_start

MOST, USUAL = 60, 12  # hits: as many as a page shows without paging, and full rows of 2, 3, 4 or 6


def search_page() -> None:
    text, here = strings(), library()
    total = here.count()
    if total == 0:
        show_empty(text, here)
        return
    load(here, text)
    restore_settings()
    open_from_address(text, here)
    left, right = st.columns([1, 2.6], gap="large")
    with left, st.container(key="ask"):
        k, chosen = ask(text, here, min(total, MOST))
    follow_in_address()
    show_from_the_top(text.language, question_of(queries()[-1]) if queries() else "")
    with right:
        show_chips(text, chosen)
        if queries():
            show_answer(text, here, other_library(), total, k, chosen)
        else:
            show_start(text, here, total)
    keep_settings()


def restore_settings() -> None:
    """Give the widgets what they had when the page was left: Streamlit forgets it."""
    for name, value in st.session_state.get("settings", {}).items():
        st.session_state.setdefault(name, value)


def keep_settings() -> None:
    """Remember what the widgets have; setting them here would undo what changes just now."""
    names = [name for name in ("k", "comparing", *OPTIONS) if name in st.session_state]
    st.session_state["settings"] = {name: st.session_state[name] for name in names}


def ask(text: Strings, here: Library, most: int) -> tuple[int, dict[str, Any]]:
    """Widgets for the query; the chosen number of hits and options."""

    uploads = st.session_state.setdefault("uploads", 0)
    upload = f"upload-{uploads}"

    def uploaded() -> None:
        file = st.session_state[upload]
        search_with_file(file.name, file.getvalue())
        st.session_state["uploads"] = uploads + 1  # a new key empties the uploader

    def photographed() -> None:
        if st.session_state["photo"] is not None:
            search_with_file(text("search.photo"), st.session_state["photo"].getvalue())

    def written() -> None:
        words = st.session_state["words"].strip()
        if words:
            remember(Query(words, None, Text(words)))

    st.file_uploader(text("search.upload"), key=upload, on_change=uploaded)
    if here.model.text:
        st.text_input(text("search.words"), key="words", on_change=written)
    if st.toggle(text("search.camera"), key="camera"):
        st.camera_input(text("search.shoot"), key="photo", on_change=photographed)
    with st.spinner(text("search.searching")):
        decode_sent()
    if told := refused():
        name, reason = told
        st.error(f"**{as_markdown(name)}** — {text(f'reason.{reason}')}")
    if queries():
        show_query(text, here, queries()[-1])
    chosen = choose_number_and_options(text, here, most)
    listen_for_paste("paste", search_with_file)
    return chosen


def choose_number_and_options(
    text: Strings, here: Library, most: int
) -> tuple[int, dict[str, Any]]:
    k = 1
    if most > 1:
        if "k" not in st.session_state or st.session_state["k"] > most:
            st.session_state["k"] = min(st.session_state.get("k", USUAL), most)
        k = st.slider(text("search.k"), 1, most, key="k")
    with st.expander(text("search.options")):
        chosen = {name: choose(text, option) for name, option in OPTIONS.items()}
        with suppress(RequestError):  # the answer says what is wrong with the filter
            if where := chosen["where"]:
                st.caption(text("search.matching", count=here.count(where)))
    return k, chosen


def show_query(text: Strings, here: Library, query: Query) -> None:
    with st.container(key="question"):
        if query.preview:
            croppable(
                query.preview, query.name, query.region,
                key="crop", hint=text("search.crop"), on_crop=crop,
            )  # fmt: skip
        with st.container(key="about"):
            st.caption(as_markdown(query.name))
            show_feedback(text, here, query)
            with st.container(horizontal=True):
                if len(queries()) > 1:
                    st.button(text("search.back"), on_click=go_back)
                if query.region:
                    st.button(text("search.whole"), on_click=crop, args=(None,))
                st.button(text("search.clear"), on_click=forget)
            if query.preview and not query.region:
                st.caption(text("search.crop"))


def show_feedback(text: Strings, here: Library, query: Query) -> None:
    """The hits that the visitor wants more of, or less of."""
    for label, ids in (("search.more", query.more), ("search.less", query.less)):
        entries = here.get_many(ids)
        if entries:
            urls = [data_url(small) for small in here.thumbnails(entries)]
            images = "".join(f'<img src="{url}" alt="">' for url in urls if url)
            st.html(f'<div class="wishes"><span>{text(label)}</span>{images}</div>')


def show_empty(text: Strings, here: Library) -> None:
    """Show how to fill a library that has no pictures."""
    with st.container(key="empty", horizontal_alignment="center"):
        st.markdown(f"### {text('empty.title')}")
        st.markdown(text("empty.more"))
        if isinstance(here, LocalLibrary):
            st.code(f"kkcv index {here.name} ~/Pictures", language="shell")
        st.page_link(st.session_state["pages"]["library"], label=text("empty.open"))
