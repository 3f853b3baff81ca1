"""What a visitor searches with, now and before: kept in the session."""

import dataclasses
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st

from kkcv.errors import KkcvError, PictureError, UnknownPicture
from kkcv.hit import Hit
from kkcv.images.decode import decode
from kkcv.images.limits import DEFAULT_LIMITS
from kkcv.images.source import decode_base64
from kkcv.images.thumbnails import shrink
from kkcv.query import Like, Region, Text
from kkcv.search.learning.feedback import rocchio
from kkcv.search.options import SearchOptions
from kkcv.web.libraries.library import Library, name_of

PREVIEW = 640
REMEMBERED = 20  # questions to go back to


@dataclass(frozen=True)
class Question:
    """What to search with: the bytes of a picture, the id of one of the library, or words.

    ``preview`` is a JPEG, or None where the file has gone. ``region`` is the part that counts;
    ``more`` and ``less`` are ids of hits that the answer shall be more, or less, like.
    """

    name: str
    preview: bytes | None
    picture: bytes | int | Text
    region: Region | None = None
    more: tuple[int, ...] = ()
    less: tuple[int, ...] = ()

    @property
    def likes(self) -> list[Like]:
        """As a library is asked."""
        return rocchio(Like(self.picture, region=self.region), self.more, self.less)

    @property
    def own(self) -> set[int]:
        """The pictures of the library that it is made of."""
        return {like.picture for like in self.likes if isinstance(like.picture, int)}

    def elsewhere(self, library: Library) -> list[Like]:
        """As another library is asked, which knows none of the ids of this one."""

        def copy(like: Like) -> Like:
            if not isinstance(like.picture, int):
                return like
            return dataclasses.replace(like, picture=library.file(like.picture))

        return [copy(like) for like in self.likes]


@dataclass(frozen=True)
class Sent:
    """A picture that a visitor sent and that was not looked at yet: bytes, or base64 text."""

    name: str
    content: bytes | str


def ask_with_file(name: str, content: bytes | str) -> None:
    """To be looked at in the next run of the page, where there is a spinner."""
    st.session_state["sent"] = Sent(name, content)


def ask_with_picture(library: Library, id: int) -> None:
    """Search with a picture of the library; without one that was removed meanwhile."""
    try:
        name = name_of(library.get(id))
    except UnknownPicture:
        forget_answer()
        return
    preview = None
    with suppress(KkcvError):  # its file has gone: its vector is still there
        preview = preview_of(library.file(id))
    remember(Question(name, preview, id))


def look_at_what_was_sent() -> None:
    """It becomes the question, or its refusal is kept to be shown."""
    sent: Sent | None = st.session_state.pop("sent", None)
    if sent is None:
        return
    try:
        content = sent.content
        data = decode_base64(content, DEFAULT_LIMITS) if isinstance(content, str) else content
        remember(Question(sent.name, preview_of(data), data))
    except PictureError as error:
        refuse(sent.name, error)


def answer(
    library: Library, total: int, question: Question, k: int, options: SearchOptions
) -> list[Hit]:
    """The hits, kept as long as nothing changes: the page is drawn anew with every click.

    ``total`` is the number of pictures now.
    """
    key = (library.name, library.model.fingerprint, total, question, k, options)
    kept = st.session_state.get("answered")
    if kept is None or kept[0] != key:
        kept = (key, library.search(question.likes, k, options))
        st.session_state["answered"] = kept
    return kept[1]


def forget_answer() -> None:
    """Ask again: something that a filter looks at has changed."""
    st.session_state["answered"] = None


def preview_of(data: bytes) -> bytes:
    """Upright, and of a kind that every browser shows (PictureError)."""
    return shrink(decode(data, DEFAULT_LIMITS, target=PREVIEW), PREVIEW)


def remember(question: Question) -> None:
    st.session_state["questions"] = [*questions(), question][-REMEMBERED:]
    st.session_state["refused"] = None


def crop(region: Region | None) -> None:
    """Only a part of the question's picture shall count; None: all of it."""
    remember(dataclasses.replace(questions()[-1], region=region))


def steer(id: int, more: bool) -> None:
    """The answer shall be more, or less, like one of its hits."""
    question = questions()[-1]
    if more:
        remember(dataclasses.replace(question, more=(*question.more, id)))
    else:
        remember(dataclasses.replace(question, less=(*question.less, id)))


def refuse(name: str, error: PictureError) -> None:
    """Keep why a picture cannot be searched with, to be shown beside the ways to send one."""
    st.session_state["refused"] = (name, error.reason)


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
