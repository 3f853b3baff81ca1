"""What all visitors share (the libraries), what ``kkcv web`` was told, and a visitor's language."""

import base64
from pathlib import Path
from typing import Any

import streamlit as st

from kkcv.client import Client
from kkcv.environment import web_settings
from kkcv.errors import RequestError
from kkcv.search.gallery import Gallery
from kkcv.worker.worker import Worker

from . import zoo_facts
from .library import Library
from .local_library import LocalLibrary
from .remote_library import RemoteLibrary
from .runs import Runs
from .strings import LANGUAGES, Strings, best_language


@st.cache_resource(show_spinner=False)
def library() -> Library:
    """What ``kkcv web`` was started for (RequestError, NotAGallery)."""
    gallery = web_settings().gallery
    if not gallery:
        raise RequestError("no gallery was named; start the page with: kkcv web GALLERY")
    return open_library(gallery)


@st.cache_resource(show_spinner=False)
def other_library() -> Library | None:
    """What its answers are compared with: ``--compare``."""
    gallery = web_settings().compare
    return open_library(gallery) if gallery else None


@st.cache_resource(show_spinner=False)
def worker() -> Worker:
    """Runs networks for all visitors, in the process that the galleries use too."""
    return Worker()


@st.cache_resource(show_spinner=False)
def families(lang: str) -> list[dict[str, Any]]:
    """The families of the zoo."""
    return zoo_facts.families(lang)


@st.cache_resource(show_spinner=False)
def network_facts(name: str, lang: str) -> dict[str, Any]:
    """The facts of one network of the zoo."""
    return zoo_facts.network_facts(name, lang)


@st.cache_resource(show_spinner=False)
def diagrams(name: str, lang: str) -> dict[str, str]:
    """The diagram of one network of the zoo, as SVG, by kind of screen (MissingExtra)."""
    return worker().diagrams(name, lang)


def open_library(named: str) -> Library:
    """A gallery's folder, or the address of a service."""
    if named.startswith(("http://", "https://")):
        return RemoteLibrary(Client(named, api_key=web_settings().api_key or None))
    return LocalLibrary(Gallery.open(named))


def names_paths() -> bool:
    """Whether visitors may name folders of this machine: they are its user, then."""
    return web_settings().local_visitors


@st.cache_resource(show_spinner=False)
def runs() -> Runs:
    """The training runs."""
    return Runs(Path(web_settings().runs).absolute())


def load(library: Library, text: Strings) -> None:
    """Wait for the network, which takes seconds when the first visitor needs it."""
    with st.spinner(text("page.loading")):
        library.load()


def data_url(jpeg: bytes | None) -> str | None:
    return None if jpeg is None else url_of("image/jpeg", jpeg)


def url_of(kind: str, content: bytes) -> str:
    """A picture as an address that has all of it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


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
