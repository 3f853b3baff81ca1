"""What all visitors share (the gallery, its thumbnails), and the language of one."""

import base64
import logging
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import streamlit as st

from kkcv.errors import GalleryError, PictureError, RequestError
from kkcv.images.limits import DEFAULT_LIMITS
from kkcv.images.thumbnails import Thumbnails
from kkcv.search.catalog import Picture
from kkcv.search.gallery import Gallery

from .strings import LANGUAGES, Strings, best_language

THUMBNAIL = 256
LIMITS = DEFAULT_LIMITS
log = logging.getLogger(__name__)


@st.cache_resource(show_spinner=False)
def open_gallery() -> Gallery:
    """The gallery that ``kkcv web`` was started for (RequestError, NotAGallery)."""
    folder = os.environ.get("KKCV_GALLERY")
    if not folder:
        raise RequestError("no gallery was named; start the page with: kkcv web GALLERY")
    return Gallery.open(folder)


@st.cache_resource(show_spinner=False)
def thumbnails() -> Thumbnails:
    return Thumbnails()


def load_network(gallery: Gallery, text: Strings) -> None:
    """Wait for the network, which takes seconds when the first visitor needs it."""
    with st.spinner(text("page.loading")):
        _ = gallery.embedder


def thumbnail_urls(gallery: Gallery, pictures: Iterable[Picture]) -> list[str | None]:
    """A data URL for each picture; None where its file has gone."""
    kept = thumbnails()

    def url(picture: Picture) -> str | None:
        sha256 = picture.file.sha256
        try:
            small = kept.find(sha256, THUMBNAIL) or kept.make(
                sha256, THUMBNAIL, gallery.read(picture)
            )
        except (GalleryError, PictureError) as error:
            log.warning("no thumbnail of picture %d: %s", picture.id, error)
            return None
        return data_url(small)

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(url, pictures))


def name_of(gallery: Gallery, picture: Picture) -> str:
    """What it was called when it was uploaded, or the name of its file."""
    name = picture.metadata.get("name")
    return name if picture.file.stored and isinstance(name, str) else gallery.path(picture).name


def data_url(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def strings() -> Strings:
    """The texts in the visitor's language: chosen, or in the address, or the browser's."""
    chosen = st.session_state.get("language") or st.query_params.get("lang")
    return Strings(chosen if chosen in LANGUAGES else best_language(st.context.locale))


def choose_language(text: Strings) -> None:
    """The switch of languages. The choice is kept in the address, so that a link keeps it."""

    def keep() -> None:
        st.query_params["lang"] = st.session_state["language"]

    st.segmented_control(
        "Language · 语言",
        list(LANGUAGES),
        default=text.language,
        format_func=LANGUAGES.__getitem__,
        key="language",
        label_visibility="collapsed",
        required=True,
        on_change=keep,
    )
