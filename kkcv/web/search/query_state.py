"""The queries of a visitor, kept in the session."""

import dataclasses
import hashlib
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st

from kkcv.errors import KkcvError, PictureError
from kkcv.hits import Hits
from kkcv.images.decode import decode
from kkcv.images.limits import DEFAULT_LIMITS
from kkcv.images.source import decode_base64
from kkcv.images.thumbnails import shrink
from kkcv.query import Like, Region, Text
from kkcv.search.learning.feedback import rocchio
from kkcv.search.options import SearchOptions
from kkcv.web.galleries.library import Library, name_of

PREVIEW = 640
REMEMBERED = 20  # queries to go back to
REMEMBERED_BYTES = 64 * 1024 * 1024  # of their pictures, for each visitor


@dataclass(frozen=True)
class Query:
    """A query: the bytes of a picture, the id of one of the library, or a text.

    ``preview`` is a JPEG, or None where the file is missing. ``region`` is the part to search with;
    ``more`` and ``less`` are ids of hits that the visitor wants more of, or less of.
    """

    name: str
    preview: bytes | None
    picture: bytes | int | Text
    region: Region | None = None
    more: tuple[int, ...] = ()
    less: tuple[int, ...] = ()

    @property
    def likes(self) -> list[Like]:
        """The query for its own library."""
        return rocchio(Like(self.picture, region=self.region), self.more, self.less)

    @property
    def own(self) -> set[int]:
        """Ids of the pictures in it."""
        return {like.picture for like in self.likes if isinstance(like.picture, int)}

    def elsewhere(self, library: Library) -> list[Like]:
        """The query for another library, with files in place of ids."""

        def copy(like: Like) -> Like:
            if not isinstance(like.picture, int):
                return like
            return dataclasses.replace(like, picture=library.file(like.picture))

        return [copy(like) for like in self.likes]


@dataclass(frozen=True)
class Sent:
    """A picture that was sent and is not decoded yet: bytes, or base64 text."""

    name: str
    content: bytes | str


def search_with_file(name: str, content: bytes | str) -> None:
    """Search with a file, which the next run of the page decodes behind a spinner."""
    st.session_state["sent"] = Sent(name, content)


def search_with_picture(library: Library, id: int) -> None:
    """Search with a picture of the library (UnknownPicture)."""
    forget_answer()  # it has pictures that were removed, if this one was
    name = name_of(library.get(id))
    preview = None
    with suppress(KkcvError):  # the file is missing; its vector is not
        preview = preview_of(library.file(id))
    remember(Query(name, preview, id))


def decode_sent() -> None:
    """Make the sent picture the query, or keep the reason why it cannot be."""
    sent: Sent | None = st.session_state.pop("sent", None)
    if sent is None:
        return
    try:
        content = sent.content
        data = decode_base64(content, DEFAULT_LIMITS) if isinstance(content, str) else content
        remember(Query(sent.name, preview_of(data), data))
    except PictureError as error:
        refuse(sent.name, error)


def answer(library: Library, total: int, query: Query, k: int, options: SearchOptions) -> Hits:
    """The hits. They are kept until something changes, for every click runs the page again.

    ``total`` is the number of pictures now.
    """
    # total changes with every picture that is added or removed
    key = (library.name, library.model.fingerprint, total, query, k, options)
    kept = st.session_state.get("answered")
    if kept is None or kept[0] != key:
        kept = (key, library.search(query.likes, k, options))
        st.session_state["answered"] = kept
    return kept[1]


def forget_answer() -> None:
    """Search again: metadata has changed, which filters may read."""
    st.session_state["answered"] = None


def preview_of(data: bytes) -> bytes:
    """An upright JPEG, which every browser shows (PictureError)."""
    return shrink(decode(data, DEFAULT_LIMITS, target=PREVIEW), PREVIEW)


def remember(query: Query) -> None:
    st.session_state["queries"] = within_bytes([*queries(), query][-REMEMBERED:])
    st.session_state["refused"] = None


def within_bytes(past: list[Query]) -> list[Query]:
    """The newest queries, whose pictures are not too many bytes together; at least the last."""
    pictures = {id(q.picture): q.picture for q in past if isinstance(q.picture, bytes)}
    if len(past) > 1 and sum(map(len, pictures.values())) > REMEMBERED_BYTES:
        return within_bytes(past[1:])
    return past


def crop(region: Region | None) -> None:
    """Search with a region of the picture; None: with all of it."""
    remember(dataclasses.replace(queries()[-1], region=region))


def steer(id: int, more: bool) -> None:
    """Ask for more, or less, like one of the hits."""
    query = queries()[-1]
    if more:
        remember(dataclasses.replace(query, more=(*query.more, id)))
    else:
        remember(dataclasses.replace(query, less=(*query.less, id)))


def refuse(name: str, error: PictureError) -> None:
    """Keep the reason why a picture cannot be the query, to show it beside the upload."""
    st.session_state["refused"] = (name, error.reason)


def question_of(query: Query) -> str:
    """A short hash of a query: the browser compares it to notice a new one."""
    parts = (query.name, query.preview, query.picture, query.region, query.more, query.less)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def queries() -> list[Query]:
    """The queries so far, the newest last."""
    return st.session_state.get("queries", [])


def refused() -> tuple[str, str] | None:
    """Name and reason of the last picture, if it could not be used."""
    return st.session_state.get("refused")


def go_back() -> None:
    """Return to the query before."""
    st.session_state["queries"] = queries()[:-1]


def forget() -> None:
    """Start over."""
    st.session_state["queries"] = []
    st.session_state["refused"] = None
