"""What a visitor searches with, now and before: kept in the session."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from kkcv.errors import FileMissing, PictureError
from kkcv.images.decode import decode
from kkcv.images.source import decode_base64
from kkcv.images.thumbnails import shrink
from kkcv.search.gallery import Gallery, Hit

from .session import LIMITS, name_of

PREVIEW = 512
REMEMBERED = 20  # questions to go back to


@dataclass(frozen=True)
class Question:
    """A picture to search with: one that came from outside, with its vector, or one of the gallery.

    ``preview`` is a JPEG, or None where the file has gone.
    """

    name: str
    preview: bytes | None
    vector: np.ndarray | None = None
    id: int | None = None

    def answer(self, gallery: Gallery, k: int) -> list[Hit]:
        """The k most alike, nearest first (UnknownPicture)."""
        if self.id is not None:
            return gallery.search_id(self.id, k)
        assert self.vector is not None
        return gallery.search_vector(self.vector, k)


@dataclass(frozen=True)
class Sent:
    """A picture that a visitor sent and that was not looked at yet: bytes, or base64 text."""

    name: str
    content: bytes | str


def ask_with_file(name: str, content: bytes | str) -> None:
    """To be looked at in the next run of the page, where there is a spinner."""
    st.session_state["sent"] = Sent(name, content)


def ask_with_picture(gallery: Gallery, id: int) -> None:
    """Search with a picture of the gallery (UnknownPicture)."""
    picture = gallery.get(id)
    try:
        preview = preview_of(gallery.read(picture))
    except (FileMissing, PictureError):
        preview = None
    remember(Question(name_of(gallery, picture), preview, id=id))


def look_at_what_was_sent(gallery: Gallery) -> None:
    """Embed it; it becomes the question, or its refusal is kept to be shown."""
    sent: Sent | None = st.session_state.pop("sent", None)
    if sent is None:
        return
    try:
        content = sent.content
        data = decode_base64(content, LIMITS) if isinstance(content, str) else content
        vector = gallery.embedder.embed_picture(data, LIMITS)
        remember(Question(sent.name, preview_of(data), vector))
    except PictureError as error:
        st.session_state["refused"] = (sent.name, error.reason)


def preview_of(data: bytes) -> bytes:
    """Upright, and of a kind that every browser shows (PictureError)."""
    return shrink(decode(data, LIMITS, target=PREVIEW), PREVIEW)


def remember(question: Question) -> None:
    st.session_state["questions"] = [*questions(), question][-REMEMBERED:]
    st.session_state["refused"] = None


def questions() -> list[Question]:
    """What was asked, the newest last."""
    return st.session_state.get("questions", [])


def refused() -> tuple[str, str] | None:
    """Name and reason of the picture that was sent last, if it could not be used."""
    return st.session_state.get("refused")


def go_back() -> None:
    """To the question before."""
    st.session_state["questions"] = questions()[:-1]


def forget() -> None:
    """Begin again."""
    st.session_state["questions"] = []
    st.session_state["refused"] = None
