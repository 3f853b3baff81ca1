"""The page of the gallery's pictures: look through them, add some, take some out."""

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from kkcv.errors import PictureError
from kkcv.search.catalog import Picture
from kkcv.search.gallery import Gallery

from .asking import ask_with_picture
from .grid import Tile, grid
from .search_page import escaped
from .session import LIMITS, load_network, name_of, open_gallery, strings, thumbnail_urls
from .strings import Strings

PAGE = 60


def library_page() -> None:
    text, gallery = strings(), open_gallery()
    st.markdown(text("library.count", total=len(gallery), network=gallery.space.network))
    add(text, gallery)
    browse(text, gallery)


def add(text: Strings, gallery: Gallery) -> None:
    """The uploader, and what became of what was uploaded last."""
    batch = st.session_state.setdefault("batch", 0)  # a new key empties the uploader
    files = st.file_uploader(
        text("library.upload"), accept_multiple_files=True, key=f"files-{batch}"
    )
    if files:
        label = text("library.add", count=len(files)) if len(files) > 1 else text("library.add_one")
        if st.button(label, type="primary"):
            load_network(gallery, text)
            st.session_state["report"] = add_all(text, gallery, files)
            st.session_state["batch"] = batch + 1
            st.session_state["newest"] = [None]
            st.rerun()
    if report := st.session_state.get("report"):
        show_report(text, *report)


def add_all(
    text: Strings, gallery: Gallery, files: Sequence[UploadedFile]
) -> tuple[int, int, list[tuple[str, str]]]:
    """How many are new, how many were known, and name and reason of each that was refused."""
    added = known = 0
    rejects = []
    bar = st.progress(0.0)
    for number, file in enumerate(files):
        bar.progress(number / len(files), text("library.adding", done=number + 1, count=len(files)))
        try:
            _, new = gallery.find_or_add(file.getvalue(), {"name": file.name}, limits=LIMITS)
            added, known = added + new, known + (not new)
        except PictureError as error:
            rejects.append((file.name, error.reason))
    bar.empty()
    return added, known, rejects


def show_report(text: Strings, added: int, known: int, rejects: list[tuple[str, str]]) -> None:
    if added or known:
        parts = [text("library.added", count=added)]
        if known:
            parts.append(text("library.known", count=known))
        st.success(" · ".join(parts))
    if rejects:
        lines = [f"- **{escaped(name)}** — {text(f'reason.{why}')}" for name, why in rejects]
        st.warning("\n".join([text("library.rejected", count=len(rejects)), "", *lines]))


def browse(text: Strings, gallery: Gallery) -> None:
    """A page of pictures, newest first, and what can be done with those selected."""
    trail: list[int | None] = st.session_state.setdefault("newest", [None])
    found = gallery.page(PAGE + 1, trail[-1], newest=True)
    page = found[:PAGE]
    bar = st.container(horizontal=True, vertical_alignment="center", key="actions")
    urls = thumbnail_urls(gallery, page)
    tiles = [
        Tile(p.id, url, name, str(gallery.path(p)), text("library.select", name=name))
        for p, url, name in zip(page, urls, (name_of(gallery, p) for p in page), strict=True)
    ]
    selected = grid(tiles, key=f"pictures-{trail[-1]}", missing=text("search.missing"))
    with bar:
        act(text, gallery, selected)
    turn_pages(text, trail, page, more=len(found) > len(page))


def act(text: Strings, gallery: Gallery, selected: list[int]) -> None:
    """The buttons for the pictures that are selected."""
    if not selected:
        st.caption(text("library.hint"), width="stretch")
        return
    st.caption(text("library.selected", count=len(selected)), width="stretch")
    if len(selected) == 1 and st.button(text("library.similar")):
        ask_with_picture(gallery, selected[0])
        st.switch_page(st.session_state["pages"]["search"])
    if st.button(text("library.remove")):
        confirm_removal(text, gallery, selected)


def confirm_removal(text: Strings, gallery: Gallery, selected: list[int]) -> None:
    """Ask, then take them out."""

    @st.dialog(text("library.remove_title"))
    def confirm() -> None:
        st.write(text("library.remove_ask"))
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button(text("library.cancel")):
                st.rerun()
            if st.button(text("library.remove_yes", count=len(selected)), type="primary"):
                removed = gallery.remove(selected)
                st.session_state["report"] = None
                st.toast(text("library.removed", count=len(removed)))
                st.rerun()

    confirm()


def turn_pages(
    text: Strings, trail: list[int | None], page: Sequence[Picture], *, more: bool
) -> None:
    """``trail`` has, for each page up to this one, the id that it begins after."""
    if len(trail) == 1 and not more:
        return
    with st.container(horizontal=True, horizontal_alignment="center"):
        if st.button(text("library.newer"), disabled=len(trail) == 1):
            trail.pop()
            st.rerun()
        if st.button(text("library.older"), disabled=not more):
            trail.append(page[-1].id)
            st.rerun()
