"""The page that searches: a picture goes in, the most alike come out, a click searches on."""

from collections.abc import Mapping
from contextlib import suppress

import streamlit as st

from kkcv.errors import UnknownPicture
from kkcv.search.gallery import Gallery

from .asking import (
    Question,
    ask_with_file,
    ask_with_picture,
    forget,
    go_back,
    look_at_what_was_sent,
    questions,
    refused,
)
from .grid import Tile, grid
from .paste import listen_for_paste
from .session import load_network, name_of, open_gallery, strings, thumbnail_urls
from .strings import Strings

MOST, USUAL = 60, 12


def search_page() -> None:
    text, gallery = strings(), open_gallery()
    total = len(gallery)
    if total == 0:
        show_empty(text, gallery)
        return
    load_network(gallery, text)
    left, right = st.columns([1, 2.6], gap="large")
    with left, st.container(key="ask"):
        k = ask(text, gallery, min(total, MOST))
    with right:
        answer(text, gallery, k, total)


def ask(text: Strings, gallery: Gallery, most: int) -> int:
    """Every way to give a picture, the one that was given, and how many are wanted."""

    uploads = st.session_state.setdefault("uploads", 0)
    upload = f"upload-{uploads}"

    def uploaded() -> None:
        file = st.session_state[upload]
        ask_with_file(file.name, file.getvalue())
        st.session_state["uploads"] = uploads + 1  # a new key empties the uploader

    def photographed() -> None:
        if st.session_state["photo"] is not None:
            ask_with_file(text("search.shoot"), st.session_state["photo"].getvalue())

    st.file_uploader(text("search.upload"), key=upload, on_change=uploaded)
    if st.toggle(text("search.camera"), key="camera"):
        st.camera_input(text("search.shoot"), key="photo", on_change=photographed)
    with st.spinner(text("search.searching")):
        look_at_what_was_sent(gallery)
    if refused():
        show_refusal(text)
    if questions():
        show_question(text, questions()[-1])
    k = st.slider(text("search.k"), 1, most, min(USUAL, most), key="k") if most > 1 else 1
    listen_for_paste("paste", ask_with_file)
    return k


def show_refusal(text: Strings) -> None:
    name, reason = refused() or ("", "")
    st.error(f"**{escaped(name)}** — {text(f'reason.{reason}')}")


def show_question(text: Strings, question: Question) -> None:
    with st.container(key="question"):
        if question.preview:
            st.image(question.preview, width="stretch", alt=question.name)
        with st.container(key="about"):
            st.caption(escaped(question.name))
            with st.container(horizontal=True):
                if len(questions()) > 1:
                    st.button(text("search.back"), on_click=go_back)
                st.button(text("search.clear"), on_click=forget)


def answer(text: Strings, gallery: Gallery, k: int, total: int) -> None:
    """The grid of hits, or what to do to get one."""
    if not questions():
        show_start(text, gallery, total)
        return
    try:
        hits = questions()[-1].answer(gallery, k)
    except UnknownPicture:  # it was removed since
        go_back()
        st.rerun()
    st.markdown(f"##### {text('search.found', count=len(hits), total=total)}")
    show_pictures(text, gallery, {hit.id: hit.score for hit in hits})


def show_start(text: Strings, gallery: Gallery, total: int) -> None:
    """Before the first question: what this is, and some pictures to begin with."""
    with st.container(key="start"):
        st.markdown(f"### {text('search.start')}")
        st.markdown(text("search.start_more", total=total))
    newest = gallery.page(USUAL, newest=True)
    show_pictures(text, gallery, {picture.id: None for picture in newest})


def show_pictures(text: Strings, gallery: Gallery, scores: Mapping[int, float | None]) -> None:
    """A grid of pictures by id, with their scores; a click searches with one."""
    pictures = []
    for id in scores:
        with suppress(UnknownPicture):  # it was removed just now
            pictures.append(gallery.get(id))
    tiles = []
    for picture, url in zip(pictures, thumbnail_urls(gallery, pictures), strict=True):
        name, path = name_of(gallery, picture), str(gallery.path(picture))
        label = text("search.use", name=name)
        tiles.append(Tile(picture.id, url, name, path, label, scores[picture.id]))
    grid(
        tiles,
        key="hits",
        missing=text("search.missing"),
        score=text("search.score"),
        on_pick=lambda id: ask_with_picture(gallery, id),
    )


def show_empty(text: Strings, gallery: Gallery) -> None:
    """A gallery without pictures: what to do."""
    with st.container(key="empty", horizontal_alignment="center"):
        st.markdown(f"### {text('empty.title')}")
        st.markdown(text("empty.more"))
        st.code(f"kkcv index {gallery.address} ~/Pictures", language="shell")
        st.page_link(st.session_state["pages"]["library"], label=text("empty.open"))


def escaped(name: str) -> str:
    """A file's name as Markdown that shows it as it is."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]()#+-.!|<>$:~^" else c for c in name)
