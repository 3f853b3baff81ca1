"""Dialogs on one picture: why it was found, by heat maps, and how it looks large."""

import numpy as np
import streamlit as st

from kkcv.hit import Hit
from kkcv.images.decode import decode, decode_small
from kkcv.images.heat import SIDE, overlaid
from kkcv.images.limits import DEFAULT_LIMITS
from kkcv.images.source import printable
from kkcv.images.thumbnails import as_png, shrink
from kkcv.query import Text
from kkcv.web.components.guard import guarded
from kkcv.web.components.markup import as_markdown, data_url
from kkcv.web.galleries.library import Entry, Library, name_of
from kkcv.web.session import strings

from .query_state import Query

LARGE = 1600  # pixels of the longer side, at most


def explain(here: Library, query: Query, hit: Hit) -> None:
    """Open the dialog for a hit."""
    text = strings()

    @st.dialog(text("explain.title"), width="medium")
    @guarded
    def show() -> None:
        with st.spinner(text("explain.working")):
            query_file, hit_file = query_of(here, query), here.file(hit.id)
            own = query.picture if isinstance(query.picture, int) and not query.region else None
            found = here.explain(query_file if own is None else own, hit.id)
        sides = ((query.name, query_file, found.query), (name_of(hit), hit_file, found.hit))
        for column, (name, content, side) in zip(st.columns(2), sides, strict=True):
            heat = np.asarray(side.heat, np.float32)
            warm = overlaid(decode_small(content, SIDE), heat, side.seen)
            with column:
                st.html(f'<img class="warm" alt="" src="{data_url(shrink(warm, SIDE))}">')
                st.caption(as_markdown(name))
        st.markdown(text("explain.score", score=f"{found.score:.3f}"))
        if found.whole is not None:
            st.caption(text("explain.part", whole=f"{found.whole:.3f}"))
        if query.more or query.less:
            st.caption(text("explain.alone"))
        st.caption(text("explain.how"))

    show()


def query_of(here: Library, query: Query) -> bytes:
    """The file of the query, or of its region."""
    picture = query.picture
    assert not isinstance(picture, Text)
    content = here.file(picture) if isinstance(picture, int) else picture
    if query.region is None:
        return content
    return as_png(query.region.of(decode(content, DEFAULT_LIMITS)), compress_level=1)


def show_large(here: Library, picture: Entry | Hit) -> None:
    """Open the dialog for a picture."""

    @st.dialog(as_markdown(name_of(picture)), width="large")
    @guarded
    def show() -> None:
        st.image(shrink(decode(here.file(picture.id), DEFAULT_LIMITS, target=LARGE), LARGE))
        st.code(printable(picture.path), language=None, wrap_lines=True)

    show()
