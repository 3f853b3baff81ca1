"""A dialog that shows a picture large, with the path of its file."""

import streamlit as st

from kkcv.hit import Hit
from kkcv.images.decode import decode
from kkcv.images.limits import DEFAULT_LIMITS
from kkcv.images.source import printable
from kkcv.images.thumbnails import shrink
from kkcv.web.components.guard import guarded
from kkcv.web.components.markup import as_markdown
from kkcv.web.libraries.library import Entry, Library, name_of

SIDE = 1600  # pixels of the longer side, at most


def show_large(here: Library, picture: Entry | Hit) -> None:
    """Open the dialog for a picture."""

    @st.dialog(as_markdown(name_of(picture)), width="large")
    @guarded
    def show() -> None:
        st.image(shrink(decode(here.file(picture.id), DEFAULT_LIMITS, target=SIDE), SIDE))
        st.code(printable(picture.path), language=None, wrap_lines=True)

    show()
